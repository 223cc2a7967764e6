import { LRUCache } from "lru-cache";
import type { BridgeConfig } from "../config/schema.js";
import type { ChannelInfo } from "../connector/channel-info.js";
import type { ChannelLink } from "../connector/connector.js";
import { ChannelId, RoomAlias, RoomId, type UserId } from "../connector/ids.js";
import { atMost } from "../mapping/cache-bound.js";
import { type Link, type LinkKind } from "../mapping/links.js";
import { toNetwork } from "../delivery/entry.js";
import type { MatrixFailure } from "../matrix/result.js";
import { ServiceError, type LinkView } from "../services/services.js";
import type { Write } from "../store/writes.js";
import { publishBridgeInfo } from "./bridge-info.js";
import { powerToSetState } from "./room-facts.js";
import type { Memberships } from "./memberships.js";
import type { Permissions } from "./permissions.js";
import type { BridgeRuntime } from "./runtime.js";

/** A link for which the people of a channel are being asked. */
interface Wanted {
  readonly room: RoomId;
  readonly channel: ChannelInfo;
  readonly user: UserId;
}

/** Makes and removes links, for whoever asks: a command, the command line, the configuration. */
export class Linker {
  readonly #wanted = new LRUCache<string, Wanted>({ ...atMost(1_000), ttl: 60 * 60_000 });

  constructor(
    readonly runtime: BridgeRuntime,
    readonly permissions: Permissions,
    readonly memberships: Memberships,
  ) {}

  /** @throws ServiceError that tells a person what is missing */
  async link(roomText: string, channelText: string, by: UserId | "operator" | "config"): Promise<LinkView> {
    const roomId = await this.#enter(roomText);
    if (by !== "operator" && by !== "config") await this.authorise(roomId, by);
    await this.refuseEncrypted(roomId);
    const info = await this.#resolve(channelText, roomId);
    return this.connect(roomId, info, "plumbed", by);
  }

  /**
   * Links for a Matrix user, once the people of the channel agree, where they are asked.
   * @throws ServiceError that tells a person what is missing
   */
  async request(roomText: string, channelText: string, user: UserId): Promise<LinkView | "asked"> {
    const { consent } = this.runtime.handlers;
    if (!consent || this.permissions.atLeast(user, "admin")) return this.link(roomText, channelText, user);
    const room = await this.#enter(roomText);
    await this.authorise(room, user);
    await this.refuseEncrypted(room);
    const channel = await this.#resolve(channelText, room);
    if ((await this.runtime.links.ofRoom(room)).some((link) => link.channel === channel.id))
      throw new ServiceError("conflict", `The room is linked to ${channel.name} already.`);
    const key = `${room}|${channel.id}`;
    this.#wanted.set(key, { room, channel, user });
    const answer = await askConnector(this.runtime, (signal) =>
      consent({ channel: channel.id, room, by: user, signal }),
    );
    if (answer === "asked") return "asked";
    this.#wanted.delete(key);
    return this.connect(room, channel, "plumbed", user);
  }

  /**
   * The people of a channel agreed, or did not; `undefined`: nobody waits for that any more. What the process before was asked
   * for is known by who asked, `askedBy`.
   * @throws ServiceError
   */
  async consented(
    room: RoomId,
    channel: ChannelId,
    agreed: boolean,
    askedBy?: UserId,
  ): Promise<LinkView | "refused" | undefined> {
    const key = `${room}|${channel}`;
    const wanted = this.#wanted.get(key) ?? (await this.#askedBefore(room, channel, askedBy));
    this.#wanted.delete(key);
    if (!wanted) return undefined;
    if (!agreed) return "refused";
    // Much may have changed since it was asked for.
    await this.authorise(room, wanted.user);
    await this.refuseEncrypted(room);
    return this.connect(room, wanted.channel, "plumbed", wanted.user);
  }

  async #askedBefore(room: RoomId, channel: ChannelId, user: UserId | undefined): Promise<Wanted | undefined> {
    if (user === undefined) return undefined;
    const links = await this.runtime.links.ofRoom(room);
    if (links.some((link) => link.channel === channel)) return undefined;
    return { room, channel: await this.#resolve(channel, room), user };
  }

  /**
   * Has a channel made and links the room to it; it may have been made already, before a crash.
   * @throws ServiceError that tells a person what is missing
   */
  async create(
    room: RoomId,
    user: UserId,
    make: (signal: AbortSignal) => Promise<ChannelInfo> | undefined,
  ): Promise<LinkView> {
    const { runtime } = this;
    await this.authorise(room, user);
    await this.refuseEncrypted(room);
    const links = await runtime.links.ofRoom(room);
    if (links.length > 0)
      throw new ServiceError("conflict", `The room is linked to ${links[0]?.channelName ?? "a channel"} already.`);
    const made = await askConnector(runtime, async (signal) => make(signal));
    if (!made) throw new ServiceError("invalid", `No channels of ${runtime.networkName} can be made.`);
    return this.connect(room, made, "plumbed", user);
  }

  /** Links without asking anybody; the room is known to be fit for it. */
  async connect(roomId: RoomId, info: ChannelInfo, kind: LinkKind, by: string): Promise<LinkView> {
    const { runtime } = this;
    this.#refuseBanned(roomId);
    const room = await runtime.rooms.ensure(roomId);
    const channel = await runtime.links.ensureChannel(info.id, info.name, info.topic);
    const added = await runtime.links.add(room.key, roomId, channel, kind, by);
    if (!added) throw new ServiceError("conflict", `The room is linked to ${channel.name} already.`);
    await runtime.handlers.linked?.({ channel: channel.id, room: roomId, kind });
    if (kind !== "direct") await publishBridgeInfo(runtime, roomId, channel, true);
    runtime.log.info({ room: roomId, channel: channel.id, by }, "Linked");
    const rooms = (await runtime.links.ofChannel(channel.id)).filter((link) => link.kind !== "direct");
    const otherRooms = rooms.filter((link) => link.room !== roomId).length;
    return { bridge: runtime.name, room: roomId, channel: channel.id, channelName: channel.name, kind, otherRooms };
  }

  /** @throws ServiceError */
  async unlink(
    roomText: string,
    channelText: string | undefined,
    by: UserId | "operator",
  ): Promise<readonly LinkView[]> {
    const roomId = await this.roomOf(roomText);
    if (by !== "operator") await this.authorise(roomId, by);
    const links = (await this.runtime.links.ofRoom(roomId)).filter((link) => matches(link, channelText));
    if (links.length === 0)
      throw new ServiceError(
        "notFound",
        channelText === undefined
          ? "The room is not linked to anything."
          : `The room is not linked to ${channelText}. See the links with: list`,
      );
    for (const link of links) await this.disconnect(link);
    const { links: configured } = this.runtime.config;
    return links.map((link) => ({ ...this.view(link), comesBack: configured.some((each) => makes(each, link)) }));
  }

  async disconnect(link: Link): Promise<void> {
    const { runtime } = this;
    await runtime.links.remove(link);
    this.memberships.reconsider(link.roomKey);
    if (link.kind !== "direct")
      await publishBridgeInfo(runtime, link.room, { id: link.channel, name: link.channelName }, false);
    const rest = await runtime.links.ofChannel(link.channel);
    const channelLink: ChannelLink = { channel: link.channel, room: link.room, kind: link.kind };
    if (rest.length === 0) await runtime.handlers.unlinked?.(channelLink);
    runtime.log.info({ room: link.room, channel: link.channel }, "Unlinked");
  }

  /** The network gave a channel another id: its links, and what was said in it, are kept. */
  async move(from: ChannelId, to: ChannelId): Promise<readonly ChannelLink[]> {
    const { runtime } = this;
    if (from === to) return [];
    const before = [...(await runtime.links.ofChannel(from))];
    const write = await runtime.links.moveOfChannel(from, to);
    if (!write) return [];
    const commit = (waiting: readonly Write[]) => runtime.links.move([write, ...waiting], { from, to });
    const flow = runtime.journal.flow(toNetwork);
    await (flow ? flow.relane(from, to, (move) => commit([move])) : commit([]));
    const links = await runtime.links.ofChannel(to);
    if (before.length === 0) return [];
    const [first] = before;
    if (first) await runtime.handlers.unlinked?.({ channel: from, room: first.room, kind: first.kind });
    for (const { room, kind, channel, channelName } of links) {
      await runtime.handlers.linked?.({ channel, room, kind });
      if (kind === "direct") continue;
      await publishBridgeInfo(runtime, room, { id: from, name: channelName }, false);
      await publishBridgeInfo(runtime, room, { id: channel, name: channelName }, true);
    }
    runtime.log.info({ from, to }, "A channel got another id");
    return links.map(({ room, kind, channel }) => ({ channel, room, kind }));
  }

  view(link: Link): LinkView {
    const { room, channel, channelName, kind } = link;
    return { bridge: this.runtime.name, room, channel, channelName, kind };
  }

  /** By its id or alias. @throws ServiceError */
  async roomOf(text: string): Promise<RoomId> {
    if (text.startsWith("!")) return RoomId(text);
    if (!text.startsWith("#"))
      throw new ServiceError("invalid", `${text} is not a room: give its id (!…) or its alias (#name:server).`);
    const resolved = await this.runtime.client.directory.resolveAlias(RoomAlias(text));
    if (!resolved.ok) throw unavailable(resolved.failure);
    if (resolved.body === null) throw new ServiceError("notFound", `There is no room ${text}.`);
    return resolved.body.roomId;
  }

  /** @throws ServiceError */
  #refuseBanned(room: string): void {
    if (this.permissions.bansRoom(room))
      throw new ServiceError("forbidden", `The room ${room} is banned by a policy list of the bridge's operator.`);
  }

  async #enter(text: string): Promise<RoomId> {
    this.#refuseBanned(text);
    const roomId = await this.roomOf(text);
    this.#refuseBanned(roomId);
    const joined = await this.runtime.client.joinRoom(roomId);
    if (joined.ok) return roomId;
    if (joined.failure.kind !== "answered") throw unavailable(joined.failure);
    throw new ServiceError("forbidden", `The bridge bot cannot join the room: invite ${this.runtime.bot} first.`);
  }

  /** Whether somebody may decide about what the room is linked to. @throws ServiceError */
  async authorise(room: RoomId, user: UserId): Promise<void> {
    if (this.permissions.bans(user)) throw new ServiceError("forbidden", bannedText);
    if (!this.permissions.atLeast(user, "user")) {
      throw new ServiceError(
        "forbidden",
        "You may not link rooms here: the operator of the bridge decides who may, with permissions in its configuration.",
      );
    }
    if (this.permissions.atLeast(user, "admin")) return;
    const power = await powerToSetState(this.runtime.client, room, user, "m.bridge");
    if (!power.ok) throw unavailable(power.failure);
    if (power.body.user < power.body.needed) {
      throw new ServiceError(
        "forbidden",
        `You need power level ${power.body.needed} in the room to link or unlink it; you have ${power.body.user}. Ask a moderator of the room.`,
      );
    }
  }

  /** @throws ServiceError */
  async refuseEncrypted(room: RoomId): Promise<void> {
    const state = await this.runtime.client.getState({ room, type: "m.room.encryption" });
    if (!state.ok) throw unavailable(state.failure);
    await this.runtime.rooms.setEncrypted(room, state.body !== null);
    if (state.body !== null) {
      throw new ServiceError(
        "invalid",
        "The room is encrypted, and what the bridge writes would not be. Link a room without encryption.",
      );
    }
  }

  async #resolve(text: string, room: RoomId): Promise<ChannelInfo> {
    const { resolveChannel } = this.runtime.handlers;
    if (!resolveChannel) return { id: ChannelId(text), name: text };
    let found: ChannelInfo | null;
    try {
      found = await resolveChannel(text, room);
    } catch (error) {
      throw new ServiceError("invalid", error instanceof Error ? error.message : String(error));
    }
    if (!found) throw new ServiceError("notFound", `There is no channel ${text} on ${this.runtime.networkName}.`);
    return found;
  }
}

/** For whoever is banned; which list it is, and why, is not theirs to know. */
export const bannedText =
  "You may not use this bridge: you, or your homeserver, are banned by a moderation policy that its operator follows. Nothing you write is passed on.";

function matches(link: Link, text: string | undefined): boolean {
  return text === undefined || link.channel === text || link.channelName === text || link.channel.endsWith(`/${text}`);
}

/** Whether it is this link that the configuration asks for. */
export function makes(configured: BridgeConfig["links"][number], link: Link): boolean {
  return configured.room === link.room && matches(link, configured.channel);
}

function unavailable(failure: MatrixFailure): ServiceError {
  return new ServiceError("unavailable", `The homeserver refused or did not answer: ${failure.message}`);
}

/** Asks the connector, whose errors are for the person. @throws ServiceError */
export async function askConnector<T>(runtime: BridgeRuntime, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await runtime.deadlines.run(
      (running) => ask(running.signal),
      (error) => runtime.log.warn({ err: error }, "A connector failed after Trestle had stopped waiting for it"),
    );
  } catch (error) {
    throw new ServiceError("invalid", error instanceof Error ? error.message : String(error));
  }
}
