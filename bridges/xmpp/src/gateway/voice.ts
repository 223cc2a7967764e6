import { randomUUID } from "node:crypto";
import { RemoteMessageId } from "@trestle/core";
import {
  bodyOf,
  element,
  parseXml,
  readMessage,
  stanzaId,
  textElement,
  type MessageStanza,
  type XmlElement,
} from "../content/index.js";
import type { Entrance } from "./entrance.js";
import { refusal, refused, type Refusal } from "./errors.js";
import { hear, type Heard } from "./hear.js";
import type { Invites } from "./invites.js";
import type { RoomState } from "./room-state.js";
import type { Person } from "./roster.js";
import { upToDate } from "./up-to-date.js";
import { addressOf } from "./presences.js";

const notHere = refusal("modify", "not-acceptable", "You are not in this room. Join it first.");
const typingMs = 30_000;

/** What the occupants say (XEP-0045 §7.4): shown when it is on the way to Matrix for sure, in the order in which it came. */
export class Voice {
  /** What is said is shown when all before it was. */
  #tail: Promise<void> = Promise.resolve();
  #ids = 0;

  constructor(
    private readonly room: RoomState,
    private readonly entrance: Entrance,
    private readonly invites: Invites,
  ) {}

  /** What was on its way to Matrix when the bridge ended. */
  async resume(): Promise<void> {
    const { room } = this;
    const { archive } = room.parts;
    const resumed = archive.pending(room.jid).map(({ id, jid: key, nick, xml }) => {
      const stanza = parseXml(xml);
      const heard = stanza && hear(room, { key, nick, id }, stanza);
      if (heard === undefined || "condition" in heard) {
        archive.end(room.jid, id, undefined);
        return Promise.resolve();
      }
      return this.#carry(id, heard);
    });
    await Promise.all(resumed);
  }

  /** Takes a message to the room from a client. */
  message(stanza: XmlElement, session: string): Promise<void> | undefined {
    const message = readMessage(stanza);
    const person = this.room.roster.ofSession(session);
    const { what } = message;
    if (what.kind === "error") return this.entrance.bounced(session, what.error.condition);
    // Who would rather not come is not here.
    if (what.kind === "declineRequest") return this.invites.declined(session, what);
    const isSaid = message.type === "groupchat" || "contents" in what || what.kind === "inviteRequest";
    if (!person) return isSaid ? this.#refuse(stanza, notHere) : undefined;
    if (what.kind === "inviteRequest") return this.invites.requested(stanza, person, what);
    if (message.type !== "groupchat") {
      const notGroupchat = refusal("modify", "bad-request", "Messages to a room are of the type groupchat.");
      return isSaid ? this.#refuse(stanza, notGroupchat) : undefined;
    }
    if (what.kind === "marker") this.#read(person, message);
    if (message.what.kind === "subject") return this.#subject(stanza, person, message.what.subject);
    if (this.room.standingOf(person).role === "visitor" && what.kind !== "marker")
      return this.#refuse(stanza, refusal("auth", "forbidden", "You may not speak in this room."));
    return this.#say(stanza, person, message);
  }

  /** XEP-0045 §7.5 is not carried: neither side could see that it is for one person alone. */
  refusePrivate(stanza: XmlElement, nick: string): Promise<void> | undefined {
    const what = readMessage(stanza).what.kind;
    if (what === "chatState" || what === "receipt" || what === "marker" || what === "ignored" || what === "error")
      return;
    const occupant = this.room.roster.ofNick(nick);
    const text =
      occupant === undefined
        ? `There is no ${nick} in this room.`
        : `Private messages do not go through this room. Write to ${addressOf(this.room.parts, occupant).split("/", 1)[0] ?? nick}.`;
    const condition = occupant === undefined ? "item-not-found" : "forbidden";
    return this.#refuse(stanza, refusal(occupant === undefined ? "cancel" : "auth", condition, text));
  }

  #say(stanza: XmlElement, person: Person, message: MessageStanza): Promise<void> | undefined {
    const { room } = this;
    const { archive, network, tuning } = room.parts;
    this.#typing(person, message);
    const xml = stanza.toString();
    if (Buffer.byteLength(xml) > tuning.maxMessageBytes)
      return this.#refuse(stanza, refusal("modify", "policy-violation", "The message is too long for this room."));
    const again = this.#same(person, stanza, message);
    if (again) {
      // A client that does not know whether it arrived: it does now.
      void room.tell(stanza.attrs["from"] ?? "", again);
      return undefined;
    }
    const id = `${Date.now().toString(36)}-${(this.#ids++).toString(36)}-${randomUUID()}`;
    const heard = hear(room, { key: person.key, nick: person.nick, id }, stanza);
    if (heard === undefined) return undefined;
    if ("condition" in heard) return this.#refuse(stanza, heard);
    if (heard.kept === undefined) {
      void room.broadcast(heard.shown);
      return undefined;
    }
    return this.#keep(id, person, xml, heard).catch((error: unknown) => {
      network.log.error(
        { err: error, room: room.jid },
        "What was said in a room could not be kept; who said it was told",
      );
      archive.end(room.jid, id, undefined);
      return this.#refuse(
        stanza,
        refusal("wait", "internal-server-error", "This could not be kept. Say it once more."),
      );
    });
  }

  async #keep(id: string, { key, nick }: Person, xml: string, heard: Heard): Promise<void> {
    this.room.parts.archive.begin(this.room.jid, id, key, nick, xml);
    await this.#carry(id, heard);
  }

  /** To Matrix, then to everybody in the room. */
  #carry(id: string, { events, shown, kept, remember }: Heard): Promise<void> {
    const { room } = this;
    const { network, archive } = room.parts;
    const before = this.#tail;
    const received = Promise.all(events.map((event) => network.receive(event)));
    const carried = (async () => {
      await Promise.all([before, received]);
      archive.together(() => {
        archive.end(room.jid, id, kept);
        remember?.();
      });
      void room.broadcast(shown);
    })();
    // What failed keeps nobody else from speaking.
    this.#tail = carried.catch(() => undefined);
    return carried;
  }

  /** The same message of a moment ago, as the room showed it. */
  #same(person: Person, stanza: XmlElement, { ids }: MessageStanza): XmlElement | undefined {
    const { archive, tuning } = this.room.parts;
    const found = ids.id === undefined ? undefined : archive.findOwn(this.room.jid, person.key, ids.id);
    if (!found || found.kind !== "text" || Date.now() - found.at > tuning.sameMs) return undefined;
    const shown = parseXml(found.xml);
    return shown && bodyOf(shown) === bodyOf(stanza) ? shown : undefined;
  }

  #typing(person: Person, { chatState, what }: MessageStanza): void {
    if (what.kind !== "chatState") return;
    const { network } = this.room.parts;
    network.signal({
      kind: "typing",
      channel: this.room.channel,
      user: { id: person.id, name: person.nick },
      forMs: chatState === "composing" ? typingMs : 0,
    });
  }

  /** XEP-0045 §8.1. */
  async #subject(stanza: XmlElement, person: Person, subject: string): Promise<void> {
    const { room } = this;
    await upToDate(room);
    if (room.powerOf(person) < room.view.power.setTopic)
      return this.#refuse(
        stanza,
        refusal("auth", "forbidden", "Only moderators of the Matrix room may change its topic."),
      );
    const id = randomUUID();
    await room.parts.network.receive({
      kind: "channel",
      id: RemoteMessageId(`topic ${id}`),
      channel: room.channel,
      by: { id: person.id, name: person.nick },
      topic: subject,
    });
    room.subject = subject;
    const from = `${room.jid}/${person.nick}`;
    const shown = { from, type: "groupchat", id: stanza.attrs["id"] ?? id };
    void room.broadcast(element("message", shown, textElement("subject", subject), stanzaId(room.jid, id)));
  }

  /** Up to where somebody has read (XEP-0333): so has their ghost. */
  #read(person: Person, { what }: MessageStanza): void {
    if (what.kind !== "marker" || what.marker !== "displayed") return;
    const { parts, jid, channel } = this.room;
    const found = parts.archive.find(jid, what.target);
    if (!found) return;
    const user = { id: person.id, name: person.nick };
    parts.network.signal({ kind: "read", channel, user, upTo: RemoteMessageId(found.about ?? found.id) });
  }

  #refuse(stanza: XmlElement, why: Refusal): Promise<void> | undefined {
    const answer = refused(stanza, why);
    if (answer) void this.room.tell(stanza.attrs["from"] ?? "", answer);
    return undefined;
  }
}
