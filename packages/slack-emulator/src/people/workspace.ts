import { createChannel, changeChannelId, shareChannel, unshareChannel } from "../actions/channels.js";
import { addEmoji, announceNewUser, changeTeam, removeEmoji, renameEmoji, saveUserGroup } from "../actions/people.js";
import { attachUnfurls } from "../actions/unfurl.js";
import type { Commands } from "../events/commands.js";
import type { Json, JsonObject } from "../json.js";
import type { UserOptions } from "../options.js";
import { buildUser, teamOf, userOf } from "../state/build.js";
import type { Channel } from "../state/channels.js";
import type { Team } from "../state/people.js";
import type { World } from "../state/world.js";
import { ChannelHandle } from "./channel-handle.js";
import { Person, type Posted } from "./person.js";

/** A workspace as a test works with it. */
export class Workspace {
  readonly #world: World;
  readonly #team: Team;
  readonly #commands: Commands;

  /** @internal */
  constructor(world: World, team: Team, commands: Commands) {
    this.#commands = commands;
    this.#world = world;
    this.#team = team;
  }

  get id(): string {
    return this.#team.id;
  }

  get domain(): string {
    return this.#team.domain;
  }

  /** A person by handle or id. */
  person(name: string): Person {
    return new Person(this.#world, userOf(this.#world, this.#team, name), this.#commands);
  }

  /** Everybody, apps included. */
  people(): Person[] {
    return this.#world.usersOf(this.#team.id).map((user) => new Person(this.#world, user, this.#commands));
  }

  /** Somebody new: `team_join`. They are in no channel yet. */
  addPerson(options: UserOptions): Person {
    const user = buildUser(this.#world, this.#team, options);
    announceNewUser(this.#world, user);
    return new Person(this.#world, user, this.#commands);
  }

  /** A conversation by name or id. */
  channel(name: string): ChannelHandle {
    return new ChannelHandle(this.#world, this.#channel(name));
  }

  /** All its conversations. */
  channels(): ChannelHandle[] {
    return this.#world.channelsOf(this.#team.id).map((channel) => new ChannelHandle(this.#world, channel));
  }

  /** A channel out of nowhere: with everybody in it unless told otherwise, and without the messages about it. */
  addChannel(
    name: string,
    options: { readonly private?: boolean; readonly members?: readonly string[]; readonly id?: string } = {},
  ): ChannelHandle {
    const people = this.#world.usersOf(this.#team.id).filter((user) => user.botId === undefined && !user.deleted);
    const members = (options.members?.map((each) => userOf(this.#world, this.#team, each)) ?? people).map(
      (user) => user.id,
    );
    const kind = options.private === true ? "private" : "public";
    const channel = createChannel(this.#world, {
      id: options.id,
      kind,
      name,
      teamId: this.id,
      creatorId: members[0] ?? "",
      members,
    });
    return new ChannelHandle(this.#world, channel);
  }

  /** Adds a custom emoji: a URL, or `alias:name`. */
  addEmoji(name: string, value: string): void {
    addEmoji(this.#world, this.#team, name, value);
  }

  /** Adds a custom emoji with these bytes, served by the emulator; returns its URL. */
  uploadEmoji(name: string, content: Buffer, mimetype = "image/png"): string {
    const path = `/emoji/${this.id}/${name}/${this.#world.secret(8)}.png`;
    this.#world.images.set(path, { content, mimetype });
    const url = `${this.#world.baseUrl}${path}`;
    this.addEmoji(name, url);
    return url;
  }

  removeEmoji(name: string): void {
    removeEmoji(this.#world, this.#team, name);
  }

  renameEmoji(from: string, to: string): void {
    renameEmoji(this.#world, this.#team, from, to);
  }

  /** Makes a user group, or changes the one with that handle; returns its id. */
  saveUserGroup(handle: string, users: readonly string[], name = handle): string {
    const before = [...this.#team.userGroups.values()].find((group) => group.handle === handle);
    const now = this.#world.clock.seconds();
    const members = users.map((each) => userOf(this.#world, this.#team, each).id);
    const group = before ?? {
      id: this.#world.ids.next("S"),
      teamId: this.id,
      name,
      handle,
      description: "",
      users: members,
      disabled: 0,
      created: now,
      updated: now,
      createdBy: members[0] ?? "",
    };
    group.users = members;
    group.name = name;
    saveUserGroup(this.#world, group);
    return group.id;
  }

  /** Renames the workspace. */
  rename(name: string): void {
    changeTeam(this.#world, this.#team, { name });
  }

  /** Moves it to another domain; its id stays. */
  changeDomain(domain: string): void {
    changeTeam(this.#world, this.#team, { domain });
  }

  /** What Slack shows for links that begin so; messages with one get a second event a moment later. */
  setUnfurl(urlStart: string, attachment: JsonObject): void {
    this.#team.unfurls.set(urlStart, attachment);
  }

  /** Unfurls something in a message now: `message_changed` without `edited`. */
  unfurl(message: Posted, attachments: readonly Json[]): void {
    const channel = this.#channel(message.channel);
    const found = channel.messages.get(message.ts);
    if (found === undefined) throw new Error(`There is no message ${message.ts} in ${message.channel}`);
    attachUnfurls(this.#world, channel, found, attachments);
  }

  /** Shares a channel with another workspace: Slack Connect, unless both are of one organisation. */
  share(channel: string, domain: string): void {
    const other = teamOf(this.#world, domain);
    const sameOrganisation = this.#team.enterprise !== undefined && this.#team.enterprise.id === other.enterprise?.id;
    shareChannel(this.#world, this.#channel(channel), other.id, !sameOrganisation);
  }

  /** Ends the sharing. */
  unshare(channel: string, domain: string): void {
    unshareChannel(this.#world, this.#channel(channel), teamOf(this.#world, domain).id);
  }

  /** Gives a channel another id: `channel_id_changed`. Returns the new one. */
  changeChannelId(channel: string): string {
    const id = this.#world.ids.next("C");
    changeChannelId(this.#world, this.#channel(channel), id);
    return id;
  }

  #channel(name: string): Channel {
    const plain = name.replace(/^#/, "");
    const channel = this.#world.channelsOf(this.#team.id).find((each) => each.id === plain || each.name === plain);
    if (channel === undefined) throw new Error(`There is no channel ${name} in the workspace ${this.domain}`);
    return channel;
  }
}
