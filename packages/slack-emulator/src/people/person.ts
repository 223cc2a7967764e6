import {
  archiveChannel,
  convertChannel,
  createChannel,
  deleteChannel,
  openDirect,
  renameChannel,
  setNote,
  unarchiveChannel,
} from "../actions/channels.js";
import { joinChannel, leaveChannel } from "../actions/membership.js";
import {
  announceFileChange,
  completeFile,
  createFile,
  deleteFile,
  receiveContent,
  shareFiles,
} from "../actions/files.js";
import { deleteMessage, editMessage, postMessage } from "../actions/messages.js";
import { changeUser } from "../actions/people.js";
import { pin, unpin } from "../actions/pins.js";
import { addReaction, removeReaction } from "../actions/reactions.js";
import type { CommandOutcome, Commands } from "../events/commands.js";
import type { Json } from "../json.js";
import { userOf } from "../state/build.js";
import type { Channel } from "../state/channels.js";
import type { FileMode, StoredFile } from "../state/files.js";
import type { Message } from "../state/messages.js";
import type { Profile, User } from "../state/people.js";
import type { World } from "../state/world.js";
import { ChannelHandle, type SeenMessage } from "./channel-handle.js";

/** A message that was posted: where and which. */
export interface Posted {
  readonly channel: string;
  readonly ts: string;
}

/** How a person posts. */
export interface PostOptions {
  readonly blocks?: readonly Json[];
  readonly attachments?: readonly Json[];
  /** Reply in the thread of this message. */
  readonly threadTs?: string;
  /** Show the reply in the channel too. */
  readonly broadcast?: boolean;
  /** Post it in the past (or future) instead of now. */
  readonly ts?: string;
}

/** A file somebody uploads. */
export interface UploadedFile {
  readonly name: string;
  readonly content: Buffer | string;
  readonly title?: string;
  readonly altText?: string;
  /** What Slack takes it for, when its name says something else. */
  readonly mimetype?: string;
  readonly mode?: FileMode;
  /** For the mode `external`. */
  readonly externalUrl?: string;
  /** A voice message. */
  readonly voice?: boolean;
}

/** A person of a workspace, who does what people do in Slack. Channels are given by name (`general`), id, or `@handle` for a direct message. */
export class Person {
  readonly #world: World;
  readonly #user: User;
  readonly #commands: Commands;

  /** @internal */
  constructor(world: World, user: User, commands: Commands) {
    this.#commands = commands;
    this.#world = world;
    this.#user = user;
  }

  get id(): string {
    return this.#user.id;
  }

  get name(): string {
    return this.#user.name;
  }

  /** Posts a message. The text is as Slack keeps it: `&`, `<`, `>` escaped, `<@U…>` for mentions. */
  post(channel: string, text: string, options: PostOptions = {}): Posted {
    const where = this.#joined(channel);
    return posted(where, postMessage(this.#world, where, { user: this.#user }, { text, ...options }));
  }

  /** Replies in a thread; `broadcast` shows it in the channel too. */
  reply(to: Posted, text: string, options: Omit<PostOptions, "threadTs"> = {}): Posted {
    return this.post(to.channel, text, { ...options, threadTs: to.ts });
  }

  /** `/me` */
  me(channel: string, text: string): Posted {
    const where = this.#joined(channel);
    return posted(where, postMessage(this.#world, where, { user: this.#user }, { text, subtype: "me_message" }));
  }

  /** Edits a message, of whomever. */
  edit(message: Posted, text: string, options: { readonly blocks?: readonly Json[] } = {}): void {
    const { channel, found } = this.#find(message);
    editMessage(this.#world, channel, found, this.id, { text, ...options });
  }

  /** Deletes a message. */
  delete(message: Posted): void {
    const { channel, found } = this.#find(message);
    deleteMessage(this.#world, channel, found);
  }

  /** Reacts; false when it was there already. */
  react(message: Posted, name: string): boolean {
    const { channel, found } = this.#find(message);
    return addReaction(this.#world, channel, found, this.id, name);
  }

  /** Takes a reaction back; false when there was none. */
  unreact(message: Posted, name: string): boolean {
    const { channel, found } = this.#find(message);
    return removeReaction(this.#world, channel, found, this.id, name);
  }

  /** Uploads one or several files in one message. */
  upload(
    channel: string,
    files: UploadedFile | readonly UploadedFile[],
    options: { readonly comment?: string; readonly threadTs?: string } = {},
  ): Posted & { readonly files: string[] } {
    const where = this.#joined(channel);
    const stored = [files].flat().map((file) => this.#store(file));
    const message = shareFiles(this.#world, where, { user: this.#user }, { files: stored, ...options });
    return { ...posted(where, message), files: stored.map((file) => file.id) };
  }

  /** Deletes a file wherever it was shared. */
  deleteFile(id: string): void {
    deleteFile(this.#world, this.#file(id));
  }

  /** Changes what is known of a file: `file_change`. */
  changeFile(
    id: string,
    change: { readonly title?: string; readonly altText?: string; readonly mimetype?: string },
  ): void {
    const file = this.#file(id);
    Object.assign(file, change);
    announceFileChange(this.#world, file);
  }

  /** Pins a message; false when it is pinned. */
  pin(message: Posted): boolean {
    const { channel, found } = this.#find(message);
    return pin(this.#world, channel, found, this.#user);
  }

  /** Unpins a message; false when it is not pinned. */
  unpin(message: Posted): boolean {
    const { channel, found } = this.#find(message);
    return unpin(this.#world, channel, found, this.#user);
  }

  join(channel: string): void {
    joinChannel(this.#world, this.#channel(channel), this.#user);
  }

  leave(channel: string): void {
    leaveChannel(this.#world, this.#channel(channel), this.#user);
  }

  /** Adds somebody, also an app by its handle. */
  invite(channel: string, who: string): void {
    joinChannel(this.#world, this.#channel(channel), this.#other(who), this.#user);
  }

  /** Removes somebody. */
  kick(channel: string, who: string): void {
    leaveChannel(this.#world, this.#channel(channel), this.#other(who), this.#user);
  }

  /** Makes a channel with this person in it. */
  createChannel(name: string, options: { readonly private?: boolean } = {}): ChannelHandle {
    const kind = options.private === true ? "private" : "public";
    const channel = createChannel(this.#world, {
      kind,
      name,
      teamId: this.#user.teamId,
      creatorId: this.id,
      members: [],
    });
    joinChannel(this.#world, channel, this.#user);
    return new ChannelHandle(this.#world, channel);
  }

  /** Opens the direct message with one person, or with several the group direct message. */
  openDirect(...who: readonly string[]): ChannelHandle {
    const { channel } = openDirect(
      this.#world,
      this.#user,
      who.map((name) => this.#other(name)),
    );
    return new ChannelHandle(this.#world, channel);
  }

  rename(channel: string, name: string): void {
    renameChannel(this.#world, this.#channel(channel), this.#user, name);
  }

  archive(channel: string): void {
    archiveChannel(this.#world, this.#channel(channel), this.#user);
  }

  unarchive(channel: string): void {
    unarchiveChannel(this.#world, this.#channel(channel), this.#user);
  }

  convert(channel: string, to: "private" | "public"): void {
    convertChannel(this.#world, this.#channel(channel), this.#user, to);
  }

  deleteChannel(channel: string): void {
    deleteChannel(this.#world, this.#channel(channel), this.#user);
  }

  setTopic(channel: string, topic: string): void {
    setNote(this.#world, this.#channel(channel), this.#user, "topic", topic);
  }

  setPurpose(channel: string, purpose: string): void {
    setNote(this.#world, this.#channel(channel), this.#user, "purpose", purpose);
  }

  /** Changes what the person shows of themselves. A new picture gets a new `avatar_hash`. */
  changeProfile(profile: Partial<Omit<Profile, "avatarHash">>): void {
    changeUser(this.#world, this.#user, {
      profile: profile.image === undefined ? profile : { ...profile, avatarHash: this.#world.secret(6) },
    });
  }

  /** Sets the picture to these bytes, served by the emulator. */
  setAvatar(content: Buffer, mimetype = "image/png"): void {
    const avatarHash = this.#world.secret(6);
    const path = `/avatars/${this.id}-${avatarHash}`;
    this.#world.images.set(path, { content, mimetype });
    changeUser(this.#world, this.#user, {
      profile: { avatarHash, image: `${this.#world.baseUrl}${path}-original.png` },
    });
  }

  /** Changes the handle. */
  changeName(name: string): void {
    changeUser(this.#world, this.#user, { name });
  }

  deactivate(): void {
    changeUser(this.#world, this.#user, { deleted: true });
  }

  reactivate(): void {
    changeUser(this.#world, this.#user, { deleted: false });
  }

  /** Gives a slash command (`/matrix link #general`) in a channel and waits for the app's immediate answer. */
  async command(channel: string, line: string): Promise<CommandOutcome> {
    return this.#commands.give(this.#user, this.#joined(channel), line);
  }

  /** The texts only this person sees in a channel, oldest first. */
  ephemerals(channel: string): string[] {
    return this.#channel(channel)
      .ephemerals.filter((each) => each.userId === this.id)
      .map((each) => each.text);
  }

  /** What a channel shows this person now. */
  sees(channel: string): SeenMessage[] {
    return new ChannelHandle(this.#world, this.#joined(channel)).messages();
  }

  #store(uploaded: UploadedFile): StoredFile {
    const content = Buffer.from(uploaded.content);
    const file = createFile(this.#world, {
      ...uploaded,
      size: content.length,
      teamId: this.#user.teamId,
      userId: this.id,
    });
    receiveContent(file, content);
    completeFile(this.#world, file);
    return file;
  }

  #file(id: string): StoredFile {
    const file = this.#world.files.get(id);
    if (file === undefined) throw new Error(`There is no file ${id}`);
    return file;
  }

  #other(who: string): User {
    return this.#world.users.get(who) ?? userOf(this.#world, this.#world.team(this.#user.teamId), who);
  }

  #channel(name: string): Channel {
    if (name.startsWith("@")) return openDirect(this.#world, this.#user, [this.#other(name)]).channel;
    const plain = name.replace(/^#/, "");
    const channel =
      this.#world.channels.get(plain) ?? this.#world.channelsOf(this.#user.teamId).find((each) => each.name === plain);
    if (channel === undefined) throw new Error(`There is no channel ${name} for ${this.name}`);
    return channel;
  }

  #joined(name: string): Channel {
    const channel = this.#channel(name);
    if (!channel.members.has(this.id)) throw new Error(`${this.name} is not in ${name}: join it first`);
    if (channel.archived) throw new Error(`${name} is archived`);
    return channel;
  }

  #find(message: Posted): { channel: Channel; found: Message } {
    const channel = this.#channel(message.channel);
    const found = channel.messages.get(message.ts);
    if (found === undefined) throw new Error(`There is no message ${message.ts} in ${message.channel}`);
    return { channel, found };
  }
}

function posted(channel: Channel, message: Message): Posted {
  return { channel: channel.id, ts: message.ts };
}
