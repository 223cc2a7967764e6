import type { Ending } from "../../session/connection.js";
import type { Puppet } from "./puppet.js";

/** How many are let in at once: the others take no turn from anybody. */
const AT_ONCE = 5;
/** How long nobody else tries after the server has turned one away, as for too many connections from one address. */
const TURNED_AWAY_MS = 600_000;
/** The same where no connection came about. */
const UNREACHED_MS = 30_000;

export interface ReaderConnectsOptions {
  /** Whether the network is there. */
  readonly isUp: () => boolean;
  /** Whether it still is somebody's puppet. */
  readonly isPuppet: (puppet: Puppet) => boolean;
  /** The server has turned away the puppet of somebody who has said nothing. */
  readonly giveUp: (puppet: Puppet) => void;
  /** Others may try again. */
  readonly resumed: () => void;
}

/** Connects the puppets of those who only read, a few at a time. */
export class ReaderConnects {
  /** No longer than there are puppets. */
  readonly #waiting = new Set<Puppet>();
  readonly #onTheirWay = new Set<Puppet>();
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly options: ReaderConnectsOptions) {}

  add(puppet: Puppet): void {
    this.#waiting.add(puppet);
    this.go();
  }

  /** Connects whoever's turn it is. */
  go(): void {
    if (this.#closed || this.#pause || !this.options.isUp()) return;
    for (const puppet of this.#waiting) {
      if (this.#onTheirWay.size >= AT_ONCE) return;
      this.#waiting.delete(puppet);
      // Who has spoken meanwhile has a connection, or is being connected.
      if (!this.options.isPuppet(puppet) || puppet.seat.current) continue;
      this.#onTheirWay.add(puppet);
      puppet.seat.connect();
    }
  }

  /** It is let in, or gone. */
  settled(puppet: Puppet): void {
    this.#waiting.delete(puppet);
    if (this.#onTheirWay.delete(puppet)) this.go();
  }

  failed(puppet: Puppet, { answered }: Ending): void {
    if (!this.#onTheirWay.delete(puppet)) return;
    this.#pause ??= setTimeout(
      () => {
        this.#pause = undefined;
        this.options.resumed();
        this.go();
      },
      answered ? TURNED_AWAY_MS : UNREACHED_MS,
    );
    if (answered && puppet.spokeAt === Number.NEGATIVE_INFINITY) this.options.giveUp(puppet);
  }

  /** Forgets everybody. */
  clear(): void {
    this.#waiting.clear();
    this.#onTheirWay.clear();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    this.clear();
  }
}
