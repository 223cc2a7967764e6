import type { Database, Statement } from "better-sqlite3";

interface Row {
  readonly bridge: number;
  readonly direction: number;
  readonly lane: string;
  readonly former: string;
}

const none: readonly string[] = [];

/** Lanes whose place others took (a room was replaced, a channel got another id): what was journaled in them is known in those. */
export class FormerLanes {
  readonly #formers = new Map<string, string[]>();
  readonly #add: Statement<[number, number, string, string]>;
  readonly #all: Statement<[], Row>;

  constructor(db: Database) {
    this.#add = db.prepare("INSERT OR IGNORE INTO former_lane (bridge, direction, lane, former) VALUES (?, ?, ?, ?)");
    this.#all = db.prepare("SELECT bridge, direction, lane, former FROM former_lane");
  }

  /** Reads what is on disk. */
  recover(): void {
    this.#formers.clear();
    for (const row of this.#all.iterate()) this.#note(row);
  }

  /** What was in `former` belongs to `lane` from now on, with what that had taken over. */
  add(bridge: number, direction: number, lane: string, former: string): void {
    for (const each of [former, ...this.of(bridge, direction, former)]) {
      if (each === lane || this.of(bridge, direction, lane).includes(each)) continue;
      this.#add.run(bridge, direction, lane, each);
      this.#note({ bridge, direction, lane, former: each });
    }
  }

  of(bridge: number, direction: number, lane: string): readonly string[] {
    if (this.#formers.size === 0) return none;
    return this.#formers.get(keyOf(bridge, direction, lane)) ?? none;
  }

  #note({ bridge, direction, lane, former }: Row): void {
    const key = keyOf(bridge, direction, lane);
    const formers = this.#formers.get(key);
    if (formers) formers.push(former);
    else this.#formers.set(key, [former]);
  }
}

function keyOf(bridge: number, direction: number, lane: string): string {
  return `${bridge} ${direction} ${lane}`;
}
