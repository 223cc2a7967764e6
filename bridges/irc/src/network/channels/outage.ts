import { type ConnectorStorage, type Logger, type NetworkEvent, RemoteMessageId } from "@trestle/core";
import { channelIdOf } from "../ids.js";

export interface OutageOptions {
  readonly network: string;
  /** After so long without the network its rooms are told, in milliseconds; 0: never. */
  readonly tellAfterMs: number;
  readonly storage: ConnectorStorage;
  readonly log: Logger;
  /** The channels that are linked now, folded. */
  readonly linked: () => Iterable<string>;
  /** Passes events on, behind all that was heard. */
  readonly tell: (events: readonly NetworkEvent[]) => void;
  /** Resolves to `true` when what was passed on is on disk. */
  readonly told: () => Promise<boolean>;
}

/**
 * Tells the rooms of a network that it is away, once, when it has been for a while; and, where they were told so, that it is
 * back. That they were told is on disk: neither is said twice, nor left out, because of a restart.
 */
export class Outage {
  #isAway = false;
  /** Of the outage that the rooms know of: since when, in milliseconds since 1970. */
  #known: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: OutageOptions) {}

  /** Reads what is on disk. */
  async load(): Promise<void> {
    const since = Number(await this.options.storage.get(this.#key));
    if (since > 0) this.#known = since;
    this.away("it has not been reached since the bridge was started");
  }

  /** Nobody hears the network from now on. */
  away(reason: string): void {
    const { tellAfterMs } = this.options;
    if (this.#closed || this.#isAway) return;
    this.#isAway = true;
    if (tellAfterMs === 0 || this.#known !== undefined) return;
    const since = Date.now();
    this.#timer = setTimeout(() => this.#tellAway(since, reason), tellAfterMs);
  }

  /** The network is heard again. */
  back(): void {
    this.#isAway = false;
    clearTimeout(this.#timer);
    const since = this.#known;
    if (since === undefined || this.#closed) return;
    this.#known = undefined;
    this.#tell(`outage:${since}:back`, `${this.options.network} is back: what waited goes out now.`);
    // Told a second time it is dropped, for it has the same id.
    this.#write(async (storage) => {
      if ((await this.options.told()) && this.#known === undefined) await storage.delete(this.#key);
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #tellAway(since: number, reason: string): void {
    const { network } = this.options;
    this.#known = since;
    this.#write((storage) => storage.set(this.#key, String(since)));
    const why = reason === "" ? "" : ` (${reason.slice(0, 200)})`;
    this.#tell(
      `outage:${since}`,
      `${network} cannot be reached${why}. What is said here waits, in order, until it is back.`,
    );
  }

  #tell(id: string, notice: string): void {
    const { network, linked, tell } = this.options;
    const events = [...linked()].map((channel): NetworkEvent => {
      return { kind: "channel", id: RemoteMessageId(id), channel: channelIdOf(network, channel), notice };
    });
    if (events.length > 0) tell(events);
  }

  #write(write: (storage: ConnectorStorage) => Promise<unknown>): void {
    const { storage, log } = this.options;
    this.#writing = this.#writing
      .then(() => write(storage))
      .catch((error: unknown) => log.warn({ err: error }, "whether the rooms know of an outage could not be stored"));
  }

  get #key(): string {
    return `outage:${this.options.network}`;
  }
}
