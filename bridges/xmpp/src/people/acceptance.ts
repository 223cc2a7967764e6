import { refused, retry, uncertain, type Failure } from "@trestle/core";
import { ns, type StanzaError, type XmlElement } from "../content/index.js";
import { xml, type XmppStream } from "../stream/index.js";
import { Recent } from "./recent.js";

/** So many messages are remembered after they were accepted: a receipt or a bounce may come later. */
const kept = 2_000;

/** A message that was sent, as long as it is remembered. */
export interface SentMessage {
  readonly id: string;
  /** For people: to whom. */
  readonly to: string;
  /** How it begins. */
  readonly excerpt: string;
}

interface Waiting extends SentMessage {
  readonly bounced: (failure: Failure) => void;
}

/** What differs from people who are written to through the component. */
export interface AcceptanceOptions {
  /** Who answers a ping behind everything that was sent before; the component itself where absent. */
  readonly asked?: string | undefined;
  /** For people, why a stanza came back. */
  readonly why?: (error: StanzaError) => string;
}

/**
 * Whether what the bridge sends to people is taken. XMPP acknowledges nothing to a component, but a server deals with
 * what comes over one stream in order: where a ping that was sent behind a message comes back, the server has taken the
 * message, and has refused it by then where it could know that it must. What another server refuses comes back later.
 */
export class Acceptance {
  readonly #waiting = new Map<string, Waiting>();
  readonly #accepted = new Recent<SentMessage>(kept);
  /** Those of which the recipient's client said that it has them (XEP-0184). */
  readonly #received = new Recent<true>(kept);
  #underWay: Promise<Failure | undefined> | undefined;
  #next: Promise<Failure | undefined> | undefined;

  constructor(
    private readonly stream: XmppStream,
    private readonly options: AcceptanceOptions = {},
  ) {}

  /** Sends a message; `undefined` when the server has taken it and has not refused it. */
  async send(stanza: XmlElement, message: SentMessage, signal: AbortSignal): Promise<Failure | undefined> {
    let settle: (failure: Failure) => void = () => undefined;
    const bounced = new Promise<Failure>((resolve) => (settle = resolve));
    this.#waiting.set(message.id, { ...message, bounced: settle });
    const givenUp = () => settle(uncertain(`Whether the server took a message to ${message.to} was not known in time`));
    signal.addEventListener("abort", givenUp, { once: true });
    try {
      const unsent = await this.stream.send(stanza);
      if (unsent) return unsent;
      const failure = await Promise.race([bounced, this.#fence()]);
      if (!failure) this.#accepted.set(message.id, message);
      return failure;
    } finally {
      signal.removeEventListener("abort", givenUp);
      this.#waiting.delete(message.id);
    }
  }

  /** A message came back. Returns it where it was taken for accepted before, so that somebody must be told now. */
  bounced(id: string, error: StanzaError): SentMessage | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting) {
      waiting.bounced(failureOfBounce(error, waiting.to, (this.options.why ?? reasonOf)(error)));
      return undefined;
    }
    const late = this.#accepted.get(id);
    this.#accepted.delete(id);
    return late;
  }

  /** The recipient has it. */
  received(id: string): void {
    if (this.#waiting.has(id) || this.#accepted.has(id)) this.#received.set(id, true);
  }

  /** The connection is gone: nobody knows what became of what is under way, and a ping on the next one says nothing of it. */
  lost(): void {
    for (const { bounced, to } of [...this.#waiting.values()])
      bounced(uncertain(`The connection ended before the server had taken the message to ${to}`));
  }

  /** Whether a message is known to have been taken. */
  isKnown(id: string): boolean {
    return this.#accepted.has(id) || this.#received.has(id);
  }

  /** Resolves when the server has dealt with all that was sent before. One ping is under way, and one more waits for all others. */
  #fence(): Promise<Failure | undefined> {
    if (this.#underWay === undefined) {
      this.#underWay = this.#ping().finally(() => (this.#underWay = undefined));
      return this.#underWay;
    }
    this.#next ??= this.#underWay.then(() => {
      this.#next = undefined;
      return this.#fence();
    });
    return this.#next;
  }

  async #ping(): Promise<Failure | undefined> {
    const { address } = this.stream;
    const ping = xml(
      "iq",
      { type: "get", from: address, to: this.options.asked ?? this.stream.address },
      xml("ping", { xmlns: ns.ping }),
    );
    const answer = await this.stream.request(ping);
    // Any answer came the whole way.
    return answer.kind === "failure" ? uncertain(answer.failure.reason) : undefined;
  }
}

/** What a bounce means for what was sent: `wait` alone says that it may be tried again (RFC 6120 §8.3.2). */
export function failureOfBounce(error: StanzaError, to: string, why = reasonOf(error)): Failure {
  const reason = `${to} did not get the message: ${why}`;
  return error.type === "wait" ? retry(reason) : refused(reason);
}

const reasons: Readonly<Record<string, string>> = {
  "item-not-found": "there is no such account",
  "remote-server-not-found": "its server cannot be found",
  "remote-server-timeout": "its server does not answer",
  "service-unavailable": "the account does not exist, is away, or takes no messages from strangers",
  forbidden: "it does not want messages from you",
  "not-authorized": "it does not want messages from you",
  "policy-violation": "its server has a rule against it",
  "recipient-unavailable": "it is not there",
  "resource-constraint": "its server is too busy",
};

/** For people, why a stanza came back. */
export function reasonOf({ condition, text }: StanzaError): string {
  const reason = (Object.hasOwn(reasons, condition) ? reasons[condition] : undefined) ?? condition;
  return text === undefined ? reason : `${reason} (${text.slice(0, 300)})`;
}
