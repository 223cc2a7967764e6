import { randomUUID } from "node:crypto";
import {
  ChannelId,
  refused,
  RemoteMessageId,
  retry,
  type ChannelLink,
  type EffectBase,
  type Failure,
  type MembershipEffect,
  type Outcome,
  type RemoteUserId,
  type UserId,
} from "@trestle/core";
import { bareJidOf, bareOf, parseJid, userOfLocal } from "../address/index.js";
import type { BridgePart, PartHandlers } from "../bridge-part.js";
import {
  element,
  ns,
  readMessage,
  writeReceipt,
  type MessageStanza,
  type StanzaError,
  type XmlElement,
} from "../content/index.js";
import { Acceptance, reasonOf } from "../people/acceptance.js";
import { Begins } from "../people/begins.js";
import { ConversationHabits } from "../people/habits.js";
import { PeopleInward } from "../people/inward.js";
import { MessageNames } from "../people/message-names.js";
import { PeopleOutward, type Talk } from "../people/outward.js";
import type { PeopleParts } from "../people/parts.js";
import { Recent } from "../people/recent.js";
import { errorElement, xml, type Element } from "../stream/index.js";
import { privateChannelOf, privateTalkOf, roomOfOccupant, type PrivateTalk } from "./private-talk.js";
import type { Room } from "./room.js";

/** For how long somebody counts as typing who does not say that they stopped. */
const typingMs = 30_000;

const SAID = new Set(["text", "correction", "retraction", "reactions", "encrypted"]);

/**
 * What people in a room and Matrix users in it say to each other alone, through the room (XEP-0045 §7.5). The room knows
 * them by their nicks of the moment; here they are who they are in the room.
 */
export class PrivateMessages implements BridgePart {
  readonly #parts: PeopleParts;
  readonly #roomOf: (room: ChannelId) => Room | undefined;
  readonly #names: MessageNames;
  readonly #inward: PeopleInward;
  readonly #outward: PeopleOutward;
  readonly #acceptance: Acceptance;
  readonly #habits: ConversationHabits;
  readonly #begins: Begins;
  readonly #linked = new Set<ChannelId>();
  /** Conversations whose room is being made. */
  readonly #begun = new Recent<true>(10_000);
  /** In which conversation something was sent: it may come back. */
  readonly #sentIn = new Recent<ChannelId>(2_000);

  constructor(parts: PeopleParts, roomOf: (room: ChannelId) => Room | undefined) {
    this.#parts = parts;
    this.#roomOf = roomOf;
    const names = new MessageNames(parts.ids, parts.network.storage);
    this.#names = names;
    this.#habits = new ConversationHabits(parts.network.storage);
    this.#acceptance = new Acceptance(parts.stream, { why: whyBounced });
    this.#begins = new Begins(parts.tuning.beginsOfOne, parts.tuning.beginsOfAll);
    this.#outward = new PeopleOutward({
      ...{ parts, names, habits: this.#habits, acceptance: this.#acceptance },
      route: { talkOf: (channel) => this.#route(channel), ready: (talk) => this.#ready(talk) },
    });
    this.#inward = new PeopleInward({
      ...{ parts, names },
      talkOf: privateTalkOf,
      personOf: ({ person }, { from = "" }) =>
        Promise.resolve({ id: person, name: parseJid(from)?.resource ?? person }),
      isLinked: (channel) => this.#linked.has(channel),
    });
  }

  get handlers(): PartHandlers {
    const outward = this.#outward;
    const sent =
      <Effect extends EffectBase>(act: (effect: Effect) => Promise<Outcome>) =>
      (effect: Effect): Promise<Outcome> => {
        this.#sentIn.set(this.#parts.ids.of(effect.channel, effect.effect), effect.channel);
        return act(effect);
      };
    return {
      message: sent((effect) => outward.say(effect)),
      // What cannot be known now is asked again.
      findSent: (effect) => new Promise((resolve) => resolve(outward.findSent(effect))),
      edit: sent((effect) => outward.edit(effect)),
      redact: sent((effect) => outward.redact(effect)),
      react: sent((effect) => outward.react(effect)),
      unreact: sent((effect) => outward.unreact(effect)),
      membership: (effect) => this.#membership(effect),
      typing: (signal) => outward.typing(signal),
      receipt: (signal) => outward.receipt(signal),
      linked: (link) => this.#link(link),
      unlinked: (link) => this.#unlink(link),
    };
  }

  get interpret(): PeopleInward["interpret"] {
    return (raw) => this.#inward.interpret(raw);
  }

  owns(channel: ChannelId): boolean {
    return privateTalkOf(channel) !== undefined;
  }

  /** The channel through which a Matrix user talks to somebody who is known by a room alone; `undefined` for others. */
  channelWith(user: UserId, person: RemoteUserId): ChannelId | undefined {
    const room = roomOfOccupant(person);
    if (room === undefined) return undefined;
    if (!this.#roomOf(room)) throw new Error(`${person} is known in ${room} alone, which is not linked.`);
    return privateChannelOf({ user, room, person });
  }

  online(): void {
    // Everything goes through the rooms, which enter by themselves.
  }

  lost(): void {
    this.#acceptance.lost();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Takes what somebody in a linked room says to one of ours alone. */
  take(stanza: Element): Promise<void> | undefined | "unknown" {
    const { type, from = "", to = "" } = stanza.attrs;
    if (stanza.name !== "message" || type === "groupchat") return "unknown";
    const [sender, receiver] = [parseJid(from), parseJid(to)];
    const user = receiver?.local === undefined ? undefined : userOfLocal(receiver.local);
    if (sender?.resource === undefined || user === undefined || receiver?.domain !== this.#parts.config.domain)
      return "unknown";
    const room = this.#roomOf(ChannelId(bareOf(sender)));
    if (!room) return "unknown";
    const message = readMessage(stanza);
    // Who invites is told to whoever is invited, not to a room.
    if (message.what.kind === "invite") return "unknown";
    if (message.what.kind === "error") return this.#bounced(message.ids.id ?? "", message.what.error);
    const person = room.personWithNick(sender.resource);
    // One of ours, or whoever the room has not shown yet.
    if (person === undefined) {
      if (SAID.has(message.what.kind))
        this.#refuse(stanza, "wait", "unexpected-request", "The bridge to Matrix does not know you. Write again.");
      return undefined;
    }
    const talk = { user, room: room.channel, person };
    const channel = privateChannelOf(talk);
    return channel === undefined ? undefined : this.#taken(channel, talk, stanza, message);
  }

  #taken(
    channel: ChannelId,
    { person }: PrivateTalk,
    stanza: Element,
    message: MessageStanza,
  ): Promise<void> | undefined {
    const { what } = message;
    const isLinked = this.#linked.has(channel);
    if (what.kind === "receipt") this.#acceptance.received(what.target);
    if (what.kind === "marker" && what.marker === "displayed" && isLinked) {
      const upTo = this.#names.find(channel, what.target);
      this.#parts.network.signal({ kind: "read", channel, user: { id: person }, upTo });
    }
    if (message.chatState !== undefined && isLinked) {
      const forMs = message.chatState === "composing" && what.kind === "chatState" ? typingMs : 0;
      this.#parts.network.signal({ kind: "typing", channel, user: { id: person }, forMs });
    }
    if (!SAID.has(what.kind)) return undefined;
    if (!this.#inward.fits(stanza)) {
      this.#refuse(stanza, "modify", "not-acceptable", "The message is too long.");
      return undefined;
    }
    if (!isLinked && !this.#begun.has(channel)) {
      if (what.kind === "retraction" || what.kind === "reactions") return undefined;
      if (!this.#begins.mayBegin(person)) {
        this.#refuse(stanza, "wait", "resource-constraint", "Too many conversations begin here now.");
        return undefined;
      }
      this.#begun.set(channel, true);
    }
    return this.#keep(channel, stanza, message);
  }

  /** A receipt (XEP-0184) says that the message is on disk. */
  async #keep(channel: ChannelId, stanza: Element, message: MessageStanza): Promise<void> {
    await this.#inward.take(channel, stanza, message);
    const { ids, from, to } = message;
    if (message.what.kind === "text" || message.what.kind === "correction") await this.#habits.learn(channel, message);
    if (!message.wantsReceipt || ids.id === undefined || from === undefined || message.what.kind === "encrypted")
      return;
    const envelope = { to: from, type: "chat" as const, id: randomUUID(), extra: inRoom() };
    await this.#parts.stream.send(writeReceipt({ ...envelope, ...(to !== undefined && { from: to }) }, ids.id));
  }

  #link({ channel }: ChannelLink): Promise<void> {
    this.#linked.add(channel);
    this.#begun.delete(channel);
    return Promise.resolve();
  }

  async #unlink({ channel }: ChannelLink): Promise<void> {
    this.#linked.delete(channel);
    await this.#habits.forget(channel);
  }

  /** Who left a conversation gets a new room with the next message. */
  async #membership({ channel, who, change, author }: MembershipEffect): Promise<undefined> {
    const talk = privateTalkOf(channel);
    const isGone = change === "leave" || change === "kick" || change === "ban";
    const isOver = isGone && ("remote" in who ? who.remote === talk?.person : who.userId === talk?.user);
    if (isOver) await this.#parts.network.removeLinks(channel, author.name);
    return undefined;
  }

  /** Where somebody is reached now: they may have another nick than before. */
  #route(channel: ChannelId): Talk | Failure | undefined {
    const talk = privateTalkOf(channel);
    if (!talk) return undefined;
    const room = this.#roomOf(talk.room);
    if (!room) return refused(`${talk.room} is not linked any more: through it alone this person can be reached`);
    const out = room.whyOut;
    if (out !== undefined) return retry(out);
    const nick = room.nickOf(talk.person);
    if (nick === undefined)
      return refused(
        `The person is not in ${talk.room} now: only there they can be reached. Write again when they are back.`,
      );
    return { ...talk, to: `${talk.room}/${nick}`, extra: inRoom() };
  }

  /** Who is not in a room cannot write to people in it. */
  async #ready({ user, to }: Talk): Promise<Failure | undefined> {
    const room = this.#roomOf(ChannelId(bareJidOf(to) ?? ""));
    return room ? room.ensureIn(user) : refused(`${to} cannot be reached`);
  }

  /** What the room did not pass on. */
  #bounced(id: string, error: StanzaError): Promise<void> | undefined | "unknown" {
    const channel = this.#sentIn.get(id.replace(/\.\d{1,4}$/, ""));
    if (channel === undefined) return "unknown";
    const talk = privateTalkOf(channel);
    if (error.condition === "not-acceptable" && talk) this.#roomOf(talk.room)?.forgetOccupant(talk.user);
    const late = this.#acceptance.bounced(id, error);
    if (!late) return undefined;
    const notice = `${late.to} did not get ${late.excerpt}: ${whyBounced(error)}.`;
    return this.#parts.network.receive({ kind: "channel", id: RemoteMessageId(`bounce ${id}`), channel, notice });
  }

  #refuse(stanza: Element, type: "modify" | "wait", condition: string, text: string): void {
    const { from, to, id } = stanza.attrs;
    const error = errorElement(type, condition, text);
    void this.#parts.stream.send(xml("message", { from: to, to: from, id, type: "error" }, error));
  }
}

/** XEP-0045 §7.5: a message to somebody in a room says that it is one. */
function inRoom(): XmlElement[] {
  return [element("x", { xmlns: ns.mucUser })];
}

const reasons: Readonly<Record<string, string>> = {
  "item-not-found": "they are not in the room any more",
  "recipient-unavailable": "they are not in the room any more",
  forbidden: "the room lets nobody, or not everybody, write to people in it alone",
  "not-allowed": "the room lets nobody, or not everybody, write to people in it alone",
  "not-acceptable": "you were not in the room; write again",
};

/** For people, why a room did not pass a message on. */
function whyBounced(error: StanzaError): string {
  const reason = Object.hasOwn(reasons, error.condition) ? reasons[error.condition] : undefined;
  if (reason === undefined) return reasonOf(error);
  return error.text === undefined ? reason : `${reason} (${error.text.slice(0, 300)})`;
}
