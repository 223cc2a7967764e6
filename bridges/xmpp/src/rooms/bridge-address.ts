import { bareJidOf, parseJid } from "../address/index.js";
import { element, type Affiliation } from "../content/index.js";
import { writeMucAdmin } from "../protocol/index.js";
import type { RoomParts } from "./parts.js";

/** The user part of the bridge's own address: that of no Matrix user, all of which have a `_`, and of no room. */
export const bridgeLocal = "bridge";

/**
 * The addresses under which the bridge itself can be in rooms, the better one first. That has a user part: ejabberd makes
 * no other one an owner. The bare domain is where it was before, and where rooms may have given it rights. An account has
 * one address alone.
 */
export function bridgeAddresses(domain: string): readonly [string, ...string[]] {
  const bare = `${domain}/bridge`;
  return parseJid(domain)?.local === undefined ? [`${bridgeLocal}@${bare}`, bare] : [bare];
}

/** Whether a local part of the component's domain is the bridge's own, or there is none. */
export function isBridge(local: string | undefined): boolean {
  return local === undefined || local === bridgeLocal;
}

/** Under which of its addresses the bridge is in a room. A room that knew it under the bare domain knows it so until another one may do more. */
export class BridgeAddress {
  readonly #all: readonly [string, ...string[]];
  #jid: string;
  #affiliation: Affiliation | undefined;

  constructor(
    private readonly parts: Pick<RoomParts, "stream" | "config" | "network">,
    private readonly room: string,
  ) {
    this.#all = bridgeAddresses(parts.config.domain);
    this.#jid = this.#all[0];
  }

  /** The full JID. */
  get jid(): string {
    return this.#jid;
  }

  /** For people: to whom rights in the room are given. */
  get named(): string {
    return bareJidOf(this.#all[0]) ?? this.#all[0];
  }

  async load(): Promise<void> {
    const { storage } = this.parts.network;
    const kept = await storage.get(this.#key);
    // What is kept of a room in which the bridge was before it had this address.
    const isOld = kept === undefined && (await this.#isKept("seen", "settings"));
    const jid = isOld ? this.#all.at(-1) : this.#all.find((each) => each === kept);
    if (jid !== undefined) this.#jid = jid;
    if (kept !== this.#jid) await storage.set(this.#key, this.#jid);
  }

  async forget(): Promise<void> {
    await this.parts.network.storage.delete(this.#key);
  }

  /** The room shows the bridge what it is there. */
  shown(affiliation: Affiliation | undefined): void {
    this.#affiliation = affiliation;
  }

  /** The address under which the bridge may do more in the room, where there is one. */
  async better(): Promise<string | undefined> {
    const { stream } = this.parts;
    const other = this.#all.find((each) => each !== this.#jid);
    if (other === undefined) return undefined;
    const isAdmin = this.#affiliation === "admin" || this.#affiliation === "owner";
    // With ejabberd what the domain is, all addresses in it are.
    if (isAdmin && this.#jid === this.#all[0]) return undefined;
    const list = element("iq", { type: "get", from: other, to: this.room }, writeMucAdmin([{ affiliation: "admin" }]));
    // Rooms tell their admins, also those who are not there, who the others are (XEP-0045 §9.8).
    const answer = await stream.request(list);
    return answer.kind === "result" ? other : undefined;
  }

  /** It enters under this address from now on. */
  async become(jid: string): Promise<void> {
    this.#jid = jid;
    this.#affiliation = undefined;
    await this.parts.network.storage.set(this.#key, jid);
  }

  async #isKept(...what: readonly string[]): Promise<boolean> {
    for (const each of what)
      if ((await this.parts.network.storage.get(`${each} ${this.room}`)) !== undefined) return true;
    return false;
  }

  get #key(): string {
    return `bridge ${this.room}`;
  }
}
