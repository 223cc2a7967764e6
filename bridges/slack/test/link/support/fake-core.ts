import {
  isFailure,
  type ConnectionStatus,
  type Failure,
  type Interpretation,
  type Interpreted,
  type Network,
  type NetworkEvent,
  type RawReceived,
} from "@trestle/core";
import { quietNetwork } from "../../../../../test/support/quiet-network.js";

type Interpret = (raw: Interpretation) => Promise<Interpreted | readonly NetworkEvent[] | Failure>;

/** What the link needs of the core, in memory: it keeps what is received once, and interprets it in the order of its lane. */
export class FakeCore {
  /** What is "on disk", in the order of the commits. */
  readonly kept: RawReceived[] = [];
  /** What was made of it. */
  readonly events: NetworkEvent[] = [];
  readonly statuses = new Map<string, ConnectionStatus>();
  /** Every status that was ever reported. */
  readonly reported: ConnectionStatus[] = [];
  readonly stored = new Map<string, string>();
  /** How often something came that was there already. */
  repetitions = 0;
  /** Called before something is kept; may wait or reject. */
  beforeKeeping: (raw: RawReceived) => Promise<void> = () => Promise.resolve();
  interpret: Interpret | undefined;
  onConnected: () => void = () => undefined;
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #controller = new AbortController();

  readonly network: Network = {
    ...quietNetwork("slack", this.stored),
    receive: (event) => this.network.receiveAll([event]),
    receiveAll: async (events) => {
      const raws = events.map((event) => {
        if (event.kind !== "raw") throw new Error("the link receives raw events alone");
        return event;
      });
      await Promise.all(raws.map((raw) => this.beforeKeeping(raw)));
      // The disk keeps JSON.
      for (const raw of raws) this.#keep(JSON.parse(JSON.stringify(raw)) as RawReceived);
    },
    report: (status) => {
      const before = this.statuses.get(status.connection)?.state;
      this.statuses.set(status.connection, status);
      this.reported.push(status);
      if (status.state === "connected" && before !== "connected") this.onConnected();
    },
  };

  close(): void {
    this.#controller.abort();
  }

  #keep(raw: RawReceived): void {
    if (this.kept.some(({ id }) => id === raw.id)) {
      this.repetitions += 1;
      return;
    }
    this.kept.push(raw);
    const receivedAt = Date.now();
    const before = this.#lanes.get(raw.channel) ?? Promise.resolve();
    this.#lanes.set(
      raw.channel,
      before.then(() => this.#deliver(raw, receivedAt)),
    );
  }

  async #deliver({ id, channel, wire }: RawReceived, receivedAt: number): Promise<void> {
    const { signal } = this.#controller;
    for (let attempt = 1; this.interpret && !signal.aborted; attempt += 1) {
      const made = await this.interpret({ id, channel, wire, attempt, receivedAt, signal });
      if (!("failed" in made)) {
        const whole: Interpreted = "events" in made ? made : { events: made };
        for (const event of whole.events) this.#take(event);
        for (const [key, value] of Object.entries(whole.remember?.() ?? {}))
          if (value === null) this.stored.delete(key);
          else this.stored.set(key, value);
        whole.kept?.();
        if (whole.more !== true) return;
        continue;
      }
      if (isFailure(made) && made.failed === "permanent") return;
      await new Promise((resolve) => setTimeout(resolve, Math.min(20, made.afterMs ?? 5)));
    }
  }

  #take(event: NetworkEvent): void {
    if (
      !this.events.some(({ kind, id, channel }) => kind === event.kind && id === event.id && channel === event.channel)
    )
      this.events.push(event);
  }
}
