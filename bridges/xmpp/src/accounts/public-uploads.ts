import { isIP } from "node:net";
import { isPublicAddress } from "@trestle/core";
import { Agent, type Dispatcher } from "undici";
import { lookupAllowed } from "./connection/places.js";

/**
 * How files are put where a server says that nobody but a Matrix user has named: encrypted, and never to an address of
 * the bridge's own network.
 */
export class PublicUploads {
  #agent: Agent | undefined;

  /** What connects to `url`. @throws Error where nothing may be put there. */
  dispatcherFor(url: string): Dispatcher {
    const { protocol, hostname } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, "");
    if (protocol !== "https:") throw new Error(`Files may be put to ${hostname} only encrypted`);
    // Addresses are not looked up.
    if (isIP(host) !== 0 && !isPublicAddress(host)) throw new Error(`${hostname} is no public address`);
    this.#agent ??= new Agent({
      connect: { lookup: lookupAllowed({ host, port: 443, security: "direct", isNamed: false }) },
      connections: 10,
    });
    return this.#agent;
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await this.#agent?.destroy();
    this.#agent = undefined;
  }
}
