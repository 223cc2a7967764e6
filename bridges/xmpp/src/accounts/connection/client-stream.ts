import { xml, type Element } from "../../stream/element.js";
import {
  ReconnectingStream,
  type ConnectionListener,
  type Ended,
  type StreamConnection,
  type StreamOptions,
} from "../../stream/reconnecting-stream.js";
import type { Answer } from "../../stream/requests.js";
import type { RequestOptions } from "../../stream/stream.js";
import { ClientConnection } from "./client-connection.js";
import type { AccountAddress, Bound, Session } from "./negotiation.js";
import type { Place } from "./places.js";

export interface ClientStreamOptions extends StreamOptions {
  readonly account: AccountAddress;
  /** Where the server may be, the best first; never empty. */
  readonly places: () => Promise<readonly Place[]>;
}

/** The server will say the same again, until a person does something (RFC 6120 §6.5). */
const FINAL: ReadonlySet<string> = new Set([
  "not-authorized",
  "account-disabled",
  "credentials-expired",
  "invalid-authzid",
  "mechanism-too-weak",
  "unproven",
]);

/** The stream of an account (RFC 6120), which goes on with the same session where the server lets it (XEP-0198). */
export class ClientStream extends ReconnectingStream {
  readonly #options: ClientStreamOptions;
  #connection: ClientConnection | undefined;
  #bound: Bound | undefined;
  #session: Session | undefined;
  #attempts = 0;
  #refusal: string | undefined;

  constructor(options: ClientStreamOptions) {
    super({
      ...options,
      onStanza: (stanza) => {
        const dealtWith = options.onStanza(stanza);
        if (dealtWith) this.#session?.handled.waitFor(dealtWith, () => this.#connection?.progress());
        return dealtWith;
      },
    });
    this.#options = options;
  }

  /** The full JID; the bare one until the server has given one. */
  get address(): string {
    return this.#bound?.jid ?? this.#options.account.jid;
  }

  /** The bare JID. */
  get account(): string {
    return this.#options.account.jid;
  }

  /** How the stream was made, the last time. */
  get bound(): Bound | undefined {
    return this.#bound;
  }

  /** Why the server refuses the account (RFC 6120 §6.5), where it does. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  protected open(listener: ConnectionListener): StreamConnection {
    const { account, places } = this.#options;
    const attempt = this.#attempts++;
    const place = async (): Promise<Place> => {
      const found = await places();
      const chosen = found[attempt % found.length];
      if (!chosen) throw new Error(`Nobody knows where the server of ${account.domain} is`);
      return chosen;
    };
    const session = this.#session;
    const connection = new ClientConnection(
      { account, place, session: session?.id === "" ? undefined : session, tuning: this.tuning },
      listener,
      (bound) => {
        this.#bound = bound;
        this.#session = bound.session;
      },
    );
    this.#connection = connection;
    return connection;
  }

  protected hopeless({ condition, reason }: Ended, wasOnline: boolean): string | undefined {
    const { jid } = this.#options.account;
    if (condition === undefined) return undefined;
    if (!wasOnline && FINAL.has(condition)) {
      this.#refusal = condition;
      return refusalOf(jid, condition, reason);
    }
    if (condition !== "conflict" || !wasOnline) return undefined;
    // To come back would throw out whoever took our place, who would do the same to us.
    return `Something else has signed in as ${this.address} (${reason}). Let only one bridge use the account ${jid}.`;
  }

  protected ping(id: string): Element {
    const { domain } = this.#options.account;
    return xml("iq", { type: "get", id, to: domain }, xml("ping", { xmlns: "urn:xmpp:ping" }));
  }

  /** Who asks is this client, whoever it is on the other side of the bridge. */
  override request(iq: Element, options?: RequestOptions): Promise<Answer> {
    return super.request(xml(iq.name, { ...iq.attrs, from: this.address }, ...iq.children), options);
  }

  /** The server knows who sends it; an address of an earlier session would end the stream (RFC 6120 §4.9.3.9). */
  protected override outgoing(stanza: Element): Element {
    const { from: _, ...attrs } = stanza.attrs;
    return xml(stanza.name, attrs, ...stanza.children);
  }
}

/** For a person, why a server lets nobody in with this password. */
function refusalOf(jid: string, condition: string, reason: string): string {
  switch (condition) {
    case "not-authorized":
    case "invalid-authzid":
      return `The server does not take this password for ${jid}. Sign in again with the right one.`;
    case "account-disabled":
      return `The server has disabled the account ${jid} (${reason}). Ask whoever runs it.`;
    case "credentials-expired":
      return `The password of ${jid} has expired. Set a new one with another client, and sign in again.`;
    case "unproven":
      return `The server of ${jid} is not to be trusted: ${reason}. The password was not shown to it; tell whoever runs it.`;
    default:
      return `Signing in as ${jid} is not possible: ${reason}.`;
  }
}
