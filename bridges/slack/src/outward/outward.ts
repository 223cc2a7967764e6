import {
  refused,
  retry,
  type Author,
  type ChannelId,
  type Content,
  type ContentUri,
  type EditEffect,
  type Failure,
  type MessageEffect,
  type Network,
  type Outcome,
  type PinEffect,
  type ReactEffect,
  type RedactEffect,
  type Sent,
  type TopicEffect,
} from "@trestle/core";
import type { RichText } from "@trestle/rich-text";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { Channels } from "../channels/channels.js";
import type { RememberedChannels } from "../channels/remembered.js";
import type { SlackConfig } from "../config.js";
import { escapeMrkdwn, slackUsername } from "../content/index.js";
import { namesEmoji, type WorkspaceEmoji } from "../emoji/index.js";
import type { Files } from "../files/files.js";
import { placeOf } from "../ids.js";
import { tsOfPart } from "../inward/messages.js";
import type { Post, SlackLink, Workspace } from "../link/index.js";
import type { Accounts } from "../people/accounts/index.js";
import type { DirectChannels } from "../people/direct-channels.js";
import { ChangeMessages } from "./change.js";
import { isFromOutside } from "./entering.js";
import { setPin } from "./pins.js";
import { OutwardReactions } from "./reactions.js";
import type { Speaker } from "./speaker.js";
import type { OwnChanges } from "./own-changes.js";
import { readWirePart, type Wire, type WireFile, type WireText } from "./wire.js";
import { textsOf, wiresOf, type WriteParts } from "./write.js";

export interface OutwardParts {
  readonly link: SlackLink;
  readonly network: Network;
  readonly config: SlackConfig;
  readonly files: Files;
  readonly write: WriteParts;
  readonly own: OwnChanges;
  readonly accounts: Accounts;
  readonly directs: DirectChannels;
  readonly channels: Channels;
  readonly emoji: WorkspaceEmoji;
  readonly remembered: RememberedChannels;
}

const doneSchema = z.looseObject({});
const threadSchema = z.looseObject({
  messages: z.array(z.looseObject({ ts: z.string(), thread_ts: z.string().optional() })).default([]),
});

/** What people on Matrix do, done in Slack. */
export class Outward {
  readonly #reactions: OutwardReactions;
  readonly #changes: ChangeMessages;
  readonly #roots = new LRUCache<string, string>({ max: 5_000 });

  constructor(readonly parts: OutwardParts) {
    this.#reactions = new OutwardReactions(parts.network.storage, parts.own, parts.emoji);
    this.#changes = new ChangeMessages({
      accounts: parts.accounts,
      installations: parts.link.installations,
      own: parts.own,
    });
  }

  async split({ channel, content }: Pick<MessageEffect, "channel" | "content">): Promise<readonly Wire[]> {
    // Also of what has no workspace parts are made, which are refused: of none nobody would hear.
    const team = placeOf(channel)?.team ?? "";
    const workspace = this.parts.link.installations.get(team);
    if (workspace) await this.#knowEmoji(workspace, textOf(content));
    return wiresOf(this.parts.write, team, content);
  }

  /** A custom emoji is one in Slack too where the workspace has one of that name. */
  async #knowEmoji(workspace: Workspace, text: RichText | undefined): Promise<void> {
    if (text && namesEmoji(text)) await this.parts.emoji.load(workspace);
  }

  message(effect: MessageEffect): Promise<Outcome> {
    return this.#inside(effect, (speaker) => this.#say(speaker, effect));
  }

  async #say(speaker: Speaker, effect: MessageEffect): Promise<Outcome> {
    const { channel } = speaker;
    const thread = await this.#threadOf(speaker, effect);
    const shown = await this.#shown(speaker, readWirePart(effect.wire), effect.signal);
    if ("failed" in shown) return shown;
    const post: Post = {
      workspace: speaker.workspace,
      channel,
      effect: effect.effect,
      signal: effect.signal,
      arguments: { ...shown, ...(speaker.shared && this.#relayed(effect.author)) },
      ...(thread !== undefined && { thread }),
    };
    return this.parts.link.poster.post(post);
  }

  async findSent(effect: MessageEffect): Promise<Sent | null> {
    const { channel, author } = effect;
    try {
      return await this.#findSent(effect, author);
    } catch (error) {
      // Whoever is not in the channel may not read it; the app may, which has spoken for them.
      if (author.login === undefined || this.parts.directs.has(channel)) throw error;
      return this.#findSent(effect, withoutAccount(author));
    }
  }

  async #findSent(effect: MessageEffect, author: Author): Promise<Sent | null> {
    const speaker = await this.#speaker(effect.channel, author);
    if ("failed" in speaker) throw new Error(speaker.reason);
    const thread = await this.#threadOf(speaker, effect);
    return this.parts.link.poster.findSent({
      workspace: speaker.workspace,
      channel: speaker.channel,
      effect: effect.effect,
      since: effect.at,
      signal: effect.signal,
      ...(thread !== undefined && { thread }),
    });
  }

  /** Each part takes the place of the one it was; parts that are no longer needed are deleted. */
  async edit({ channel, author, content, target, signal }: EditEffect): Promise<Outcome> {
    const speaker = await this.#speaker(channel, author);
    if ("failed" in speaker) return speaker;
    const body = textOf(content);
    if (!body) return refused("Only the text of a message can be changed in Slack.");
    await this.#knowEmoji(speaker.workspace, body);
    const texts = textsOf(
      this.parts.write,
      speaker.workspace.id,
      body,
      content.type === "text" ? content.style : "text",
    );
    for (const [index, part] of target.entries()) {
      const ts = tsOfPart(part);
      const text = index === target.length - 1 ? joined(texts.slice(index)) : texts[index];
      const outcome = text
        ? await this.#changes.update(speaker, ts, text, signal)
        : await this.#changes.delete(speaker, ts, signal);
      if (outcome && "failed" in outcome) return outcome;
    }
    return {};
  }

  async redact({ channel, author, target, signal }: RedactEffect): Promise<Outcome> {
    const speaker = await this.#speaker(channel, author);
    if ("failed" in speaker) return speaker;
    for (const part of new Set(target.map(tsOfPart))) {
      const outcome = await this.#changes.delete(speaker, part, signal);
      if (outcome && "failed" in outcome) return outcome;
    }
    return {};
  }

  react(effect: ReactEffect): Promise<Outcome> {
    return this.#inside(effect, (speaker) => this.#reactions.react(speaker, speaker.channel, effect));
  }

  unreact(effect: ReactEffect): Promise<Outcome> {
    return this.#inside(effect, (speaker) => this.#reactions.unreact(speaker, speaker.channel, effect));
  }

  /** The app does it for everybody: those who signed in need not have let it. Only in direct messages it is not. */
  async pin(effect: PinEffect, method: "pins.add" | "pins.remove"): Promise<Outcome> {
    const { author, channel } = effect;
    const speaker = await this.#speaker(channel, this.parts.directs.has(channel) ? author : withoutAccount(author));
    return "failed" in speaker ? speaker : setPin(speaker, effect, method);
  }

  topic(effect: TopicEffect): Promise<Outcome> {
    return this.#inside(effect, (speaker) => this.#setTopic(speaker, effect));
  }

  async #setTopic(speaker: Speaker, { channel, topic: wanted, signal }: TopicEffect): Promise<Outcome> {
    const topic = wanted.slice(0, longestTopic);
    const result = await speaker.workspace.call({
      method: "conversations.setTopic",
      arguments: { channel: speaker.channel, topic: escapeMrkdwn(topic) },
      answer: doneSchema,
      signal,
    });
    if (!result.ok) return result;
    await this.parts.remembered.update(channel, { topic });
    return {};
  }

  /**
   * Does something as whoever speaks for its author. Who signed in and is not in the channel comes into it; the app speaks for
   * whom Slack does not let in.
   */
  async #inside(
    { channel, author }: Pick<MessageEffect, "channel" | "author">,
    act: (speaker: Speaker) => Promise<Outcome>,
  ): Promise<Outcome> {
    const speaker = await this.#speaker(channel, author);
    if ("failed" in speaker) return speaker;
    const outcome = await act(speaker);
    if (speaker.shared || this.parts.directs.has(channel) || !isFromOutside(outcome)) return outcome;
    const joined = await this.parts.channels.enter(speaker.workspace, speaker.channel);
    if (!joined.ok && joined.failed !== "permanent") return joined;
    const again = joined.ok ? await act(speaker) : outcome;
    if (!isFromOutside(again)) return again;
    const relay = await this.#speaker(channel, withoutAccount(author));
    return "failed" in relay ? relay : act(relay);
  }

  async #speaker(id: ChannelId, author: Author): Promise<Speaker | Failure> {
    const speaker = this.#speakerOf(id, author);
    if ("failed" in speaker) return speaker;
    const permitted = await this.parts.channels.permits(id, speaker.workspace);
    if (!permitted.ok) return permitted;
    return permitted.body ? speaker : refused("The operator does not let this channel be bridged (any more).");
  }

  #speakerOf(id: ChannelId, author: Author): Speaker | Failure {
    const place = placeOf(id);
    if (!place) return refused(`${id} is not a channel of Slack's.`);
    const puppet = this.parts.accounts.puppet(author, place.team);
    if (puppet) return { ...puppet, channel: place.channel, shared: false };
    const workspace = this.parts.link.installations.get(place.team);
    if (!workspace) return retry(`the app is not in the workspace ${place.team} (any more)`, { afterMs: 10_000 });
    if (this.parts.directs.has(id))
      return refused(
        "Only those who are signed in to Slack can write in a direct message: sign in with the bridge bot.",
      );
    return { workspace, user: workspace.installation.botUser, channel: place.channel, shared: true };
  }

  /** Under whose name the relay posts. */
  #relayed({ name, userId, avatar }: Author): Readonly<Record<string, unknown>> {
    const icon = avatar && this.parts.network.avatarLink(avatar);
    return { username: slackUsername(name, userId), ...(icon !== undefined && { icon_url: icon }) };
  }

  async #shown(
    speaker: Speaker,
    wire: Wire,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>> | Extract<Outcome, { failed: string }>> {
    return wire.kind === "text" ? { text: wire.text, blocks: wire.blocks } : this.#file(speaker, wire, signal);
  }

  /** The file is brought to Slack first, and shown by the message: so it has its sender's name, and is posted once. */
  async #file(
    { workspace }: Speaker,
    { uri, name, mimeType, caption }: WireFile,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>> | Extract<Outcome, { failed: string }>> {
    let opened: Awaited<ReturnType<Network["openMedia"]>>;
    try {
      opened = await this.parts.network.openMedia(uri as ContentUri);
    } catch (error) {
      return retry(error instanceof Error ? error.message : String(error));
    }
    const uploaded = await this.parts.files.upload(
      workspace,
      { name, stream: opened.stream, size: opened.size },
      signal,
    );
    if (!uploaded.ok) return uploaded;
    const { id, permalink } = uploaded.body;
    const said = caption?.blocks ?? [];
    const label = escapeMrkdwn(name);
    if (shownAsImage.test(mimeType ?? opened.mimeType)) {
      const image = { type: "image", slack_file: { id }, alt_text: name.slice(0, longestAlt) };
      return { text: caption ? `${caption.text}\n${label}` : label, blocks: [...said, image] };
    }
    const link = permalink === undefined ? label : `<${permalink}|${label.replaceAll("|", "¦")}>`;
    const section = { type: "section", text: { type: "mrkdwn", text: link } };
    return { text: caption ? `${caption.text}\n${link}` : link, blocks: [...said, section] };
  }

  /** The first message of the thread that a message belongs to: its own, or that of the message it answers. */
  async #threadOf(
    { workspace, channel }: Speaker,
    { thread, replyTo, signal }: MessageEffect,
  ): Promise<string | undefined> {
    if (thread?.id !== undefined) return tsOfPart(thread.id);
    if (replyTo?.id === undefined || this.parts.config.replies === "quote") return undefined;
    const ts = tsOfPart(replyTo.id);
    const key = `${channel} ${ts}`;
    const known = this.#roots.get(key);
    if (known !== undefined) return known;
    const found = await workspace.call({
      method: "conversations.replies",
      arguments: { channel, ts, limit: 1, inclusive: true },
      answer: threadSchema,
      signal,
    });
    const [first] = found.ok ? found.body.messages : [];
    const root = first?.thread_ts ?? first?.ts ?? ts;
    if (found.ok) this.#roots.set(key, root);
    return root;
  }
}

const longestTopic = 250;
const longestAlt = 2_000;
/** What Slack takes in an image block. */
const shownAsImage = /^image\/(?:png|jpe?g|gif)$/;

/** The author without an account of their own: the app acts for them. */
function withoutAccount({ login: _own, ...author }: Author): Author {
  return author;
}

function textOf(content: Content): RichText | undefined {
  return content.type === "text" ? content.body : content.type === "media" ? content.caption : undefined;
}

function joined(texts: readonly WireText[]): WireText | undefined {
  const [first, ...rest] = texts;
  if (!first || rest.length === 0) return first;
  return {
    kind: "text",
    text: texts.map(({ text }) => text).join("\n"),
    blocks: texts.flatMap(({ blocks }) => blocks).slice(0, 50),
  };
}
