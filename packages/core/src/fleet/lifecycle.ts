import type { Clock } from "../delivery/clock.js";
import type { Store } from "../store/store.js";

/** That many deaths in a row, each soon after the start, are a crash loop. */
const deathsInALoop = 3;
const longEnoughMs = 60_000;

/** What is kept under `running`. */
const running = "1";
const ended = "0";
const endedInDoubt = "2";

/** Knows, across starts, whether the process before this one ended in good order. */
export class Lifecycle {
  private constructor(
    readonly store: Store,
    /** The process before this one ended in good order, and nothing is in doubt. */
    readonly clean: boolean,
    /** The last few processes died soon after their start. */
    readonly crashLoop: boolean,
    readonly cancelTimer: () => void,
  ) {}

  static async begin(store: Store, clock: Clock): Promise<Lifecycle> {
    const rows = await store.all<{ key: string; value: string }>(
      "SELECT key, value FROM meta WHERE key IN ('running', 'deaths')",
    );
    const meta = new Map(rows.map((row) => [row.key, row.value]));
    const before = meta.get("running") ?? ended;
    const died = before === running;
    const deaths = died ? Number(meta.get("deaths") ?? 0) + 1 : 0;
    await store.commit([
      ["setMeta", "running", running],
      ["setMeta", "deaths", String(deaths)],
    ]);
    const cancel = clock.after(longEnoughMs, () => {
      // Should the disk refuse, the next start is only more careful than it needs to be.
      store.commit([["setMeta", "deaths", "0"]]).catch(() => undefined);
    });
    return new Lifecycle(store, before === ended, deaths >= deathsInALoop, cancel);
  }

  /** `inDoubt`: what was in doubt after an earlier process died has not all been taken up: the next one has to. */
  async end(inDoubt: boolean): Promise<void> {
    this.cancelTimer();
    await this.store.commit([
      ["setMeta", "running", inDoubt ? endedInDoubt : ended],
      ["setMeta", "deaths", "0"],
    ]);
  }
}
