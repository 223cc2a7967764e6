import { formatJid, type Jid } from "../address/index.js";
import { element, ns, readIq, type IqStanza, type IqWhat, type XmlElement } from "../content/index.js";
import { writeDiscoInfo, writeDiscoItems, writeRoomInfo, writeVCard } from "../protocol/index.js";
import { archiveEnds, archiveForm, archivePage } from "./archive-answers.js";
import type { Authority } from "./authority.js";
import { refusal, refused, type Refusal } from "./errors.js";
import type { RoomState } from "./room-state.js";
import { upToDate } from "./up-to-date.js";

/** What a query is answered with: an element, nothing but "done", or why not. */
export type Answered = XmlElement | Refusal | "done";

const hidden = refusal("cancel", "item-not-found", "There is no such room.");
const unknown = refusal("cancel", "service-unavailable", "A room does not answer this.");
const elsewhere = refusal("cancel", "not-allowed", "This room is configured in Matrix.");

/** Answers queries to a room and to those in it (RFC 6120 §8.2.3: every one is answered). */
export class Queries {
  constructor(
    private readonly room: RoomState,
    private readonly authority: Authority,
    private readonly isBlocked: (jid: Jid) => boolean,
  ) {}

  async query(stanza: XmlElement, from: Jid, nick: string | undefined): Promise<void> {
    const iq = readIq(stanza);
    if (iq.type !== "get" && iq.type !== "set") return;
    const session = formatJid(from);
    const answered = nick === undefined ? await this.#room(iq, from, session) : this.#occupant(iq, session, nick);
    const { from: asker, to, id } = stanza.attrs;
    if (asker === undefined) return;
    const isRefused = typeof answered === "object" && "condition" in answered;
    const answer = isRefused
      ? refused(stanza, answered)
      : element("iq", { from: to, to: asker, id, type: "result" }, answered === "done" ? undefined : answered);
    if (answer) await this.room.tell(asker, answer);
  }

  /** XEP-0410: a client asks its own nick whether it is still in the room. */
  #occupant({ what }: IqStanza, session: string, nick: string): Answered {
    const { roster } = this.room;
    const asker = roster.ofSession(session);
    if (!asker) return refusal("cancel", "not-acceptable", "You are not in this room.");
    const asked = roster.ofNick(nick);
    if (!asked) return refusal("cancel", "item-not-found", `There is no ${nick} in this room.`);
    if (asked === asker && what.kind === "ping") return "done";
    if (asked.is === "member" && what.kind === "vcard")
      return writeVCard({ fullName: asked.name, nickname: asked.nick, url: `https://matrix.to/#/${asked.userId}` });
    return unknown;
  }

  async #room(iq: IqStanza, from: Jid, session: string): Promise<Answered> {
    const { room } = this;
    if (iq.what.kind === "ping") return "done";
    if (iq.what.kind === "invalid") return refusal("modify", iq.what.condition, iq.what.reason);
    await upToDate(room);
    const isIn = room.roster.ofSession(session) !== undefined;
    const isFor = isIn || (room.view.known !== undefined && !room.isMembersOnly && !this.isBlocked(from));
    if (!isFor) return hidden;
    return this.#open(iq, iq.what, session);
  }

  #open(iq: IqStanza, what: IqWhat, session: string): Promise<Answered> | Answered {
    const { room } = this;
    switch (what.kind) {
      case "discoInfo":
        return what.info.node === undefined ? this.#info() : this.#node(what.info.node);
      case "discoItems":
        return this.#items(what.items.node);
      case "vcard":
        return iq.type === "get" ? this.#vcard() : elsewhere;
      case "archiveForm":
        return archiveForm();
      case "archiveMetadata":
        return archiveEnds(room);
      case "archiveQuery":
        return this.#archive(what, session);
      case "mucAdmin":
        return iq.type === "get"
          ? this.authority.list(what.items, session)
          : this.authority.change(what.items, session);
      case "mucOwner":
        return elsewhere;
      case "moderate":
        return iq.type === "set" ? this.authority.moderate(what.target, what.reason, session) : unknown;
      default:
        return unknown;
    }
  }

  async #archive({ query }: Extract<IqWhat, { kind: "archiveQuery" }>, session: string): Promise<Answered> {
    const page = archivePage(this.room, query);
    if ("condition" in page) return page;
    for (const result of page.results) void this.room.tell(session, result);
    return Promise.resolve(page.end);
  }

  /** XEP-0045 §6.4 with XEP-0128. */
  #info(): XmlElement {
    const { room } = this;
    const view = room.view.known;
    const { usual, speak, setTopic } = room.view.power;
    const name = view?.name ?? view?.alias;
    const info = writeRoomInfo({
      ...(name !== undefined && { name }),
      description: room.subject === "" ? (name ?? "A Matrix room") : room.subject,
      subject: room.subject,
      occupants: room.roster.size,
      canChangeSubject: usual >= setTopic,
      isMembersOnly: room.isMembersOnly,
      isModerated: usual < speak,
      isNonAnonymous: true,
      hasPassword: false,
      isPersistent: true,
      isHidden: room.isMembersOnly,
      ...(room.picture.hash !== "" && { avatarHash: room.picture.hash }),
      hasArchive: true,
      hasStanzaIds: true,
      hasOccupantIds: true,
      hasStableIds: true,
      moderation: ["now", "before"],
    });
    return writeDiscoInfo({ ...info, features: [...info.features, ns.hats] });
  }

  #node(node: string): Answered {
    return node === "x-roomuser-item" || node === "http://jabber.org/protocol/muc#traffic"
      ? writeDiscoInfo({ node, identities: [], features: [], forms: [] })
      : refusal("cancel", "item-not-found", "The room has no such node.");
  }

  #items(node: string | undefined): Answered {
    const { roster, jid } = this.room;
    if (node !== undefined) return refusal("cancel", "item-not-found", "The room has no such node.");
    const items = [...roster.all()].slice(0, 500).map(({ nick }) => ({ jid: `${jid}/${nick}`, name: nick }));
    return writeDiscoItems({ items });
  }

  async #vcard(): Promise<XmlElement> {
    const { view, subject, picture } = this.room;
    const photo = await picture.photo();
    const fullName = view.known?.name ?? view.known?.alias ?? this.room.jid;
    return writeVCard({ fullName, ...(subject !== "" && { description: subject }), ...(photo && { photo }) });
  }
}
