import { randomUUID } from "node:crypto";
import { RemoteMessageId, RemoteUserId, type RemoteUser } from "@trestle/core";
import { bareJidOf, bareOf, formatJid, type Jid } from "../address/index.js";
import { readPresence, type PresenceWhat, type XmlElement } from "../content/index.js";
import { refusal, refused, type Refusal } from "./errors.js";
import { historyFor } from "./history.js";
import { outPresence, subjectMessage } from "./presences.js";
import type { RoomState } from "./room-state.js";
import { nickOfPerson, type Person } from "./roster.js";

/** Bounces that say that a client is no longer there, as servers send them. */
const gone: ReadonlySet<string> = new Set([
  "gone",
  "internal-server-error",
  "item-not-found",
  "jid-malformed",
  "recipient-unavailable",
  "redirect",
  "remote-server-not-found",
  "remote-server-timeout",
  "service-unavailable",
]);

type Coming = Extract<PresenceWhat, { kind: "roomJoin" | "available" }>;

/** How somebody is no longer in a room. */
export interface Leaving {
  readonly statuses?: readonly number[];
  readonly change?: "leave" | "kick" | "ban";
  readonly affiliation?: "outcast" | "none";
  readonly reason?: string;
  readonly by?: RemoteUser;
  /** The nick of who did it. */
  readonly actor?: string;
  /** Matrix knows already. */
  readonly isKnown?: boolean;
}

/** Who comes into a room, is in it and leaves it (XEP-0045 §7.2, §7.6, §7.14). */
export class Entrance {
  /** Of before a restart: bare JIDs of those who have not come back yet. */
  readonly #missed = new Set<string>();

  constructor(
    private readonly room: RoomState,
    private readonly isBlocked: (jid: Jid) => boolean,
  ) {}

  presence(stanza: XmlElement, from: Jid, nick: string | undefined): Promise<void> | undefined {
    const { roster } = this.room;
    const session = formatJid(from);
    const { what } = readPresence(stanza);
    switch (what.kind) {
      case "unavailable":
      case "occupantLeft":
        return this.leave(session, { statuses: [] });
      case "error":
        return gone.has(what.error.condition) ? this.leave(session, { statuses: [333] }) : undefined;
      case "roomJoin":
      case "available":
        if (nick === undefined)
          return this.#refuse(stanza, refusal("modify", "jid-malformed", "Come with a nick: room@domain/nick."));
        if (!this.room.parts.allowance.take(bareOf(from)))
          return this.#overdone(stanza, roster.ofSession(session), what);
        return roster.ofSession(session)
          ? this.#again(stanza, session, nick, what)
          : this.#come(stanza, from, nick, what);
      default:
        return undefined;
    }
  }

  /** A message that bounced from a client. */
  bounced(session: string, condition: string): Promise<void> | undefined {
    return gone.has(condition) ? this.leave(session, { statuses: [333] }) : undefined;
  }

  /** One client is gone; the person with their last one. Everybody is told, and Matrix. */
  leave(session: string, leaving: Leaving = {}): Promise<void> | undefined {
    const { room } = this;
    const person = room.roster.ofSession(session);
    if (!person) return undefined;
    const isLast = person.sessions.size === 1;
    const stanza = this.#goneStanza(person, leaving);
    void room.tell(session, this.#goneStanza(person, { ...leaving, statuses: [110, ...(leaving.statuses ?? [])] }));
    room.roster.exit(session);
    room.parts.archive.left(room.jid, session);
    if (!isLast) {
      room.show(person);
      return undefined;
    }
    void room.broadcast(stanza);
    return leaving.isKnown === true ? undefined : this.#tellMatrix(person, leaving);
  }

  /** Somebody has to go, with all of their clients. */
  remove(person: Person, leaving: Leaving): Promise<void> {
    const left = [...person.sessions.keys()].flatMap((session) => this.leave(session, leaving) ?? []);
    return Promise.all(left).then(() => undefined);
  }

  /**
   * What was in the room may not know what happened meanwhile: whoever was in it is told that they are out, with 333 after
   * a failure and 332 at the end, and comes in again. Their ghosts stay for some time.
   */
  expel(status: 332 | 333): void {
    const { roster, parts, jid } = this.room;
    for (const { session, nick } of parts.archive.occupants(jid)) {
      const bare = bareJidOf(session) ?? session;
      const person = roster.ofSession(session);
      this.#missed.add(bare);
      void parts.outbox.send(outPresence(jid, person?.nick ?? nick, status === 333 ? [307, 333] : [332]), [session]);
    }
    for (const session of roster.sessions()) roster.exit(session);
  }

  /** Whoever did not come back leaves Matrix too. */
  async forgetMissed(): Promise<void> {
    const { parts, jid, roster } = this.room;
    const missed = [...this.#missed];
    this.#missed.clear();
    for (const { session } of parts.archive.occupants(jid))
      if (!roster.ofSession(session)) parts.archive.left(jid, session);
    for (const bare of missed) {
      if (!roster.people.has(bare)) await this.#tellMatrix({ key: bare }, {});
    }
  }

  #come(stanza: XmlElement, from: Jid, asked: string, what: Coming): Promise<void> | undefined {
    const { view, parts } = this.room;
    if (view.isFresh(parts.tuning.viewMs)) return this.#enter(stanza, from, asked, what);
    return view.read().then(
      () => this.#enter(stanza, from, asked, what),
      (error: unknown) => {
        parts.network.log.warn({ err: error, room: this.room.jid }, "Somebody could not be let into a room");
        const text = "The Matrix room cannot be read now. Try again in a minute.";
        return this.#refuse(stanza, refusal("wait", "internal-server-error", text));
      },
    );
  }

  #enter(stanza: XmlElement, from: Jid, asked: string, what: Coming): Promise<void> | undefined {
    const { room } = this;
    const { roster, parts } = room;
    const bare = bareOf(from);
    const session = formatJid(from);
    const denied = this.#denied(from, bare);
    if (denied) return this.#refuse(stanza, denied);
    const known = roster.people.get(bare);
    const nick = known?.nick ?? nickOfPerson(asked, bare);
    if (roster.isTaken(nick, bare)) return this.#refuse(stanza, taken(nick));
    if (!known && roster.people.size >= parts.config.gateway.maxOccupants)
      return this.#refuse(stanza, refusal("wait", "service-unavailable", "The room is full."));
    if (known && known.sessions.size >= mostSessions)
      return this.#refuse(
        stanza,
        refusal("wait", "resource-constraint", "You are here from too many clients already."),
      );
    const before = new Set(roster.sessions());
    const person = roster.enter(bare, session, nick, what);
    parts.archive.entered(room.jid, session, nick);
    this.#welcome(session, person, what, nick !== asked, before);
    if (known) return undefined;
    this.#missed.delete(bare);
    return parts.network.receive({
      kind: "membership",
      id: RemoteMessageId(`join ${randomUUID()}`),
      channel: room.channel,
      user: { id: person.id, name: nick },
      change: "join",
      intoRoom: true,
    });
  }

  /** XEP-0045 §7.2: the others, oneself, what was said, and the subject. */
  #welcome(session: string, person: Person, what: Coming, isOtherNick: boolean, before: ReadonlySet<string>): void {
    const { room } = this;
    for (const occupant of room.roster.all()) if (occupant !== person) void room.tell(session, room.presence(occupant));
    void room.tell([...before], room.presence(person));
    void room.tell(session, room.presence(person, { statuses: [100, 110, 170, ...(isOtherNick ? [210] : [])] }));
    const picture = room.pictureStanza();
    if (picture) void room.tell(session, picture);
    const history = what.kind === "roomJoin" ? historyFor(room, what.history) : [];
    for (const message of history) void room.tell(session, message);
    void room.tell(session, subjectMessage(room.jid, room.subject));
  }

  /** A client that is in the room: it comes once more, has another nick, or tells something. */
  #again(stanza: XmlElement, session: string, asked: string, what: Coming): Promise<void> | undefined {
    const { room } = this;
    const person = room.roster.ofSession(session);
    if (!person) return undefined;
    const nick = nickOfPerson(asked, person.key);
    if (nick === person.nick) {
      room.roster.tell(session, what);
      // It has forgotten that it is here.
      if (what.kind === "roomJoin") this.#welcome(session, person, what, nick !== asked, new Set());
      else room.show(person);
      return undefined;
    }
    if (room.roster.isTaken(nick, person.key)) return this.#refuse(stanza, taken(nick));
    const before = person.nick;
    room.roster.rename(person, nick);
    for (const each of person.sessions.keys()) room.parts.archive.entered(room.jid, each, nick);
    room.roster.tell(session, what);
    room.renamed(person, before);
    return room.parts.network.receive({
      kind: "profile",
      id: RemoteMessageId(`nick ${randomUUID()}`),
      channel: room.channel,
      user: { id: person.id, name: nick },
    });
  }

  #denied(from: Jid, bare: string): Refusal | undefined {
    const { view, parts, jid } = this.room;
    const membership = view.person(RemoteUserId(bare))?.membership;
    if (this.isBlocked(from) || membership === "ban" || parts.archive.isBanned(jid, bare))
      return refusal("auth", "forbidden", "You may not come into this room.");
    if (view.known?.isEncrypted === true)
      return refusal("cancel", "not-allowed", "The Matrix room is encrypted, and what is said in it cannot be shown.");
    if (!this.room.isMembersOnly || membership === "join" || membership === "invite" || this.room.isInvited(bare))
      return undefined;
    return refusal("auth", "registration-required", "Only who was invited in Matrix may come into this room.");
  }

  #overdone(stanza: XmlElement, person: Person | undefined, what: Coming): Promise<void> | undefined {
    // What somebody tells of themselves need not be seen each time.
    if (person && what.kind === "available") return undefined;
    return this.#refuse(
      stanza,
      refusal("wait", "policy-violation", "You come and go too often. Try again in a minute."),
    );
  }

  #refuse(stanza: XmlElement, why: Refusal): Promise<void> | undefined {
    const answer = refused(stanza, why);
    if (answer) void this.room.tell(stanza.attrs["from"] ?? "", answer);
    return undefined;
  }

  #goneStanza(person: Person, { statuses = [], affiliation, reason, actor }: Leaving): XmlElement {
    return this.room.presence(person, {
      statuses,
      gone: {
        ...(affiliation && { affiliation }),
        item: { ...(reason !== undefined && { reason }), ...(actor !== undefined && { actor: { nick: actor } }) },
      },
    });
  }

  #tellMatrix({ key }: Pick<Person, "key">, { change = "leave", reason, by }: Leaving): Promise<void> {
    return this.room.parts.network.receive({
      kind: "membership",
      id: RemoteMessageId(`${change} ${randomUUID()}`),
      channel: this.room.channel,
      user: { id: RemoteUserId(key) },
      change,
      ...(reason !== undefined && { reason }),
      ...(by && { by }),
    });
  }
}

/** From so many clients one person is in a room. */
const mostSessions = 20;

function taken(nick: string): Refusal {
  return refusal("cancel", "conflict", `Somebody else is called ${nick} here. Choose another nick.`);
}
