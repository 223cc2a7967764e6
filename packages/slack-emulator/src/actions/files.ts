import { compact, type Json } from "../json.js";
import type { Channel } from "../state/channels.js";
import { imageSize, typeOf } from "../state/file-types.js";
import type { FileMode, StoredFile } from "../state/files.js";
import type { Message } from "../state/messages.js";
import type { World } from "../state/world.js";
import { announceChanged, snapshot } from "./message-events.js";
import { type Author, deleteMessage, postMessage } from "./messages.js";

/** How a file begins. */
export interface NewFile {
  readonly name: string;
  readonly size: number;
  readonly teamId: string;
  readonly userId: string;
  readonly appId?: string | undefined;
  readonly title?: string | undefined;
  readonly altText?: string | undefined;
  readonly mimetype?: string | undefined;
  readonly mode?: FileMode | undefined;
  readonly externalUrl?: string | undefined;
  readonly voice?: boolean | undefined;
}

/** Makes a file that waits for its content. */
export function createFile(world: World, options: NewFile): StoredFile {
  const type = typeOf(options.name);
  const file: StoredFile = {
    id: world.ids.next("F"),
    teamId: options.teamId,
    userId: options.userId,
    name: options.name,
    title: options.title ?? options.name,
    mimetype: options.mimetype ?? type.mimetype,
    filetype: type.filetype,
    mode: options.mode ?? "hosted",
    content: Buffer.alloc(0),
    size: options.size,
    created: world.clock.seconds(),
    state: "waiting",
    deleted: false,
    voice: options.voice ?? false,
    shares: [],
    ...compactOptional(options),
  };
  world.files.set(file.id, file);
  return file;
}

function compactOptional(options: NewFile): { appId?: string; altText?: string; externalUrl?: string } {
  return {
    ...(options.appId === undefined ? {} : { appId: options.appId }),
    ...(options.altText === undefined ? {} : { altText: options.altText }),
    ...(options.externalUrl === undefined ? {} : { externalUrl: options.externalUrl }),
  };
}

/** Takes the bytes of a file. */
export function receiveContent(file: StoredFile, content: Buffer): void {
  file.content = content;
  file.size = content.length;
  file.state = "uploaded";
  const size = imageSize(content);
  if (size === undefined) return;
  file.width = size.width;
  file.height = size.height;
}

/** Ends an upload: `file_created`. */
export function completeFile(world: World, file: StoredFile): void {
  file.state = "complete";
  const event = {
    type: "file_created",
    file_id: file.id,
    user_id: file.userId,
    file: { id: file.id },
    event_ts: world.eventTs(),
  };
  world.publish(event, { kind: "users", teamId: file.teamId, userIds: [file.userId] });
}

/** How files are shared. */
export interface SharedFiles {
  readonly files: readonly StoredFile[];
  readonly comment?: string | undefined;
  readonly blocks?: readonly Json[] | undefined;
  readonly threadTs?: string | undefined;
}

/** Shares files in one message: `file_shared` for each, then the `file_share` message. */
export function shareFiles(world: World, channel: Channel, author: Author, shared: SharedFiles): Message {
  const ts = channel.timestamps.next(world.clock.now());
  for (const file of shared.files) {
    file.shares.push({
      channelId: channel.id,
      ts,
      ...(shared.threadTs === undefined ? {} : { threadTs: shared.threadTs }),
    });
    const event = {
      type: "file_shared",
      file_id: file.id,
      user_id: author.user.id,
      file: { id: file.id },
      channel_id: channel.id,
      event_ts: world.eventTs(channel),
    };
    world.publish(event, { kind: "channel", channel, teamId: file.teamId });
  }
  return postMessage(world, channel, author, {
    text: shared.comment ?? "",
    blocks: shared.blocks,
    subtype: "file_share",
    fileIds: shared.files.map((file) => file.id),
    threadTs: shared.threadTs,
    ts,
  });
}

/** Deletes a file: messages that were nothing else go too, the others show a tombstone of it. */
export function deleteFile(world: World, file: StoredFile): void {
  const before = carriers(world, file).map(({ channel, message }) => ({
    channel,
    message,
    previous: snapshot(world, channel, message),
  }));
  file.deleted = true;
  file.content = Buffer.alloc(0);
  const event = compact({
    type: "file_deleted",
    file_id: file.id,
    channel_ids: [...new Set(file.shares.map((share) => share.channelId))],
    event_ts: world.eventTs(),
  });
  world.publish(event, { kind: "team", teamId: file.teamId });
  for (const { channel, message, previous } of before) {
    const rest = message.fileIds.some((id) => world.files.get(id)?.deleted === false);
    if (message.text === "" && !rest) deleteMessage(world, channel, message);
    else announceChanged(world, channel, message, previous);
  }
}

/** Tells that a file changed: its title, or that its type became known. */
export function announceFileChange(world: World, file: StoredFile): void {
  const event = { type: "file_change", file_id: file.id, file: { id: file.id } };
  for (const { channel } of carriers(world, file))
    world.publish(event, { kind: "channel", channel, teamId: file.teamId });
}

function carriers(world: World, file: StoredFile): { channel: Channel; message: Message }[] {
  return file.shares.flatMap((share) => {
    const channel = world.channels.get(share.channelId);
    const message = channel?.messages.get(share.ts);
    return channel === undefined || message === undefined ? [] : [{ channel, message }];
  });
}
