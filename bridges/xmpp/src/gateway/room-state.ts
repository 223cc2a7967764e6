import type { ChannelId, RoomId, RoomMember, RoomView, UserId } from "@trestle/core";
import { localOfUser, parseJid } from "../address/index.js";
import { element, mucUser, writePresence, type XmlElement } from "../content/index.js";
import { avatarUpdate } from "../protocol/index.js";
import type { GatewayParts } from "./parts.js";
import { RoomPicture } from "./picture.js";
import { presenceOf, subjectMessage, type Shown } from "./presences.js";
import { Roster, type Member, type Occupant, type Person } from "./roster.js";
import { standingOf, type Standing } from "./standing.js";
import { ViewKeeper } from "./view-keeper.js";

/** So many invitations are remembered that Matrix may not know yet. */
const mostInvited = 1_000;

/** A room of the gateway: who is in it, what is known of it, and how something is told to those in it. */
export class RoomState {
  readonly roster = new Roster();
  readonly view: ViewKeeper;
  readonly picture: RoomPicture;
  readonly jid: string;
  /** The Matrix rooms that it stands for; nearly always one. */
  readonly rooms = new Set<RoomId>();
  subject = "";
  /** Bare JIDs of those whom somebody has asked to come, which Matrix may not know yet; the latest last. */
  readonly #invited = new Set<string>();

  constructor(
    readonly parts: GatewayParts,
    readonly channel: ChannelId,
    room: RoomId,
  ) {
    this.jid = channel;
    this.rooms.add(room);
    this.picture = new RoomPicture(parts.network, () => this.#showPicture());
    this.view = new ViewKeeper(
      parts.network,
      () => this.rooms.values().next().value ?? room,
      (view) => this.#applied(view),
    );
  }

  powerOf(occupant: Occupant): number {
    return occupant.is === "member" ? occupant.power : this.view.powerOf(occupant.id);
  }

  standingOf(occupant: Occupant): Standing {
    const { affiliation, role } = standingOf(this.powerOf(occupant), this.view.power);
    const isLetIn = occupant.is === "person" && affiliation === "none" && this.isMembersOnly;
    return { affiliation: isLetIn ? "member" : affiliation, role };
  }

  /** Only those come in whom somebody has invited. */
  get isMembersOnly(): boolean {
    return this.view.known !== undefined && this.view.known.joinRule !== "public";
  }

  /** Somebody is asked to come, and may then do so although the room is for the invited alone. */
  invite(bare: string): void {
    this.#invited.delete(bare);
    this.#invited.add(bare);
    const oldest = this.#invited.size > mostInvited ? this.#invited.values().next().value : undefined;
    if (oldest !== undefined) this.#invited.delete(oldest);
    this.view.outdate();
  }

  isInvited(bare: string): boolean {
    return this.#invited.has(bare);
  }

  /** Something about the room is another (XEP-0045 §10.2.1): who wants to know what asks. */
  tellChange(): void {
    const changed = mucUser({ items: [], statuses: [104] });
    void this.broadcast(element("message", { from: this.jid, type: "groupchat" }, changed));
  }

  /** The presence of the room itself, which tells its picture (XEP-0486 §4); `undefined` where it has none. */
  pictureStanza(): XmlElement | undefined {
    const { hash } = this.picture;
    return hash === "" ? undefined : writePresence({ from: this.jid, extra: [avatarUpdate(hash)] });
  }

  #showPicture(): void {
    void this.broadcast(writePresence({ from: this.jid, extra: [avatarUpdate(this.picture.hash)] }));
    this.tellChange();
  }

  /** The presence that tells of somebody. */
  presence(occupant: Occupant, more: Omit<Shown, "occupant" | "power" | "standing"> = {}): XmlElement {
    const standing = this.standingOf(occupant);
    return presenceOf(this.parts, this.jid, { occupant, power: this.powerOf(occupant), standing, ...more });
  }

  /** To every client in the room, but for some. */
  broadcast(stanza: XmlElement, but: ReadonlySet<string> = new Set()): Promise<void> {
    const sessions = this.roster.sessions();
    return this.tell(but.size === 0 ? sessions : sessions.filter((session) => !but.has(session)), stanza);
  }

  tell(to: string | readonly string[], stanza: XmlElement): Promise<void> {
    return this.parts.outbox.send(stanza, typeof to === "string" ? [to] : to);
  }

  /** Tells everybody how somebody is now; a person's own clients also that it is themselves. */
  show(occupant: Occupant, more: Parameters<RoomState["presence"]>[1] = {}): void {
    const own = new Set(occupant.is === "person" ? occupant.sessions.keys() : []);
    void this.broadcast(this.presence(occupant, more), own);
    if (own.size === 0) return;
    void this.tell([...own], this.presence(occupant, { ...more, statuses: [110, ...(more.statuses ?? [])] }));
  }

  /** XEP-0045 §7.6: everybody sees the old nick go and the new one come. */
  renamed(occupant: Occupant, before: string): void {
    this.show(occupant, { gone: { nick: before, newNick: occupant.nick }, statuses: [303] });
    this.show(occupant);
  }

  /** A Matrix user who says something is in the room, also where not all are shown. */
  member(author: { readonly userId: UserId; readonly name: string }): Member {
    const power = this.roster.members.get(author.userId)?.power ?? this.#known(author.userId)?.power;
    return this.admit({ ...author, power: power ?? this.view.power.usual });
  }

  admit(member: Pick<RoomMember, "userId" | "name" | "power">): Member {
    const { member: admitted, change, before } = this.roster.admit(member);
    if (change === "nick") this.renamed(admitted, before);
    else if (change !== "none") this.show(admitted);
    return admitted;
  }

  dismiss(userId: string, more: Pick<Shown, "statuses" | "gone"> = {}): void {
    const member = this.roster.members.get(userId);
    if (!member) return;
    const standing = this.presence(member, {
      gone: { ...more.gone },
      ...(more.statuses && { statuses: more.statuses }),
    });
    this.roster.dismiss(userId);
    void this.broadcast(standing);
  }

  setSubject(subject: string): void {
    if (subject === this.subject) return;
    this.subject = subject;
    void this.broadcast(subjectMessage(this.jid, subject));
  }

  /** The Matrix user or person whom an address in the room, or one of their own, names. */
  named(jid: string): Occupant | undefined {
    const parsed = parseJid(jid);
    if (!parsed) return undefined;
    const bare = parsed.local === undefined ? parsed.domain : `${parsed.local}@${parsed.domain}`;
    if (bare === this.jid) return parsed.resource === undefined ? undefined : this.roster.ofNick(parsed.resource);
    const person: Person | undefined = this.roster.people.get(bare);
    if (person || parsed.domain !== this.parts.config.domain) return person;
    for (const member of this.roster.members.values()) if (localOfUser(member.userId) === parsed.local) return member;
    return undefined;
  }

  #known(userId: UserId): RoomMember | undefined {
    return this.view.known?.members.find((member) => member.userId === userId);
  }

  #applied(view: RoomView): void {
    const { roster, parts } = this;
    const now = new Map(view.members.map((member) => [member.userId, member]));
    for (const { userId } of [...roster.members.values()]) if (!now.has(userId)) this.dismiss(userId);
    // Of very many those are shown who have a say, and those who speak.
    const byPower = [...view.members].sort((one, other) => other.power - one.power || 0);
    const shown = byPower.slice(0, parts.config.gateway.maxMembers);
    for (const member of shown) this.admit(member);
    for (const { userId } of [...roster.members.values()]) {
      const member = now.get(userId);
      if (member) this.admit(member);
    }
    this.setSubject(view.topic ?? "");
    this.picture.follow(view.avatar);
    if (this.#joinRule !== undefined && this.#joinRule !== view.joinRule) this.tellChange();
    this.#joinRule = view.joinRule;
    this.#showStandings();
  }

  #joinRule: string | undefined;
  readonly #shownStandings = new WeakMap<Person, string>();

  /** Who may do something else than before. */
  #showStandings(): void {
    for (const person of this.roster.people.values()) {
      const standing = JSON.stringify(this.standingOf(person));
      const before = this.#shownStandings.get(person);
      this.#shownStandings.set(person, standing);
      if (before !== undefined && before !== standing) this.show(person);
    }
  }
}
