import type {
  ThirdPartyLocation,
  ThirdPartyLookup,
  ThirdPartyProtocol,
  ThirdPartyUser,
} from "../appservice/handler.js";
import type { ChannelInfo } from "../connector/channel-info.js";
import { RoomAlias, type RoomId } from "../connector/ids.js";
import { isRoomAlias } from "../mapping/identifiers.js";
import type { Link } from "../mapping/links.js";
import { classify } from "../matrix/failure.js";
import type { MatrixFailure } from "../matrix/result.js";
import type { Ghosts } from "./ghosts.js";
import type { Linker } from "./linker.js";
import { isCarried } from "./moderation/ranks.js";
import { initialState } from "./moderation/room-settings.js";
import { resolveGhost } from "./resolve-ghost.js";
import type { BridgeRuntime } from "./runtime.js";

/**
 * Rooms and users that exist as soon as somebody asks for them: `#irc_libera/#trestle:server` is the channel,
 * `@irc_libera/nick:server` the person. Also what the homeserver's third-party look-up tells.
 */
export class Portals implements ThirdPartyLookup {
  readonly #making = new Map<string, Promise<boolean>>();

  constructor(
    readonly runtime: BridgeRuntime,
    readonly ghosts: Ghosts,
    readonly linker: Linker,
    /** What the localparts of aliases begin with; `undefined` where the registration has no aliases. */
    readonly aliasPrefix: string | undefined,
  ) {}

  async queryUser(userId: string): Promise<boolean> {
    const { runtime } = this;
    if (!runtime.isOwn(userId)) return false;
    if (userId === runtime.bot) return true;
    const ghost = await resolveGhost(runtime, this.ghosts, userId);
    return ghost.ok && ghost.body !== null;
  }

  /** Two people may ask at once: the room is made once. */
  async queryAlias(alias: string): Promise<boolean> {
    const running = this.#making.get(alias) ?? this.#make(alias).finally(() => this.#making.delete(alias));
    this.#making.set(alias, running);
    return running;
  }

  async #make(alias: string): Promise<boolean> {
    const { runtime } = this;
    const channel = await this.#channelOf(alias);
    if (!channel) return false;
    if (await this.#pointToRoom(RoomAlias(alias), channel)) return true;
    const follows = isCarried(runtime.config.channelSettings, "portal", "toMatrix");
    const created = await runtime.client.createRoom({
      preset: "public_chat",
      name: channel.name,
      aliasLocalpart: alias.slice(1, -1 - runtime.serverName.length),
      ...(channel.topic !== undefined && { topic: channel.topic }),
      ...(follows && channel.settings && { initialState: initialState(channel.id, channel.settings) }),
    });
    if (!created.ok) {
      // An earlier query made the room and died before it could answer.
      if (created.failure.kind === "answered" && created.failure.errcode === "M_ROOM_IN_USE") return true;
      refuseToGuess(alias, created.failure);
      return false;
    }
    await runtime.rooms.setEncrypted(created.body.roomId, false);
    await this.linker.connect(created.body.roomId, channel, "portal", "operator");
    if (channel.settings?.secret !== true) await this.#publish(created.body.roomId);
    return true;
  }

  /**
   * Gives the alias to a room that stands for the channel already and that everybody may enter: people in two rooms of one
   * channel do not hear each other.
   * @throws where the homeserver cannot say now which room that is
   */
  async #pointToRoom(alias: RoomAlias, channel: ChannelInfo): Promise<boolean> {
    const { client, links } = this.runtime;
    for (const link of await links.ofChannel(channel.id)) {
      const { room } = link;
      if (!this.#standsFor(link) || this.linker.permissions.bansRoom(room)) continue;
      const rules = await client.getState({ room, type: "m.room.join_rules" });
      if (!rules.ok) {
        refuseToGuess(alias, rules.failure);
        continue;
      }
      if (rules.body?.join_rule !== "public") continue;
      const pointed = await client.directory.setAlias(alias, room);
      if (pointed.ok || (pointed.failure.kind === "answered" && pointed.failure.status === 409)) return true;
      refuseToGuess(alias, pointed.failure);
    }
    return false;
  }

  /** Whoever looks for a channel is not sent to the room of anybody who has linked one: admins have, or its people agreed. */
  #standsFor({ kind, by }: Link): boolean {
    if (kind !== "plumbed") return kind === "portal";
    const isByAdmin = by === "operator" || by === "config" || this.linker.permissions.atLeast(by, "admin");
    return isByAdmin || this.runtime.handlers.consent !== undefined;
  }

  /** Into the network's own list of the room directory, where people look for its channels. */
  async #publish(room: RoomId): Promise<void> {
    const { client, log, name } = this.runtime;
    const shown = await client.directory.setNetworkVisibility(name, room, "public");
    if (!shown.ok) log.warn({ room, failure: shown.failure }, "A room could not be put into the room directory");
  }

  async #channelOf(alias: string): Promise<ChannelInfo | null> {
    const { aliasPrefix, runtime } = this;
    const start = `#${aliasPrefix ?? ""}`;
    const end = `:${runtime.serverName}`;
    if (aliasPrefix === undefined || !alias.startsWith(start) || !alias.endsWith(end)) return null;
    return (await runtime.handlers.resolveChannel?.(alias.slice(start.length, -end.length)).catch(() => null)) ?? null;
  }

  /** A channel whose id no alias can hold has none; homeservers take no white space in them. */
  #aliasOf(channel: ChannelInfo): string | undefined {
    if (this.aliasPrefix === undefined || /[:\s]/.test(channel.id)) return undefined;
    const alias = `#${this.aliasPrefix}${channel.id}:${this.runtime.serverName}`;
    return isRoomAlias(alias) ? alias : undefined;
  }

  protocol(name: string): Promise<ThirdPartyProtocol | undefined> {
    const { runtime } = this;
    if (name !== runtime.network) return Promise.resolve(undefined);
    return Promise.resolve({
      user_fields: ["user"],
      location_fields: ["channel"],
      icon: runtime.config.avatar ?? "",
      field_types: {
        user: { regexp: ".+", placeholder: "a user as the network spells it" },
        channel: { regexp: ".+", placeholder: "a channel as the network spells it" },
      },
      instances: [{ network_id: runtime.name, desc: `${runtime.networkName} through ${runtime.name}`, fields: {} }],
    });
  }

  async locations(
    protocol: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<readonly ThirdPartyLocation[] | undefined> {
    if (protocol !== this.runtime.network) return undefined;
    const text = fields.channel;
    const channel =
      text === undefined ? null : ((await this.runtime.handlers.resolveChannel?.(text).catch(() => null)) ?? null);
    return channel ? this.#location(channel) : [];
  }

  async users(
    protocol: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<readonly ThirdPartyUser[] | undefined> {
    if (protocol !== this.runtime.network) return undefined;
    const person =
      fields.user === undefined ? null : ((await this.runtime.handlers.resolveUser?.(fields.user)) ?? null);
    if (!person) return [];
    const ghost = await this.ghosts.ensure(person);
    return ghost.ok ? [{ userid: ghost.body.user, protocol, fields: { user: person.id } }] : [];
  }

  async locationsOf(alias: string): Promise<readonly ThirdPartyLocation[]> {
    const channel = await this.#channelOf(alias);
    return channel ? this.#location(channel) : [];
  }

  async usersOf(userId: string): Promise<readonly ThirdPartyUser[]> {
    const ghost = await this.ghosts.ofUser(userId);
    return ghost ? [{ userid: userId, protocol: this.runtime.network, fields: { user: ghost.remote } }] : [];
  }

  #location(channel: ChannelInfo): readonly ThirdPartyLocation[] {
    const alias = this.#aliasOf(channel);
    return alias === undefined ? [] : [{ alias, protocol: this.runtime.network, fields: { channel: channel.id } }];
  }
}

/** @throws where the homeserver may answer otherwise when it is asked again */
function refuseToGuess(alias: string, failure: MatrixFailure): void {
  if (classify(failure).action === "retry")
    throw new Error(`The room for ${alias} could not be found or made: ${failure.message}`);
}
