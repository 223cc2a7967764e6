import { refused, type Failure } from "@trestle/core";
import { ComponentConnection, type ComponentAddress } from "./connection.js";
import { xml, type Element } from "./element.js";
import {
  ReconnectingStream,
  type ConnectionListener,
  type Ended,
  type StreamConnection,
  type StreamOptions,
} from "./reconnecting-stream.js";

export interface ComponentStreamOptions extends StreamOptions {
  readonly address: ComponentAddress;
}

/** A component's stream (XEP-0114). */
export class ComponentStream extends ReconnectingStream {
  readonly #address: ComponentAddress;
  #conflictSince: number | undefined;

  constructor(options: ComponentStreamOptions) {
    super(options);
    this.#address = options.address;
  }

  get address(): string {
    return this.#address.domain;
  }

  /** Of what is from elsewhere nothing goes out: servers end the stream for it, everybody's (RFC 6120 §4.9.3.9). */
  override send(stanza: Element): Promise<Failure | undefined> {
    const { from = this.address } = stanza.attrs;
    if (domainOf(from) === this.address) return super.send(stanza);
    return Promise.resolve(refused(`A stanza from ${from} was not sent: that is no address of ${this.address}`));
  }

  protected open(listener: ConnectionListener): StreamConnection {
    const online = () => {
      this.#conflictSince = undefined;
      listener.online();
    };
    return new ComponentConnection(this.#address, { ...listener, online }, this.tuning);
  }

  protected hopeless({ condition, reason }: Ended, wasOnline: boolean): string | undefined {
    const { domain, host, port } = this.#address;
    if (condition === "not-authorized")
      return `The XMPP server at ${host}:${port} refused the secret of the component ${domain} (${reason}). Put the same secret into the configurations of both, and restart the bridge.`;
    if (condition !== "conflict") return undefined;
    const advice = `Something else is connected to the XMPP server at ${host}:${port} as the component ${domain} (${reason}). End it, or use another domain, and restart the bridge.`;
    // To come back would throw out whoever took our place, who would do the same to us.
    if (wasOnline) return advice;
    this.#conflictSince ??= performance.now();
    return performance.now() - this.#conflictSince >= this.tuning.conflictMs ? advice : undefined;
  }

  /** XEP-0199, to ourselves: it comes back only if the server still routes for us. */
  protected ping(id: string): Element {
    const { address } = this;
    return xml("iq", { type: "get", id, from: address, to: address }, xml("ping", { xmlns: "urn:xmpp:ping" }));
  }
}

/** RFC 7622 §3.1. */
function domainOf(jid: string): string {
  const slash = jid.indexOf("/");
  const bare = slash < 0 ? jid : jid.slice(0, slash);
  return bare.slice(bare.indexOf("@") + 1);
}
