import type { SpaceInfo } from "../../connector/channel-info.js";
import { UserId, type ChannelId, type RoomId } from "../../connector/ids.js";
import { backoff } from "../../delivery/backoff.js";
import type { Link } from "../../mapping/links.js";
import { Spaces } from "../../mapping/spaces.js";
import { classify } from "../../matrix/failure.js";
import type { BridgeRuntime } from "../runtime.js";
import { isKnownThere, SpaceRoom, type KnownSpace, type SpaceRoomParts } from "./space-room.js";

export interface SpaceKeeperParts {
  readonly runtime: BridgeRuntime;
  readonly upload: SpaceRoomParts["upload"];
}

/** What is to be in a space. */
interface WantedSpace {
  readonly info: SpaceInfo;
  readonly rooms: Map<RoomId, Link>;
}

interface Wanted {
  readonly spaces: ReadonlyMap<string, WantedSpace>;
  /** Rooms of which it cannot be said now where they belong. */
  readonly unsure: ReadonlySet<RoomId>;
}

/** Changes that come together are dealt with together. */
const gatherMs = 20;

/**
 * Keeps the Matrix spaces as the links and the network say: what is to be is compared with what is on disk, whatever
 * changed, and again after a crash. Every step may be repeated. Nothing waits for it.
 */
export class SpaceKeeper {
  readonly #spaces: Spaces;
  readonly #rooms: SpaceRoom;
  #begun = false;
  #stopped = false;
  #running: Promise<void> | undefined;
  #again = false;
  #failures = 0;
  #cancel: (() => void) | undefined;

  constructor(readonly parts: SpaceKeeperParts) {
    const { runtime, upload } = parts;
    this.#spaces = new Spaces(runtime.store, runtime.key);
    this.#rooms = new SpaceRoom({ runtime, upload, spaces: this.#spaces });
    runtime.links.onChange = () => this.hurry();
  }

  /** The homeserver has let the bot in. */
  begin(): void {
    this.#begun = true;
    this.hurry();
  }

  /** Something may be different. */
  hurry(): void {
    if (!this.#begun || this.#stopped) return;
    if (this.#running) this.#again = true;
    else this.#after(gatherMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  #after(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.parts.runtime.clock.after(ms, () => {
      this.#cancel = undefined;
      this.#again = false;
      this.#running = this.#run();
    });
  }

  async #run(): Promise<void> {
    const { runtime } = this.parts;
    let settled = false;
    try {
      settled = await this.#compare();
    } catch (error) {
      runtime.log.error({ err: error }, "The spaces could not be brought up to date; it is tried again");
    }
    this.#running = undefined;
    if (this.#hasStopped()) return;
    this.#failures = settled ? 0 : this.#failures + 1;
    if (this.#again) this.#after(gatherMs);
    else if (!settled) this.#after(backoff(this.#failures, runtime.global.delivery));
  }

  /** Asked anew each time: it may become true during any wait. */
  #hasStopped(): boolean {
    return this.#stopped;
  }

  /** Resolves to whether everything is as it should be. */
  async #compare(): Promise<boolean> {
    const wanted = await this.#wanted();
    let settled = wanted.unsure.size === 0;
    const before = await this.#spaces.children();
    const inPlace = new Set(before.filter(({ done }) => done).map(({ space, room }) => `${space.id} ${room}`));
    for (const { info, rooms } of wanted.spaces.values()) {
      const space = await this.#rooms.ensure(info);
      if (!space.ok) {
        this.parts.runtime.log.warn({ space: info.id, failure: space.failure }, "A space could not be made yet");
        settled = false;
        continue;
      }
      for (const link of rooms.values())
        if (!this.#hasStopped() && !inPlace.has(`${info.id} ${link.room}`))
          settled = (await this.#put(space.body, link)) && settled;
    }
    for (const { space, room } of before) {
      const stays = wanted.spaces.get(space.id)?.rooms.has(room) === true || wanted.unsure.has(room);
      if (!stays && !this.#hasStopped()) settled = (await this.#takeOut(space.room, space.key, room)) && settled;
    }
    return settled;
  }

  async #wanted(): Promise<Wanted> {
    const { runtime } = this.parts;
    const spaces = new Map<string, WantedSpace>();
    const unsure = new Set<RoomId>();
    if (!runtime.config.spaces.enabled || !runtime.handlers.spaceOf) return { spaces, unsure };
    for (const link of await runtime.links.all()) {
      if (link.kind === "direct") continue;
      const info = await this.#spaceOf(link.channel);
      if (info === undefined) unsure.add(link.room);
      if (!info) continue;
      const space = spaces.get(info.id) ?? { info, rooms: new Map<RoomId, Link>() };
      space.rooms.set(link.room, link);
      spaces.set(info.id, space);
    }
    return { spaces, unsure };
  }

  /** `undefined` where it cannot be told now. */
  async #spaceOf(channel: ChannelId): Promise<SpaceInfo | null | undefined> {
    const { deadlines, handlers, log } = this.parts.runtime;
    try {
      return await deadlines.run(
        async () => (await handlers.spaceOf?.(channel)) ?? null,
        (error) => log.warn({ err: error }, "A connector failed after Trestle had stopped waiting for it"),
      );
    } catch (error) {
      log.debug({ err: error, channel }, "The connector cannot say now which space a channel is part of");
      return undefined;
    }
  }

  /** A room in which the bot may not say it is in the space all the same: clients show it, without the way back. */
  async #put(space: KnownSpace, { room, kind, by }: Link): Promise<boolean> {
    const { store, serverName, config } = this.parts.runtime;
    const via = [serverName];
    await store.commit([["addSpaceRoom", space.key, room]]);
    const inside =
      (await this.#set(space.room, "m.space.child", room, { via })) &&
      (await this.#set(room, "m.space.parent", space.room, { via, ...(kind === "portal" && { canonical: true }) }));
    if (!inside) return false;
    if (config.spaces.join === "invite" && by.startsWith("@") && !(await this.#invite(space.room, UserId(by))))
      return false;
    await store.commit([["spaceRoomDone", space.key, room]]);
    return true;
  }

  async #takeOut(space: RoomId | undefined, key: number, room: RoomId): Promise<boolean> {
    const { store } = this.parts.runtime;
    const out =
      space === undefined ||
      ((await this.#set(space, "m.space.child", room, {})) && (await this.#set(room, "m.space.parent", space, {})));
    if (out) await store.commit([["dropSpaceRoom", key, room]]);
    return out;
  }

  /** Who links a room is shown where it went. Who was in the space, and left, is not asked again. */
  async #invite(space: RoomId, user: UserId): Promise<boolean> {
    const { client, log } = this.parts.runtime;
    const member = await client.getState({ room: space, type: "m.room.member", stateKey: user });
    if (!member.ok) return classify(member.failure).action !== "retry";
    if (isKnownThere(member.body)) return true;
    const invited = await client.invite(space, user);
    if (invited.ok) return true;
    log.info({ space, user, failure: invited.failure }, "Somebody could not be invited to a space");
    return classify(invited.failure).action !== "retry";
  }

  /** `false`: not yet. What is refused for good is left as it is. */
  async #set(
    room: RoomId,
    type: string,
    stateKey: RoomId,
    content: Readonly<Record<string, unknown>>,
  ): Promise<boolean> {
    const { client, log } = this.parts.runtime;
    const sent = await client.sendState({ room, type, stateKey, content });
    if (sent.ok) return true;
    log.info({ room, type, failure: sent.failure }, "A room could not be put into its space, or taken out of it");
    return classify(sent.failure).action !== "retry";
  }
}
