import { randomUUID } from "node:crypto";
import {
  RemoteMessageId,
  type ChannelId,
  type ChannelLink,
  type MembershipEffect,
  type RemoteUser,
  type RemoteUserId,
  type UserId,
} from "@trestle/core";
import { bareJidOf, bareOf, parseJid, userOfLocal } from "../address/index.js";
import {
  ns,
  readMessage,
  writeReceipt,
  type MessageStanza,
  type MessageWhat,
  type Published,
  type RoomInvite,
  type XmlElement,
} from "../content/index.js";
import type { BridgePart, PartHandlers } from "../bridge-part.js";
import { refused } from "../gateway/errors.js";
import type { Gateway } from "../gateway/index.js";
import { errorElement, xml, type Element, type XmppStream } from "../stream/index.js";
import { Acceptance, reasonOf } from "./acceptance.js";
import { Begins } from "./begins.js";
import type { Uploads } from "../uploads.js";
import { addressOf, channelOf, conversationOf, type Conversation } from "./conversation.js";
import { ConversationHabits } from "./habits.js";
import { PeopleInward } from "./inward.js";
import { MatrixPeople } from "./matrix-people.js";
import { MessageNames } from "./message-names.js";
import { PeopleOutward, type OwnAccount } from "./outward.js";
import type { PeopleParts } from "./parts.js";
import { Presences } from "./presences.js";
import { Profiles } from "./profiles.js";
import { Recent } from "./recent.js";

/** Through what a Matrix user and people on XMPP talk: the component, or an account of the user's own. */
export interface Way {
  readonly stream: XmppStream;
  readonly outward: PeopleOutward;
  readonly acceptance: Acceptance;
  /** Where it is an account: its bare JID. */
  readonly account?: string;
}

/** How something was heard in a conversation. */
export interface Heard {
  readonly way: Way;
  /** The Matrix user said it, with another client of theirs. */
  readonly isOwn: boolean;
  /** It went to another client, or comes late: nobody is answered, and what is true for a moment is over. */
  readonly isCopy: boolean;
  /** When it was said, in milliseconds since 1970, as an archive has it. */
  readonly at?: number;
}

/** For how long somebody counts as typing who does not say that they stopped. */
const typingMs = 30_000;

/** What Matrix users and people on XMPP say to each other alone. */
export class People implements BridgePart {
  readonly profiles: Profiles;
  readonly presences: Presences;
  readonly matrixPeople: MatrixPeople;
  readonly #parts: PeopleParts;
  /** The Matrix rooms that are rooms of XMPP. */
  readonly #rooms: Pick<Gateway, "owns" | "invite"> | undefined;
  readonly #names: MessageNames;
  readonly #inward: PeopleInward;
  readonly #component: Way;
  readonly #habits: ConversationHabits;
  readonly #begins: Begins;
  readonly #linked = new Set<ChannelId>();
  /** Conversations whose room is being made. */
  readonly #begun = new Recent<true>(10_000);

  /** `wayOf`: the account through which a Matrix user speaks, where they have signed in with one. */
  constructor(
    parts: PeopleParts,
    caps: () => XmlElement,
    private readonly wayOf: (user: UserId) => Way | undefined = () => undefined,
    rooms?: Pick<Gateway, "owns" | "invite">,
  ) {
    this.#rooms = rooms;
    this.#parts = parts;
    const names = new MessageNames(parts.ids, parts.network.storage);
    this.#names = names;
    this.profiles = new Profiles(parts);
    this.#habits = new ConversationHabits(parts.network.storage);
    this.#begins = new Begins(parts.tuning.beginsOfOne, parts.tuning.beginsOfAll);
    const changed = (user: UserId): void => {
      void this.presences.tell(user).catch((error: unknown) => {
        parts.network.log.error({ err: error, user }, "The new name or picture of a Matrix user could not be told");
      });
    };
    this.matrixPeople = new MatrixPeople(parts.network, ({ user }) => changed(user));
    const { matrixPeople, profiles } = this;
    this.presences = new Presences({
      parts,
      matrixPeople,
      profiles,
      caps,
      changed: (user, person) => this.changed(user, person),
    });
    this.#component = this.way(parts.stream);
    this.#inward = new PeopleInward({
      parts,
      names,
      personOf: (talk, { nick }) => this.profiles.of(talk.person, nick),
      isLinked: (channel) => this.#linked.has(channel),
    });
  }

  /** A way to talk to people, through this stream. */
  way(
    stream: XmppStream,
    through?: { readonly jid: string; readonly account: OwnAccount; readonly uploads: Uploads },
  ): Way {
    const parts = { ...this.#parts, stream, ...(through && { uploads: through.uploads }) };
    const acceptance = new Acceptance(stream, { asked: through && parseJid(through.jid)?.domain });
    const outward = new PeopleOutward({
      ...{ parts, names: this.#names, habits: this.#habits, acceptance },
      ...(through && { account: through.account }),
    });
    return { stream, outward, acceptance, ...(through && { account: through.jid }) };
  }

  get handlers(): PartHandlers {
    const of = (channel: ChannelId): PeopleOutward => this.#wayIn(channel).outward;
    return {
      message: (effect) => of(effect.channel).say(effect),
      findSent: (effect) => of(effect.channel).findSent(effect),
      edit: (effect) => of(effect.channel).edit(effect),
      redact: (effect) => of(effect.channel).redact(effect),
      react: (effect) => of(effect.channel).react(effect),
      unreact: (effect) => of(effect.channel).unreact(effect),
      membership: (effect) => this.membership(effect),
      typing: (signal) => of(signal.channel).typing(signal),
      receipt: (signal) => of(signal.channel).receipt(signal),
      linked: (link) => this.linked(link),
      unlinked: (link) => this.unlinked(link),
    };
  }

  /** Through what a conversation goes now. */
  #wayIn(channel: ChannelId): Way {
    const user = conversationOf(channel)?.user;
    return (user === undefined ? undefined : this.wayOf(user)) ?? this.#component;
  }

  /** Whether a channel is a conversation of two. */
  owns(channel: ChannelId): boolean {
    return conversationOf(channel) !== undefined;
  }

  linked({ channel }: ChannelLink): Promise<void> {
    this.#linked.add(channel);
    this.#begun.delete(channel);
    return Promise.resolve();
  }

  async unlinked({ channel }: ChannelLink): Promise<void> {
    this.#linked.delete(channel);
    await this.#habits.forget(channel);
  }

  get interpret(): PeopleInward["interpret"] {
    return (raw) => this.#inward.interpret(raw);
  }

  /** The stream is up. */
  online(): void {
    this.presences.online();
  }

  /** The stream is down. */
  lost(): void {
    this.#component.acceptance.lost();
    this.presences.lost();
  }

  async close(): Promise<void> {
    await this.presences.close();
  }

  /** Who left a conversation gets a new room with the next message. */
  async membership({ channel, who, change, author }: MembershipEffect): Promise<undefined> {
    const talk = conversationOf(channel);
    const isGone = change === "leave" || change === "kick" || change === "ban";
    const isOver =
      isGone && talk !== undefined && ("remote" in who ? who.remote === talk.person : who.userId === talk.user);
    if (isOver) await this.#parts.network.removeLinks(channel, author.name);
    return undefined;
  }

  /** Somebody is called otherwise, or has another picture: told in a conversation with them. */
  async changed(user: UserId, person: RemoteUser): Promise<void> {
    const channel = channelOf({ user, person: person.id });
    if (channel === undefined || !this.#linked.has(channel)) return;
    const id = RemoteMessageId(`profile ${randomUUID()}`);
    await this.#parts.network.receive({ kind: "profile", id, channel, user: person });
  }

  /** Finds a person by their address, an `xmpp:` URI, or what a ghost stands for. */
  async find(text: string): Promise<RemoteUser | null> {
    const typed =
      text
        .trim()
        .replace(/^xmpp:/i, "")
        .split("?", 1)[0] ?? "";
    const jid = parseJid(typed);
    if (jid?.local === undefined || jid.domain === this.#parts.config.domain) return null;
    return this.profiles.of(bareOf(jid));
  }

  /** The channel through which a Matrix user talks to somebody. */
  channelWith(user: UserId, person: RemoteUserId): ChannelId {
    const jid = parseJid(person);
    const channel = jid?.local === undefined || jid.resource !== undefined ? undefined : channelOf({ user, person });
    if (channel === undefined)
      throw new Error(`${person} cannot be written to: a person has an address like bob@example.org.`);
    return channel;
  }

  /** Something that a person publishes to their contacts: of interest is their picture. */
  async #published(user: UserId, person: RemoteUserId, what: Published): Promise<void> {
    const metadata = what.node === ns.avatarMetadata ? what.items[0]?.payload : undefined;
    if (!metadata) return;
    const news = await this.profiles.published(person, metadata, addressOf(user, this.#parts.config.domain));
    if (news) await this.changed(user, news);
  }

  /** Takes a message or presence from a person to a Matrix user. */
  take(stanza: Element): Promise<void> | undefined | "unknown" {
    if (stanza.name === "presence") return this.presences.take(stanza);
    if (stanza.name !== "message" || stanza.attrs["type"] === "groupchat") return "unknown";
    const message = readMessage(stanza);
    // A room passes on who invites.
    const by = message.what.kind === "invite" ? message.what.by : undefined;
    const talk = this.#talkOf(by ?? stanza.attrs["from"], stanza.attrs["to"]);
    const channel = talk && channelOf(talk);
    if (!talk || channel === undefined) return "unknown";
    if (message.isRoomPrivate && message.what.kind !== "invite") return "unknown";
    return this.hear(talk, stanza, message, { way: this.#component, isOwn: false, isCopy: false });
  }

  /** Takes what is said in a conversation. */
  hear(talk: Conversation, stanza: Element, message: MessageStanza, heard: Heard): Promise<void> | undefined {
    const channel = channelOf(talk);
    if (channel === undefined) return undefined;
    const { what } = message;
    const { way, isOwn, isCopy } = heard;
    switch (what.kind) {
      case "error":
        return this.#bounced(channel, talk, message.ids.id ?? "", what, way);
      case "published":
        return way === this.#component ? this.#published(talk.user, talk.person, what) : undefined;
      case "receipt":
        if (!isOwn) way.acceptance.received(what.target);
        return undefined;
      case "text":
      case "correction":
      case "retraction":
      case "reactions":
      case "encrypted":
        return this.#said(channel, talk, stanza, message, heard);
      case "invite":
        if (what.how === "direct" && this.#rooms?.owns(bareJidOf(what.room) ?? "") === true)
          return this.#invited(stanza, talk, what);
        return this.#said(channel, talk, stanza, message, heard);
      case "marker":
        if (isOwn || isCopy) return undefined;
        if (what.marker === "displayed" && this.#linked.has(channel)) this.#read(channel, talk.person, what.target);
        return undefined;
      default:
        if (!isOwn && !isCopy) this.#typing(channel, talk, message);
        return undefined;
    }
  }

  #said(
    channel: ChannelId,
    talk: Conversation,
    stanza: Element,
    message: MessageStanza,
    heard: Heard,
  ): Promise<void> | undefined {
    const { what } = message;
    const { isOwn, isCopy } = heard;
    const opens =
      what.kind === "text" || what.kind === "correction" || what.kind === "encrypted" || what.kind === "invite";
    if (!this.#inward.fits(stanza)) {
      this.#refuse(heard, stanza, "modify", "not-acceptable", "The message is too long.");
      return undefined;
    }
    if (!this.#linked.has(channel) && !this.#begun.has(channel)) {
      if (!opens) return undefined;
      if (!isOwn && !this.#begins.mayBegin(talk.person)) {
        this.#refuse(heard, stanza, "wait", "resource-constraint", "Too many conversations begin here now.");
        return undefined;
      }
      this.#begun.set(channel, true);
    }
    if (what.kind === "encrypted" && heard.way === this.#component)
      this.#refuse(heard, stanza, "cancel", "not-acceptable", "The bridge to Matrix cannot read encrypted messages.");
    if (!isOwn && !isCopy) this.#typing(channel, talk, message);
    return this.#keep(channel, stanza, message, heard);
  }

  /** A receipt (XEP-0184) says that the message is on disk. */
  async #keep(channel: ChannelId, stanza: Element, message: MessageStanza, heard: Heard): Promise<void> {
    const { way, isOwn, isCopy, at } = heard;
    const through = way.account === undefined ? undefined : { account: way.account, ...(at !== undefined && { at }) };
    await this.#inward.take(channel, stanza, message, through);
    const { ids, from, to } = message;
    if (isOwn) return;
    if (message.what.kind === "text" || message.what.kind === "correction") await this.#habits.learn(channel, message);
    if (isCopy || !message.wantsReceipt || ids.id === undefined || from === undefined) return;
    if (message.what.kind === "encrypted") return;
    const envelope = { to: from, type: "chat" as const, id: randomUUID(), ...(to !== undefined && { from: to }) };
    await way.stream.send(writeReceipt(envelope, ids.id));
  }

  /** Into a Matrix room: it is Matrix that invites. */
  async #invited(stanza: Element, { user }: Conversation, { room, reason }: RoomInvite): Promise<void> {
    const from = stanza.attrs["from"] ?? "";
    const why = await this.#rooms?.invite(room, { from, user, ...(reason !== undefined && { reason }) });
    const answer = why && refused(stanza, why);
    if (answer) await this.#parts.stream.send(answer);
  }

  #read(channel: ChannelId, person: RemoteUserId, target: string): void {
    const upTo = this.#names.find(channel, target);
    this.#parts.network.signal({ kind: "read", channel, user: { id: person }, upTo });
  }

  #typing(channel: ChannelId, { person }: Conversation, { chatState, what }: MessageStanza): void {
    if (chatState === undefined || !this.#linked.has(channel)) return;
    const forMs = chatState === "composing" && what.kind === "chatState" ? typingMs : 0;
    this.#parts.network.signal({ kind: "typing", channel, user: { id: person }, forMs });
  }

  /** What was accepted, and came back later from another server: the room is told. */
  #bounced(
    channel: ChannelId,
    { person }: Conversation,
    id: string,
    { error }: Extract<MessageWhat, { kind: "error" }>,
    { acceptance }: Way,
  ): Promise<void> | undefined {
    const late = acceptance.bounced(id, error);
    if (!late) return undefined;
    const notice = `${person} did not get ${late.excerpt}: ${reasonOf(error)}.`;
    return this.#parts.network.receive({ kind: "channel", id: RemoteMessageId(`bounce ${id}`), channel, notice });
  }

  /** Whoever writes to an account has reached it, though not Matrix: only the operator can be told. */
  #refuse({ way }: Heard, stanza: Element, type: "cancel" | "modify" | "wait", condition: string, text: string): void {
    const { from, to, id } = stanza.attrs;
    if (way.account !== undefined) {
      this.#parts.network.log.warn({ from, account: way.account }, `A message did not come to Matrix: ${text}`);
      return;
    }
    const error = errorElement(type, condition, text);
    void way.stream.send(xml("message", { from: to, to: from, id, type: "error" }, error));
  }

  /** Between whom a stanza is; `undefined` where it is not from a person to a Matrix user. */
  #talkOf(from = "", to = ""): Conversation | undefined {
    const { config, network } = this.#parts;
    const { domain } = config;
    const [sender, receiver] = [parseJid(from), parseJid(to)];
    const user = receiver?.local === undefined ? undefined : userOfLocal(receiver.local);
    const person = bareJidOf(from);
    if (user === undefined || receiver?.domain !== domain || person === undefined || sender?.domain === domain)
      return undefined;
    // The bot has nothing to say.
    if (user === network.bridge.bot) return undefined;
    return conversationOf(`${user} ${person}`);
  }
}
