import { RemoteMessageId, textContent, type ChannelId, type NetworkEvent, type RemoteUser } from "@trestle/core";
import { bodyOf, readMessage, type MessageWhat, type Moderation, type Said } from "../content/index.js";
import type { Element } from "../stream/index.js";
import type { Members } from "./members.js";
import type { InwardMentions } from "./mentions.js";
import type { Messages, Origin } from "./messages.js";
import { delayOf, subjectOf } from "./muc.js";
import type { RoomParts } from "./parts.js";
import type { ReactionSets } from "./reaction-sets.js";
import type { Threads } from "./threads.js";
import type { Topic } from "./topic.js";
import { isUnnamed, makeUnnamedId } from "./unnamed-id.js";

export interface InwardOptions {
  readonly parts: RoomParts;
  readonly room: string;
  readonly channel: ChannelId;
  readonly topic: Topic;
  readonly members: Members;
  readonly messages: Messages;
  readonly mentions: InwardMentions;
  readonly reactions: ReactionSets;
  readonly threads: Threads;
  /** Whether somebody of ours has, or had, this nick. */
  readonly isOwnNick: (nick: string) => boolean;
}

/** Something that somebody in the room, who is none of ours, says. */
interface Uttered {
  readonly stanza: Element;
  readonly nick: string;
  readonly sender: RemoteUser;
  /** What the core is to know it by. */
  readonly id: string;
  /** What all events of it have. */
  readonly base: { readonly channel: ChannelId; readonly at?: number; readonly sender: RemoteUser };
}

type Kind<Name extends MessageWhat["kind"]> = Extract<MessageWhat, { kind: Name }>;

const TYPING_MS = 30_000;
const MOST_TYPING = 500;

/** Makes events of what a room shows to the bridge's own occupant. */
export class RoomInward {
  readonly #options: InwardOptions;
  /** Something that must first be looked up, and all behind it: nothing overtakes it. */
  #pending: Promise<void> | undefined;
  readonly #typing = new Set<string>();

  constructor(options: InwardOptions) {
    this.#options = options;
  }

  /** Resolves when what was said is on disk; `undefined` where nothing was said that concerns Matrix. */
  message(stanza: Element, origin: Origin, at = delayOf(stanza)): Promise<void> | undefined {
    const { channel, messages, members } = this.#options;
    const { nick } = origin;
    const subject = subjectOf(stanza);
    if (subject !== undefined) return this.#subject(subject, stanza, nick);
    const { what, chatState } = readMessage(stanza);
    const when = at === undefined ? {} : { at };
    if (nick === undefined) {
      return what.kind === "moderation" ? this.#inOrder(() => this.#moderation(what, origin, when)) : undefined;
    }
    // Without an archive nothing is shown twice, and the sender's own ids may repeat.
    const id = origin.id ?? origin.ownId ?? makeUnnamedId();
    messages.note(stanza, what, id, origin);
    if (origin.ownId !== undefined) {
      this.#own(what, id);
      return undefined;
    }
    const sender = members.senderOf(nick, stanza);
    this.#state(nick, sender, at === undefined ? chatState : undefined);
    const uttered = { stanza, nick, sender, id, base: { channel, ...when, sender } };
    if (what.kind === "text" && this.#pending === undefined) return this.#text(uttered, what);
    if (!this.#concernsMatrix(what)) return undefined;
    return this.#inOrder(() => this.#what(uttered, what));
  }

  /** A room need not say under which id its subject was set. */
  #subject(subject: string, stanza: Element, nick: string | undefined): Promise<void> | undefined {
    const { channel, topic, members, isOwnNick } = this.#options;
    if (nick !== undefined && isOwnNick(nick)) return topic.changed(subject, undefined);
    const by = nick === undefined ? undefined : members.senderOf(nick, stanza);
    return topic.changed(subject, (event) => ({ ...event, channel, ...(by && { by }) }));
  }

  /** What the bridge said itself; Matrix has it already. */
  #own(what: MessageWhat, id: string): void {
    const { room, messages, parts } = this.#options;
    if (what.kind !== "correction" || !parts.ids.isOwn(room, what.target)) return;
    const original = messages.ownGiven(what.target);
    if (original !== undefined) messages.corrected(id, original);
  }

  #concernsMatrix({ kind }: MessageWhat): boolean {
    return ["text", "correction", "reactions", "retraction", "encrypted"].includes(kind);
  }

  /** One after the other; where one fails so do those behind it, and all are taken again. */
  #inOrder(work: () => Promise<void> | undefined): Promise<void> {
    const done = (this.#pending ?? Promise.resolve()).then(work);
    this.#pending = done;
    const settled = () => {
      if (this.#pending === done) this.#pending = undefined;
    };
    done.then(settled, settled);
    return done;
  }

  #what(uttered: Uttered, what: MessageWhat): Promise<void> | undefined {
    switch (what.kind) {
      case "text":
        return this.#text(uttered, what);
      case "correction":
        return this.#correction(uttered, what);
      case "reactions":
        return this.#reactions(uttered, what);
      case "retraction":
        return this.#retraction(uttered, what);
      case "encrypted": {
        const body =
          bodyOf(uttered.stanza) || `(a message encrypted with ${what.method}, which the bridge cannot read)`;
        return this.#receive({ kind: "message", ...uttered.base, id: idOf(uttered.id), content: textContent(body) });
      }
      default:
        return undefined;
    }
  }

  #text({ id, base }: Uttered, { contents, replyTo, thread }: Said): Promise<void> | undefined {
    const { messages, mentions, threads } = this.#options;
    const root = thread && threads.rootOf(thread.id);
    const answered = replyTo && messages.referredTo(replyTo.id);
    const about = {
      ...(answered !== undefined && { replyTo: idOf(answered) }),
      ...(root !== undefined && root !== id && { thread: idOf(root) }),
    };
    const events = contents.map((content, part) =>
      this.#receive({
        kind: "message",
        ...base,
        id: partId(id, part),
        content: mentions.read(content),
        ...(part === 0 ? about : "thread" in about && { thread: about.thread }),
      }),
    );
    const begins = thread !== undefined && root === undefined;
    if (events.length === 1 && !begins) return events[0];
    return Promise.all(events).then(() => (begins ? threads.begin(thread.id, id) : undefined));
  }

  async #correction(uttered: Uttered, what: Kind<"correction">): Promise<void> {
    const { messages, mentions } = this.#options;
    const { id, sender, base } = uttered;
    const before = isUnnamed(id) ? "" : id;
    const original = await messages.givenBy(sender.id, what.target, before);
    if (typeof original === "object") throw new Error(original.reason);
    // What it corrects was never seen: then it is all there is.
    if (original === undefined || original === id) return this.#text(uttered, what);
    messages.corrected(id, original);
    const [content] = what.contents;
    if (content === undefined) return;
    await this.#receive({
      kind: "edit",
      ...base,
      id: idOf(id),
      target: idOf(original),
      content: mentions.read(content),
    });
  }

  /** The set takes the place of the one before (XEP-0444): what differs is what was given and taken back. */
  async #reactions({ id, sender, base }: Uttered, what: Kind<"reactions">): Promise<void> {
    const { messages, reactions } = this.#options;
    const target = messages.referredTo(what.target);
    const { keys = [], seen = [] } = (await reactions.of(target)).get(sender.id) ?? {};
    // After a crash an archive may be read from before what was taken already.
    if (seen.includes(id)) return;
    const event = (mark: string, key: string) => ({
      ...base,
      id: idOf(`${id}${mark}${key}`),
      target: idOf(target),
      key,
    });
    for (const key of keys)
      if (!what.keys.includes(key)) await this.#receive({ kind: "reactionRemoved", ...event("-", key) });
    for (const key of what.keys) if (!keys.includes(key)) await this.#receive({ kind: "reaction", ...event("+", key) });
    await reactions.put(target, sender.id, what.keys, id);
  }

  /** Anybody can send one: it counts from who said what it takes back (XEP-0424 §5). */
  async #retraction({ id, sender, base }: Uttered, what: Kind<"retraction">): Promise<void> {
    const { parts, room, messages } = this.#options;
    const target = messages.referredTo(what.target);
    const found = await messages.find(target);
    if (found && "failed" in found) throw new Error(found.reason);
    if (found?.author !== sender.id) {
      parts.network.log.info({ room, sender: sender.id, target }, "A retraction by somebody else than the author");
      return;
    }
    await this.#redact(id, found.id, found.parts, {
      ...base,
      ...(what.reason !== undefined && { reason: what.reason }),
    });
  }

  /** The room itself says so: it has looked whether they may. */
  async #moderation(what: Moderation, origin: Origin, when: { readonly at?: number }): Promise<void> {
    const { channel, members, messages, isOwnNick } = this.#options;
    const nick = what.by?.slice(what.by.indexOf("/") + 1);
    // Asked for by the bridge itself: it was taken away on Matrix.
    if (nick !== undefined && isOwnNick(nick)) return;
    const target = messages.referredTo(what.target);
    const moderator = nick === undefined ? undefined : members.withNick(nick);
    await this.#redact(origin.id ?? `moderation:${target}`, target, messages.recent(target)?.parts ?? 1, {
      channel,
      ...when,
      ...(moderator !== undefined && { sender: { id: moderator } }),
      ...(what.reason !== undefined && { reason: what.reason }),
    });
  }

  async #redact(
    id: string,
    target: string,
    parts: number,
    base: Omit<Extract<NetworkEvent, { kind: "redaction" }>, "kind" | "id" | "target">,
  ): Promise<void> {
    for (let part = 0; part < parts; part++)
      await this.#receive({ kind: "redaction", ...base, id: partId(id, part), target: partId(target, part) });
  }

  #receive(event: NetworkEvent): Promise<void> {
    return this.#options.parts.network.receive(event);
  }

  /** XEP-0085: only what is true now is told. */
  #state(nick: string, user: RemoteUser, state: string | undefined): void {
    if (state === undefined) return;
    const isTyping = state === "composing";
    if (isTyping ? this.#typing.size >= MOST_TYPING : !this.#typing.delete(nick)) return;
    if (isTyping) this.#typing.add(nick);
    const { parts, channel } = this.#options;
    parts.network.signal({ kind: "typing", channel, user, forMs: isTyping ? TYPING_MS : 0 });
  }
}

function idOf(id: string): RemoteMessageId {
  return RemoteMessageId(id);
}

/** What the core knows a text or file of a message by that has several. */
function partId(id: string, part: number): RemoteMessageId {
  return RemoteMessageId(part === 0 ? id : `${id}/${part}`);
}
