import {
  RemoteMessageId,
  type ChannelId,
  type Content,
  type MediaContent,
  type NetworkEvent,
  type RemoteUser,
} from "@trestle/core";
import { isEmpty, richTextOf, type RichText } from "@trestle/rich-text";
import { z } from "zod";
import {
  filePart,
  readContent,
  readFile,
  readMessage,
  type FilePart,
  type HostedFile,
  type MessageDeleted,
  type MessageEdited,
  type MessageSent,
  type SlackMessage,
} from "../content/index.js";
import { channelIdOf } from "../ids.js";
import {
  effectOf,
  messageSchema as postedSchema,
  type Making,
  type SlackResult,
  type Workspace,
} from "../link/index.js";
import type { OwnChanges } from "../outward/own-changes.js";
import { AccountWorkspace, type Accounts } from "../people/accounts/index.js";
import type { DirectChannels } from "../people/direct-channels.js";
import { failureOf, type People } from "../people/people.js";
import { fileReferenceOf } from "../files/reference.js";
import { namesFor, type NamesParts } from "./names.js";

export interface InwardMessagesParts extends NamesParts {
  readonly people: People;
  readonly accounts: Accounts;
  readonly directs: DirectChannels;
  /** Whether a channel has a room. */
  readonly isLinked: (channel: ChannelId) => boolean;
  readonly own: OwnChanges;
}

const fileInfoSchema = z.looseObject({ file: z.record(z.string(), z.unknown()) });

/** Makes events of what people say, correct and delete in Slack. */
export class InwardMessages {
  constructor(readonly parts: InwardMessagesParts) {}

  async sent(making: Making, workspace: Workspace, what: MessageSent, event: unknown): Promise<void> {
    const { ts, channel, message, style } = what;
    // What the bridge itself posted comes back as an event.
    if (workspace.isOwn(ownership(message)) || this.#isForSomebody(making.team, message, event)) return;
    const sender = await this.parts.people.sender(workspace, what.sender, making.signal);
    if (!sender.ok) {
      making.failed(failureOf(sender));
      return;
    }
    const read = await this.#read(making, workspace, message);
    if (!read.ok) {
      making.failed(failureOf(read));
      return;
    }
    const id = channelIdOf({ team: making.team, channel });
    const direct = await this.#conversation(making, workspace, id);
    if (!direct.ok) {
      making.failed(failureOf(direct));
      return;
    }
    const contents = contentsOf(workspace, style, read.body);
    for (const [index, content] of contents.entries()) {
      making.happened({
        kind: "message",
        id: partId(ts, index),
        channel: id,
        at: timeOf(ts),
        sender: sender.body,
        content,
        ...(direct.body && { direct: direct.body }),
        ...this.#placeOf(what),
      });
    }
  }

  async edited(making: Making, workspace: Workspace, what: MessageEdited): Promise<void> {
    const { ts, channel, message, style, key } = what;
    if (await this.parts.own.take({ kind: "edit", channel, ts, what: message.text })) return;
    // What the bridge posted for somebody who signed in they may edit in Slack.
    const byThemselves = message.user !== undefined && message.user !== workspace.installation.botUser;
    if (!byThemselves && workspace.isOwn(ownership(message))) return;
    const id = channelIdOf({ team: making.team, channel });
    const sender = await this.parts.people.sender(workspace, what.sender, making.signal);
    if (!sender.ok) {
      making.failed(failureOf(sender));
      return;
    }
    if (what.textChanged) {
      const read = await this.#read(making, workspace, message);
      if (!read.ok) {
        making.failed(failureOf(read));
        return;
      }
      const [content] = contentsOf(workspace, style, read.body);
      if (content)
        making.happened({
          kind: "edit",
          id: RemoteMessageId(key),
          channel: id,
          sender: sender.body,
          target: partId(ts, 0),
          content,
        });
    }
    if (what.removedFiles.length > 0) this.#removeFiles(making, sender.body, what);
  }

  /** The whole message, and every file that was a message of its own. */
  deleted(making: Making, what: MessageDeleted, event: unknown): void {
    const { ts, channel, key } = what;
    const before = readMessage(previousOf(event));
    const parts = Math.max(1, partCount(before));
    for (let index = 0; index < parts; index += 1) {
      making.happened({
        kind: "redaction",
        id: RemoteMessageId(index === 0 ? key : `${key}#${index}`),
        channel: channelIdOf({ team: making.team, channel }),
        target: partId(ts, index),
      });
    }
  }

  /** For whom a room is to be made. */
  #conversation({ signal }: Making, workspace: Workspace, id: ChannelId) {
    const { isLinked, directs } = this.parts;
    if (isLinked(id)) return { ok: true as const, body: undefined };
    return directs.conversation(workspace, id, signal);
  }

  /** Whether the bridge posted it with the token of somebody who signed in, of whichever app that token is. */
  #isForSomebody(team: string, { user }: SlackMessage, event: unknown): boolean {
    if (user === undefined || !this.parts.accounts.ofSlackUser(team, user)) return false;
    const posted = postedSchema.safeParse(event);
    return posted.success && effectOf(posted.data) !== undefined;
  }

  #placeOf({ ts, threadTs, isBroadcast }: MessageSent): Partial<Extract<NetworkEvent, { kind: "message" }>> {
    if (threadTs === undefined || threadTs === ts) return {};
    // What stands in the channel as well is seen there, as an answer to what the thread is about.
    return isBroadcast ? { replyTo: RemoteMessageId(threadTs) } : { thread: RemoteMessageId(threadTs) };
  }

  /** Which part a file was is told by the files that were there. */
  #removeFiles(making: Making, sender: RemoteUser, { ts, channel, key, removedFiles, message }: MessageEdited): void {
    const before = [...removedFiles, ...message.files.flatMap(({ id }) => (id === undefined ? [] : [id]))];
    const textParts = message.text === "" && message.blocks.length === 0 ? 0 : 1;
    for (const file of removedFiles) {
      const index = textParts + before.indexOf(file);
      making.happened({
        kind: "redaction",
        id: RemoteMessageId(`${key}#${file}`),
        channel: channelIdOf({ team: making.team, channel }),
        sender,
        target: partId(ts, index),
      });
    }
  }

  async #read(making: Making, workspace: Workspace, message: SlackMessage): Promise<SlackResult<Said>> {
    const names = await namesFor(this.parts, workspace, message, making.signal);
    if (!names.ok) return names;
    const { body, files } = readContent(message, { names: names.body });
    const finished: FilePart[] = [];
    for (const file of files) {
      const whole = await this.#finish(making, workspace, file);
      if (!whole.ok) return whole;
      finished.push(whole.body);
    }
    return { ok: true, body: { body, files: finished } };
  }

  /** Of some files an event tells only that they are there. */
  async #finish(making: Making, workspace: Workspace, file: FilePart): Promise<SlackResult<FilePart>> {
    if (file.kind !== "askFileInfo") return { ok: true, body: file };
    const { signal } = making;
    const result = await workspace.call({
      method: "files.info",
      arguments: { file: file.id },
      answer: fileInfoSchema,
      signal,
    });
    if (result.ok) return { ok: true, body: filePart(readFile(result.body.file), { final: true }) };
    if (result.failed !== "permanent") return result;
    return {
      ok: true,
      body: { kind: "missing", id: file.id, reason: "no_access", text: "a file that the bridge may not see" },
    };
  }
}

interface Said {
  readonly body: RichText;
  readonly files: readonly FilePart[];
}

/** The text and the files, each a message of its own in Matrix; one file alone has the text as its caption. */
function contentsOf(
  workspace: Workspace,
  style: "text" | "notice" | "emote",
  { body, files }: Said,
): readonly Content[] {
  const [only, ...others] = files;
  if (only?.kind === "hosted" && others.length === 0)
    return [{ ...mediaOf(workspace, only), ...(!isEmpty(body) && { caption: body }) }];
  const text: Content[] = isEmpty(body) ? [] : [{ type: "text", style, body }];
  return [...text, ...files.map((file) => contentOf(workspace, file))];
}

function contentOf(workspace: Workspace, file: FilePart): Content {
  switch (file.kind) {
    case "hosted":
      return mediaOf(workspace, file);
    case "link": {
      const link = { type: "link", href: file.url, children: [{ type: "text", text: file.name }] } as const;
      return { type: "text", style: "text", body: { blocks: [{ type: "paragraph", children: [link] }] } };
    }
    case "missing":
      return { type: "text", style: "notice", body: richTextOf(file.text) };
    case "askFileInfo":
      return { type: "text", style: "notice", body: richTextOf("a file") };
  }
}

function mediaOf(workspace: Workspace, file: HostedFile): MediaContent {
  const { mimeType, size, width, height, durationMs } = file;
  const user = workspace instanceof AccountWorkspace ? workspace.account.user : undefined;
  return {
    type: "media",
    kind: file.media,
    name: file.name,
    source: {
      from: "remote",
      reference: fileReferenceOf({ team: workspace.id, url: file.url, ...(user !== undefined && { user }) }),
    },
    ...(mimeType !== undefined && { mimeType }),
    ...(size !== undefined && { size }),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(durationMs !== undefined && { durationMs }),
  };
}

/** The first part of a message has its `ts` as its id: what points to the message points to it. */
export function partId(ts: string, index: number): RemoteMessageId {
  return RemoteMessageId(index === 0 ? ts : `${ts}#${index}`);
}

/** The message a part belongs to. */
export function tsOfPart(id: string): string {
  return id.split("#", 1)[0] ?? id;
}

function partCount({ files, text, blocks }: SlackMessage): number {
  const hasText = text !== "" || blocks.length > 0;
  return files.length <= 1 ? 1 : files.length + (hasText ? 1 : 0);
}

function timeOf(ts: string): number {
  return Math.floor(Number(ts) * 1_000);
}

function ownership(message: SlackMessage): { bot_id?: unknown; user?: unknown; app_id?: unknown } {
  return {
    bot_id: message.botId ?? message.botProfile?.id,
    user: message.user,
    app_id: message.appId ?? message.botProfile?.appId,
  };
}

const deletedSchema = z.looseObject({ previous_message: z.unknown() });

function previousOf(event: unknown): unknown {
  const parsed = deletedSchema.safeParse(event);
  return parsed.success ? parsed.data.previous_message : undefined;
}
