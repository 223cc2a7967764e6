import type { UserId } from "@trestle/core";
import { bareJidOf, parseJid } from "../address/index.js";
import { element, ns, type Affiliation, type MucItem } from "../content/index.js";
import { readMucAdmin, writeMucAdmin } from "../protocol/index.js";
import type { Occupant } from "./occupant.js";
import type { RoomParts } from "./parts.js";

/** For how long a list is believed while many enter one after the other, in milliseconds. */
const LIST_MS = 10_000;

/**
 * What Matrix users are in a room themselves. With ejabberd what a domain is in a room all its users are, the bridge among
 * them: without a look at the room's list every Matrix user would be an admin where the domain is.
 */
export class OwnAffiliations {
  #bridge: Affiliation | undefined;
  #list:
    | { readonly affiliation: Affiliation; readonly until: number; readonly jids: Promise<ReadonlySet<string>> }
    | undefined;

  constructor(
    private readonly parts: RoomParts,
    private readonly room: string,
    private readonly watcher: Occupant,
    /** The bare address under which a Matrix user is in the room. */
    private readonly addressOf: (userId: UserId) => string,
  ) {}

  /** The room shows the bridge itself what it is. */
  bridgeShown({ affiliation }: MucItem): void {
    this.#bridge = affiliation;
  }

  /** What somebody is by themselves of what the room shows of them; `isEntry`: they have just come in. */
  async personal(userId: UserId, item: MucItem, isEntry: boolean): Promise<MucItem> {
    const { affiliation } = item;
    if (affiliation === undefined || affiliation === "none") return item;
    const { domain } = this.parts.config;
    const address = this.addressOf(userId);
    // What the component's domain is says nothing about an account of their own.
    if (parseJid(address)?.domain !== domain) return item;
    const isAsBridge = affiliation === this.#bridge;
    const mayAsk = this.#bridge === "owner" || this.#bridge === "admin";
    if (!isAsBridge && !mayAsk) return item;
    const listed = await this.#listed(affiliation, isEntry);
    if (listed.has(address)) return item;
    // The bridge may be more by itself than its domain is.
    if (!isAsBridge && !listed.has(domain)) return item;
    return { ...item, affiliation: "none", ...(item.role === "moderator" && { role: "participant" }) };
  }

  /** Those who are named in the room's list; nobody where it cannot be had. */
  #listed(affiliation: Affiliation, mayBeOld: boolean): Promise<ReadonlySet<string>> {
    const now = Date.now();
    const known = this.#list;
    if (mayBeOld && known && known.affiliation === affiliation && known.until > now) return known.jids;
    const jids = this.#ask(affiliation);
    this.#list = { affiliation, until: now + LIST_MS, jids };
    return jids;
  }

  async #ask(affiliation: Affiliation): Promise<ReadonlySet<string>> {
    const iq = { type: "get", from: this.watcher.jid, to: this.room };
    const answer = await this.parts.stream.request(element("iq", iq, writeMucAdmin([{ affiliation }])));
    const query = answer.kind === "result" ? answer.stanza.getChild("query", ns.mucAdmin) : undefined;
    return new Set(query ? readMucAdmin(query).flatMap(({ jid }) => bareJidOf(jid ?? "") ?? []) : []);
  }
}
