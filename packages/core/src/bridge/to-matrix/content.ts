import { mentionsOf, type Inline, type Mention, type RichText } from "@trestle/rich-text";
import type { Content, MediaContent } from "../../connector/content.js";
import type { EditReceived, MessageReceived } from "../../connector/events.js";
import { EventId, UserId } from "../../connector/ids.js";
import type { Verdict } from "../../delivery/entry.js";
import { unknownSender } from "../../mapping/messages.js";
import type { Room } from "../../mapping/rooms.js";
import { classify } from "../../matrix/failure.js";
import {
  matrixContentOf,
  splitForMatrix,
  type MatrixContentOptions,
  type MatrixEventDraft,
} from "../content/to-matrix.js";
import type { Ghosts } from "../ghosts.js";
import { powerToNotify } from "../room-facts.js";
import type { BridgeRuntime } from "../runtime.js";
import type { MatrixMedia } from "./media.js";
import { verdictOf } from "./send.js";

export type Drafts = { readonly events: readonly MatrixEventDraft[] } | { readonly verdict: Verdict };

/** Makes of a message of the network what is sent to a room: files uploaded, people as ghosts, replies resolved. */
export class ContentForMatrix {
  constructor(
    readonly runtime: BridgeRuntime,
    readonly ghosts: Ghosts,
    readonly media: MatrixMedia,
    /** Who signed in as a person of the network. */
    readonly userOf: (remote: string) => UserId | undefined,
  ) {}

  /** A text for which nothing has to be uploaded or looked up: most messages. */
  plain({ content, replyTo, thread }: MessageReceived): { readonly events: readonly MatrixEventDraft[] } | undefined {
    if (content.type !== "text" || replyTo !== undefined || thread !== undefined) return undefined;
    if (mentionsOf(content.body).some(({ kind }) => kind === "remoteUser" || kind === "everyone")) return undefined;
    return { events: splitForMatrix(content).map((part) => matrixContentOf(part)) };
  }

  /** `speaker` says it; `uploader` brings its files to the homeserver. */
  async message(
    event: MessageReceived,
    room: Room,
    channelKey: number,
    { speaker, uploader }: { readonly speaker: UserId; readonly uploader: UserId },
  ): Promise<Drafts> {
    const uploaded = await this.#upload(event.content, channelKey, event.id, uploader);
    if ("verdict" in uploaded) return uploaded;
    const everyone = await this.#mayMentionEveryone(uploaded.content, room, speaker);
    if (typeof everyone !== "boolean") return { verdict: everyone };
    const options: MatrixContentOptions = {
      everyone,
      ...(await this.#mentions(uploaded.content)),
      ...(event.replyTo !== undefined && (await this.#reply(channelKey, event.replyTo, room))),
      ...(event.thread !== undefined && (await this.#thread(channelKey, event.thread, room))),
    };
    const [first, ...rest] = splitForMatrix(uploaded.content, options);
    if (!first) return { events: [] };
    const { replyTo: _only, ...others } = options;
    return { events: [matrixContentOf(first, options), ...rest.map((content) => matrixContentOf(content, others))] };
  }

  /** Without `edits` (the message is not known here, or is not its sender's) the new text is a message of its own. */
  async edit(
    event: EditReceived,
    _room: Room,
    channelKey: number,
    uploader: UserId,
    edits: EventId | undefined,
  ): Promise<Drafts> {
    const uploaded = await this.#upload(event.content, channelKey, event.id, uploader);
    if ("verdict" in uploaded) return uploaded;
    const options = await this.#mentions(uploaded.content);
    const [first, ...rest] = splitForMatrix(uploaded.content, options);
    if (!first) return { events: [] };
    const edited = matrixContentOf(first, { ...options, ...(edits !== undefined && { edit: edits }) });
    return { events: [edited, ...rest.map((content) => matrixContentOf(content, options))] };
  }

  async #upload(
    content: Content,
    channelKey: number,
    id: string,
    uploader: UserId,
  ): Promise<{ readonly content: Content } | { readonly verdict: Verdict }> {
    if (content.type !== "media" || content.source.from === "matrix") return { content };
    const uploaded = await this.media.upload(content, `${channelKey} ${id}`, uploader);
    if ("verdict" in uploaded) return uploaded;
    if ("refused" in uploaded) {
      this.runtime.log.info(
        { message: id, reason: uploaded.refused },
        "A file of the network could not be taken over; its name is shown instead",
      );
      return { content };
    }
    const { uri, ...info } = uploaded.media;
    const media: MediaContent = { ...content, ...info, source: { from: "matrix", uri } };
    return { content: media };
  }

  /** Only what the network itself says is a mention of everyone, where the operator and the room permit it. */
  async #mayMentionEveryone(content: Content, room: Room, speaker: UserId): Promise<boolean | Verdict> {
    const { runtime } = this;
    const text = textOf(content);
    const mentioned = text !== undefined && mentionsOf(text).some(({ kind }) => kind === "everyone");
    if (!mentioned || runtime.config.roomMentions === "never") return false;
    const power = await powerToNotify(runtime.client, room.id, speaker);
    if (power.ok) return power.body.user >= power.body.needed;
    return classify(power.failure).action === "retry" ? verdictOf(power.failure) : false;
  }

  async #mentions(content: Content): Promise<MatrixContentOptions> {
    const text = textOf(content);
    if (text === undefined) return {};
    const people = new Map<string, UserId>();
    for (const target of mentionsOf(text)) {
      if (target.kind !== "remoteUser") continue;
      const user = this.userOf(target.id) ?? (await this.ghosts.find(target.id))?.user;
      if (user !== undefined) people.set(target.id, user);
    }
    if (people.size === 0) return {};
    const mention = (found: Mention): Inline => {
      const user = found.target.kind === "remoteUser" ? people.get(found.target.id) : undefined;
      if (user !== undefined) return { ...found, target: { kind: "matrixUser", userId: user } };
      const { kind } = found.target;
      return kind === "matrixUser" || kind === "matrixRoom" || kind === "everyone"
        ? found
        : { type: "text", text: found.text };
    };
    return { mention };
  }

  async #reply(channelKey: number, replyTo: string, room: Room): Promise<MatrixContentOptions> {
    const [original] = await this.runtime.messages.ofRemote(channelKey, replyTo, room.key);
    if (!original) return {};
    const sender = original.sender === unknownSender ? undefined : UserId(original.sender);
    return { replyTo: { event: EventId(original.event), ...(sender !== undefined && { sender }) } };
  }

  async #thread(channelKey: number, root: string, room: Room): Promise<MatrixContentOptions> {
    const [original] = await this.runtime.messages.ofRemote(channelKey, root, room.key);
    return original ? { thread: { root: EventId(original.event) } } : {};
  }
}

function textOf(content: Content): RichText | undefined {
  return content.type === "text" ? content.body : content.type === "media" ? content.caption : undefined;
}
