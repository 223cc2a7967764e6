import { within } from "../../../../test/support/bounded.js";
import { sameJid } from "../../dist/address/index.js";
import { ComponentStream, type Element, type StreamState, type StreamTuning } from "../../dist/stream/index.js";

export interface StreamPlace {
  readonly port: number;
  readonly domain?: string;
  readonly secret?: string;
  readonly tuning?: Partial<StreamTuning>;
  /** What a stanza's handler returns. */
  readonly onStanza?: (stanza: Element) => Promise<void> | undefined;
}

/** Quick waits, so that nothing takes long that need not. */
const QUICK: Partial<StreamTuning> = { backoffMinMs: 20, backoffMaxMs: 200, conflictMs: 0 };

/** A component's stream, with all that it told. */
export class ObservedStream {
  readonly stanzas: Element[] = [];
  readonly states: StreamState[] = [];
  readonly stream: ComponentStream;
  readonly #watchers = new Set<() => void>();

  constructor({ port, domain = "bridge.test", secret = "correct horse", tuning, onStanza }: StreamPlace) {
    this.stream = new ComponentStream({
      address: { host: "127.0.0.1", port, domain, secret },
      tuning: { ...QUICK, ...tuning },
      sameAddress: sameJid,
      onStanza: (stanza) => {
        this.stanzas.push(stanza);
        const dealtWith = onStanza?.(stanza);
        this.#look();
        return dealtWith;
      },
      onState: (state) => {
        this.states.push(state);
        this.#look();
      },
    });
    this.stream.start();
  }

  /** Starts, and resolves when it is online. */
  static async online(place: StreamPlace): Promise<ObservedStream> {
    const observed = new ObservedStream(place);
    await observed.becomes("online");
    return observed;
  }

  /** How often it was online. */
  get connections(): number {
    return this.states.filter(({ state }) => state === "online").length;
  }

  async becomes(state: StreamState["state"]): Promise<StreamState> {
    await this.until(`the stream ${state}`, () => this.stream.state.state === state);
    return this.stream.state;
  }

  async online(times: number): Promise<void> {
    await this.until(`the stream online for the ${times}. time`, () => this.connections >= times);
  }

  async gets(what: string, wanted: (stanza: Element) => boolean): Promise<Element> {
    await this.until(what, () => this.stanzas.some(wanted));
    const found = this.stanzas.find(wanted);
    if (!found) throw new Error("It was there a moment ago.");
    return found;
  }

  async until(what: string, holds: () => boolean, milliseconds = 20_000): Promise<void> {
    let watcher: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      watcher = () => holds() && resolve();
      this.#watchers.add(watcher);
      watcher();
    });
    try {
      await within(
        milliseconds,
        what,
        held,
        () =>
          `${JSON.stringify(this.states.slice(-10))}\n${this.stanzas
            .slice(-5)
            .map((stanza) => JSON.stringify([stanza.name, stanza.attrs, stanza.getText().slice(0, 200)]))
            .join("\n")}`,
      );
    } finally {
      if (watcher) this.#watchers.delete(watcher);
    }
  }

  #look(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
