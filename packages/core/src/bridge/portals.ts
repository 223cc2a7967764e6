import type {
  ThirdPartyLocation,
  ThirdPartyLookup,
  ThirdPartyProtocol,
  ThirdPartyUser,
} from "../appservice/handler.js";
import type { ChannelInfo } from "../connector/channel-info.js";
import { isRoomAlias } from "../mapping/identifiers.js";
import type { Ghosts } from "./ghosts.js";
import type { PortalRooms } from "./portal-rooms.js";
import { resolveGhost } from "./resolve-ghost.js";
import type { BridgeRuntime } from "./runtime.js";

/**
 * Rooms and users that exist as soon as somebody asks for them: `#irc_libera/#trestle:server` is the channel,
 * `@irc_libera/nick:server` the person. Also what the homeserver's third-party look-up tells.
 */
export class Portals implements ThirdPartyLookup {
  constructor(
    readonly runtime: BridgeRuntime,
    readonly ghosts: Ghosts,
    readonly rooms: PortalRooms,
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

  async queryAlias(alias: string): Promise<boolean> {
    const channel = await this.#channelOf(alias);
    return channel !== null && this.rooms.ask(alias, channel);
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
