import { mapMentions, mentionsOf, toPlainText, type MentionTarget, type RichText } from "@trestle/rich-text";
import type { Content } from "../../connector/content.js";
import type { ReplyTarget } from "../../connector/effects.js";
import { fitContent, editFallback } from "../../connector/fallback.js";
import { EventId, UserId, type RemoteMessageId } from "../../connector/ids.js";
import { unknownSender } from "../../mapping/messages.js";
import { classify } from "../../matrix/failure.js";
import type { MatrixFailure, MatrixResult } from "../../matrix/result.js";
import { contentOf, type MatrixMessage } from "../content/from-matrix.js";
import { pollOf, pollPartOf, textInPoll } from "../content/poll.js";
import { RecentMap } from "../../mapping/recent-map.js";
import type { Ghosts } from "../ghosts.js";
import { readEvent } from "../room-eyes.js";
import type { BridgeRuntime } from "../runtime.js";
import { localpartOf } from "./authors.js";
import type { Message } from "./message.js";
import type { EffectSource } from "./source.js";

export type ReadMessage =
  | { readonly is: "nothing" }
  | { readonly is: "failure"; readonly failure: MatrixFailure }
  | { readonly is: "message"; readonly message: Message }
  | { readonly is: "edit"; readonly target: EventId; readonly content: Content; readonly fallback: Message };

const excerptLength = 200;
/** Of so many messages it is remembered what they were last corrected to. */
const editsRemembered = 1_000;

interface LastEdit {
  readonly event: EventId;
  readonly content: Content;
  readonly before: Before;
}

/** What a message said before it was edited, and when it was first said; as far as the homeserver says. */
interface Before {
  readonly content?: Content | undefined;
  readonly at?: number | undefined;
}

/** Makes of a Matrix event what a connector gets: mentions of ghosts as people of the network, files as links, replies resolved. */
export class ContentForNetwork {
  readonly #edits = new RecentMap<LastEdit>(editsRemembered);

  constructor(
    readonly runtime: BridgeRuntime,
    readonly ghosts: Ghosts,
  ) {}

  /** Not a promise where nothing has to be asked: most messages. */
  read(source: EffectSource): ReadMessage | Promise<ReadMessage> {
    const { event } = source;
    const read = contentOf(event.type, event.content);
    switch (read.kind) {
      case "unusable":
        this.runtime.log.debug(
          { event: event.event_id, reason: read.reason },
          "Nothing of an event can be shown on the network",
        );
        return { is: "nothing" };
      case "reaction":
        return { is: "nothing" };
      case "edit":
        return this.#edit(source, read.target, read.content);
      case "message":
        if (read.relation.kind === "none" && read.content.type === "text" && this.#mentionsNobody(read.content.body)) {
          return { is: "message", message: { contents: this.#fit(read.content, undefined) } };
        }
        return this.#message(source, read);
    }
  }

  /** Whether an event's content was taken back; `false` where the homeserver does not say. Fails when it cannot say now. */
  async isRedacted({ room }: EffectSource, event: EventId): Promise<MatrixResult<boolean>> {
    const original = await readEvent(this.runtime, room.id, event);
    if (!original.ok) return classify(original.failure).action === "retry" ? original : { ok: true, body: false };
    return { ok: true, body: !!original.body && Object.keys(original.body.content).length === 0 };
  }

  async #edit(source: EffectSource, target: EventId, newContent: Content): Promise<ReadMessage> {
    const wrote = await this.#wrote(source, target);
    if (!wrote.ok) return { is: "failure", failure: wrote.failure };
    // Homeservers take anybody's edit of anything; clients pass over it where it is not its author's.
    if (!wrote.body) return { is: "nothing" };
    const content = await this.#translate(source, newContent);
    const contents = this.#fit(editFallback(content), undefined);
    const { edit, split } = this.runtime.handlers;
    if (edit || !split) return { is: "edit", target, content, fallback: { contents } };
    const before = await this.#before(source, target);
    if (!before.ok) return { is: "failure", failure: before.failure };
    const event = EventId(source.event.event_id);
    this.#edits.set(target, { event, content, before: before.body });
    const { content: said, at } = before.body;
    const correction = { content, ...(said && { before: said }), ...(at !== undefined && { at }) };
    return { is: "edit", target, content, fallback: { contents, correction } };
  }

  /** Whether a message is by whoever edits it. Where nobody can say of one that was not carried, it harms nobody. */
  async #wrote({ event, room, link }: EffectSource, target: EventId): Promise<MatrixResult<boolean>> {
    const [part] = await this.runtime.messages.ofEvent(target, link.channelKey);
    if (part && part.sender !== unknownSender) return { ok: true, body: part.sender === event.sender };
    const original = await readEvent(this.runtime, room.id, target);
    if (!original.ok && classify(original.failure).action === "retry") return original;
    if (!original.ok || !original.body) return { ok: true, body: part === undefined };
    return { ok: true, body: original.body.sender === event.sender };
  }

  async #before(source: EffectSource, target: EventId): Promise<MatrixResult<Before>> {
    const last = this.#edits.get(target);
    // Another attempt of the same edit.
    if (last?.event === source.event.event_id) return { ok: true, body: last.before };
    if (last) return { ok: true, body: { content: last.content, at: last.before.at } };
    const original = await readEvent(this.runtime, source.room.id, target);
    if (!original.ok) return classify(original.failure).action === "retry" ? original : { ok: true, body: {} };
    const read = original.body && contentOf(original.body.type, original.body.content);
    const content = read?.kind === "message" ? await this.#translate(source, read.content) : undefined;
    return { ok: true, body: { content, at: original.body?.at } };
  }

  /** Nobody of ours, whose mention would have to be translated. */
  #mentionsNobody(text: RichText): boolean {
    return !mentionsOf(text).some((target) => target.kind === "matrixUser" && this.runtime.isOwn(target.userId));
  }

  async #message(source: EffectSource, read: Extract<MatrixMessage, { kind: "message" }>): Promise<ReadMessage> {
    const { relation } = read;
    const inPoll =
      relation.kind === "reference" ? await this.#inPoll(source, relation.target, read.content) : undefined;
    if (inPoll && !inPoll.ok) return { is: "failure", failure: inPoll.failure };
    const content = await this.#translate(source, inPoll?.body ?? read.content);
    const repliesTo =
      relation.kind === "reply"
        ? relation.replyTo
        : relation.kind === "thread" && !relation.isFallingBack
          ? relation.replyTo
          : undefined;
    const reply = repliesTo === undefined ? undefined : await this.target(source, repliesTo);
    const thread = relation.kind === "thread" ? await this.target(source, relation.root) : undefined;
    if (reply && !reply.ok) return { is: "failure", failure: reply.failure };
    if (thread && !thread.ok) return { is: "failure", failure: thread.failure };
    const message: Message = {
      contents: this.#fit(content, reply?.body),
      ...(reply && { replyTo: reply.body }),
      ...(thread && { thread: thread.body }),
    };
    return { is: "message", message };
  }

  /** A vote, or the end of a poll, with what the poll is about; as it is where the poll cannot be read. */
  async #inPoll({ event, room }: EffectSource, target: EventId, content: Content): Promise<MatrixResult<Content>> {
    const part = pollPartOf(event.type);
    if ((part !== "response" && part !== "end") || content.type !== "text") return { ok: true, body: content };
    const original = await readEvent(this.runtime, room.id, target);
    if (!original.ok && classify(original.failure).action === "retry") return original;
    const poll = original.ok && original.body ? pollOf(original.body.type, original.body.content) : undefined;
    return { ok: true, body: poll ? { ...content, body: textInPoll(part, poll, event.content) } : content };
  }

  #fit(content: Content, replyTo: ReplyTarget | undefined): readonly Content[] {
    const { limits = {}, split } = this.runtime.handlers;
    const { textBytes, ...rest } = limits;
    return fitContent(content, { ...rest, ...(textBytes !== undefined && !split && { textBytes }) }, replyTo);
  }

  async #translate({ event, room }: EffectSource, content: Content): Promise<Content> {
    switch (content.type) {
      case "text":
        return { ...content, body: await this.#mentions(content.body) };
      case "media": {
        const caption = content.caption && (await this.#mentions(content.caption));
        const { source } = content;
        const url =
          source.from === "matrix"
            ? this.runtime.mediaLink(source.uri, content.name, room.id, event.event_id)
            : undefined;
        return {
          ...content,
          ...(caption && { caption }),
          ...(source.from === "matrix" && { source: { ...source, ...(url !== undefined && { url }) } }),
        };
      }
      case "location":
        return content;
    }
  }

  /** A mention of a ghost is a mention of the person it stands for. */
  async #mentions(text: RichText): Promise<RichText> {
    const people = new Map<string, Extract<MentionTarget, { kind: "remoteUser" }> & { name: string }>();
    for (const target of mentionsOf(text)) {
      if (target.kind !== "matrixUser" || !this.runtime.isOwn(target.userId)) continue;
      const ghost = await this.ghosts.ofUser(target.userId);
      if (ghost) people.set(target.userId, { kind: "remoteUser", id: ghost.remote, name: ghost.name ?? ghost.remote });
    }
    if (people.size === 0) return text;
    return mapMentions(text, (mention) => {
      const person = mention.target.kind === "matrixUser" ? people.get(mention.target.userId) : undefined;
      return person ? { type: "mention", target: { kind: "remoteUser", id: person.id }, text: person.name } : mention;
    });
  }

  /** What a reply points to, as far as it is known; asked of the homeserver only where the store does not say who wrote it. */
  async target({ room, link }: EffectSource, event: EventId): Promise<MatrixResult<ReplyTarget>> {
    const { runtime } = this;
    const [part] = await runtime.messages.ofEvent(event, link.channelKey);
    const original = await readEvent(runtime, room.id, event);
    if (!original.ok && classify(original.failure).action === "retry") return original;
    const kept = part?.sender === unknownSender ? undefined : part?.sender;
    const sender = kept ?? (original.ok ? original.body?.sender : undefined);
    const ghost = sender === undefined ? undefined : await this.ghosts.ofUser(sender);
    const member = sender === undefined || ghost ? undefined : await runtime.members.find(room.key, sender);
    const name = ghost?.name ?? member?.name ?? (sender === undefined ? undefined : localpartOf(sender));
    const excerpt = original.ok && original.body ? excerptOf(original.body.type, original.body.content) : undefined;
    const id: RemoteMessageId | undefined = part?.remote;
    return {
      ok: true,
      body: {
        event,
        ...(id !== undefined && { id }),
        ...(name !== undefined && { authorName: name }),
        ...(ghost && { remoteAuthor: ghost.remote }),
        ...(sender !== undefined && !ghost && { matrixAuthor: UserId(sender) }),
        ...(original.ok && original.body && { at: original.body.at }),
        ...(excerpt !== undefined && { excerpt }),
      },
    };
  }
}

function excerptOf(type: string, content: unknown): string | undefined {
  const read = contentOf(type, content);
  if (read.kind !== "message") return undefined;
  const text =
    read.content.type === "text"
      ? toPlainText(read.content.body)
      : read.content.type === "media"
        ? read.content.name
        : undefined;
  const [line] = (text ?? "").split("\n");
  return line === undefined || line === "" ? undefined : line.slice(0, excerptLength).toWellFormed();
}
