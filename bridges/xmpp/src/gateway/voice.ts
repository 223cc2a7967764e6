import { randomUUID } from "node:crypto";
import { RemoteMessageId } from "@trestle/core";
import {
  bodyOf,
  element,
  parseXml,
  readMessage,
  stanzaId,
  textElement,
  writeDecline,
  writeMediatedInvite,
  type MessageStanza,
  type XmlElement,
} from "../content/index.js";
import type { Entrance } from "./entrance.js";
import { refusal, refused, type Refusal } from "./errors.js";
import { hear, type Heard } from "./hear.js";
import type { RoomState } from "./room-state.js";
import type { Person } from "./roster.js";
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
    if (message.what.kind === "error") return this.entrance.bounced(session, message.what.error.condition);
    if (!person)
      return message.type === "groupchat" || "contents" in message.what ? this.#refuse(stanza, notHere) : undefined;
    if (message.type !== "groupchat") return this.#aside(stanza, person, message);
    if (message.what.kind === "subject") return this.#subject(stanza, person, message.what.subject);
    if (this.room.standingOf(person).role === "visitor")
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
    archive.begin(room.jid, id, person.key, person.nick, xml);
    return this.#carry(id, heard).catch((error: unknown) => {
      network.log.error({ err: error, room: room.jid }, "What was said in a room could not be kept");
      throw error;
    });
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
    // What failed keeps nobody else from speaking; whoever said it is told by the loss of the stream.
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

  /** Invitations and their refusals, which the room passes on (XEP-0045 §7.8.2). */
  #aside(stanza: XmlElement, person: Person, { what }: MessageStanza): Promise<void> | undefined {
    const { room } = this;
    const by = `${room.jid}/${person.nick}`;
    const reason = reasonOf(what);
    if (what.kind === "inviteRequest") {
      if (room.isMembersOnly)
        return this.#refuse(
          stanza,
          refusal("auth", "forbidden", "Only people on Matrix can invite somebody into this room."),
        );
      if (!room.parts.allowance.take(person.key)) return undefined;
      for (const to of what.to.slice(0, 10)) {
        const envelope = { from: room.jid, type: "normal" as const, id: randomUUID() };
        void room.tell(to, writeMediatedInvite(envelope, { by, ...reason }));
      }
    } else if (what.kind === "declineRequest" && what.to !== undefined) {
      const asker = room.named(what.to);
      if (asker?.is !== "person") return undefined;
      const envelope = { from: room.jid, type: "normal" as const, id: randomUUID() };
      void room.tell([...asker.sessions.keys()], writeDecline(envelope, person.key, reason.reason));
    } else if ("contents" in what) {
      return this.#refuse(stanza, refusal("modify", "bad-request", "Messages to a room are of the type groupchat."));
    }
    return undefined;
  }

  #refuse(stanza: XmlElement, why: Refusal): Promise<void> | undefined {
    const answer = refused(stanza, why);
    if (answer) void this.room.tell(stanza.attrs["from"] ?? "", answer);
    return undefined;
  }
}

function reasonOf(what: MessageStanza["what"]): { readonly reason?: string } {
  return "reason" in what && typeof what.reason === "string" ? { reason: what.reason } : {};
}

/** What somebody may do is read anew where it may have changed; what was known counts where that fails. */
export async function upToDate(room: RoomState): Promise<void> {
  if (!room.view.isFresh(room.parts.tuning.viewMs)) await room.view.read().catch(() => undefined);
}
