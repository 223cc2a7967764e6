import { bareJidOf, parseJid } from "../address/index.js";
import { element, ns, type Affiliation } from "../content/index.js";
import { readMucAdmin, writeMucAdmin } from "../protocol/index.js";
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
    const [first] = this.#all;
    const other = this.#all.find((each) => each !== this.#jid);
    const own = rankOf(this.#affiliation);
    if (other === undefined || (own === highest && this.#jid === first)) return undefined;
    const rank = rankOf(await this.#listedAs(other));
    return rank > own || (rank === own && rank > 0 && other === first) ? other : undefined;
  }

  /**
   * What the room lists an address as, asked from there: that it tells who its admins are alone says little, for some
   * rooms tell their members (XEP-0045 §9.8).
   */
  async #listedAs(jid: string): Promise<Affiliation | undefined> {
    for (const affiliation of ["admin", "owner"] as const) {
      const iq = { type: "get", from: jid, to: this.room };
      const answer = await this.parts.stream.request(element("iq", iq, writeMucAdmin([{ affiliation }])));
      const query = answer.kind === "result" ? answer.stanza.getChild("query", ns.mucAdmin) : undefined;
      // An admin may not be told who the owners are.
      if (!query) return undefined;
      if (readMucAdmin(query).some((item) => bareJidOf(item.jid ?? "") === bareJidOf(jid))) return affiliation;
    }
    return undefined;
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

const highest = 2;

function rankOf(affiliation: Affiliation | undefined): number {
  return affiliation === "owner" ? highest : affiliation === "admin" ? 1 : 0;
}
