import { xml, type Element, type XmppStream } from "../stream/index.js";

interface Job {
  readonly stanza: Element;
  readonly to: readonly string[];
  readonly done: () => void;
}

/** So many stanzas are given to the system at once. */
const chunk = 64;
const pauseMs = 50;

/**
 * What the rooms send, in one order: a stanza to many is kept once. What cannot be sent because the stream is down is
 * dropped: whoever is in a room then has to come in again, and is shown what was said.
 */
export class Outbox {
  readonly #jobs: Job[] = [];
  #isPumping = false;

  constructor(private readonly stream: XmppStream) {}

  /** Resolves when it was given to the system, or dropped. */
  send(stanza: Element, to: readonly string[]): Promise<void> {
    if (to.length === 0) return Promise.resolve();
    return new Promise((done) => {
      this.#jobs.push({ stanza, to, done });
      if (!this.#isPumping) void this.#pump();
    });
  }

  /** Resolves when all that was to be sent until now is sent, or dropped. */
  flushed(): Promise<void> {
    if (!this.#isPumping) return Promise.resolve();
    return new Promise((done) => this.#jobs.push({ stanza: xml("presence"), to: [], done }));
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    for (let job = this.#jobs.shift(); job; job = this.#jobs.shift()) {
      await this.#deliver(job);
      job.done();
    }
    this.#isPumping = false;
  }

  async #deliver({ stanza, to }: Job): Promise<void> {
    const { name, attrs, children } = stanza;
    for (let from = 0; from < to.length; from += chunk) {
      let rest = to.slice(from, from + chunk);
      while (rest.length > 0 && this.stream.state.state === "online") {
        const sent = await Promise.all(
          rest.map(async (address) => ({
            address,
            failure: await this.stream.send(xml(name, { ...attrs, to: address }, children)),
          })),
        );
        // The server does not read: it is waited for.
        rest = sent.flatMap(({ address, failure }) => (failure?.failed === "retry" ? address : []));
        if (rest.length > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }
}
