import { isRecord } from "../../appservice/event.js";
import type { SpaceInfo } from "../../connector/channel-info.js";
import type { RemoteAvatar } from "../../connector/events.js";
import { UserId, type ContentUri, type RoomId } from "../../connector/ids.js";
import type { Space, Spaces } from "../../mapping/spaces.js";
import { classify } from "../../matrix/failure.js";
import type { MatrixResult } from "../../matrix/result.js";
import type { Write } from "../../store/writes.js";
import { findMadeRoom } from "../made-rooms.js";
import type { BridgeRuntime } from "../runtime.js";

export interface SpaceRoomParts {
  readonly runtime: BridgeRuntime;
  readonly spaces: Spaces;
  readonly upload: (picture: RemoteAvatar, asUser: UserId) => Promise<MatrixResult<{ readonly uri: ContentUri }>>;
}

/** A space whose room is known. */
export interface KnownSpace extends Space {
  readonly room: RoomId;
}

/** In the `m.room.create` of a space that the bridge made: of which bridge and which space of the network it is. */
const originKey = "dev.trestle.space";

/** Makes the Matrix space of a space of the network, once, and gives it that space's name, topic and picture. */
export class SpaceRoom {
  constructor(readonly parts: SpaceRoomParts) {}

  async ensure(info: SpaceInfo): Promise<MatrixResult<KnownSpace>> {
    const { spaces } = this.parts;
    const known = await spaces.find(info.id);
    const space = known ?? (await spaces.add(info.id));
    const found = space.room === undefined ? await this.#settle(space, info, known !== undefined) : space.room;
    if (typeof found === "object") {
      if (!found.ok) return found;
      return this.#describe({ ...space, room: found.body, name: info.name, topic: info.topic ?? "" }, info);
    }
    return this.#describe({ ...space, room: found }, info);
  }

  /** One that was begun may have been made just before an end of the process: it is looked for before another is made. */
  async #settle(space: Space, info: SpaceInfo, begun: boolean): Promise<MatrixResult<RoomId>> {
    const { runtime } = this.parts;
    const made = begun
      ? await findMadeRoom(runtime.client, originKey, this.#origin(space.id))
      : { ok: true as const, body: undefined };
    if (!made.ok) return made;
    const room = made.body === undefined ? await this.#create(info) : { ok: true as const, body: made.body };
    if (!room.ok) return room;
    // A space that was found may be called otherwise.
    const said = made.body === undefined ? [info.name, info.topic ?? ""] : ["", ""];
    await runtime.store.commit([["setSpaceRoom", room.body, said[0] ?? "", said[1] ?? "", space.key]]);
    runtime.log.info({ space: space.id, room: room.body }, "A space was made");
    return room;
  }

  async #create({ id, name, topic }: SpaceInfo): Promise<MatrixResult<RoomId>> {
    const { client, config } = this.parts.runtime;
    const isPublic = config.spaces.join === "public";
    const created = await client.createRoom({
      name,
      ...(topic !== undefined && { topic }),
      preset: isPublic ? "public_chat" : "private_chat",
      visibility: "private",
      invite: this.#invited(),
      creationContent: { type: "m.space", [originKey]: this.#origin(id) },
      powerLevels: { events_default: 50 },
    });
    return created.ok ? { ok: true, body: created.body.roomId } : created;
  }

  #origin(id: string): string {
    return `${this.parts.runtime.name} ${id}`;
  }

  #invited(): readonly UserId[] {
    const { config, global } = this.parts.runtime;
    if (config.spaces.invite.length > 0) return config.spaces.invite.map(UserId);
    const admins = Object.entries(global.permissions).filter(
      ([who, level]) => level === "admin" && who.startsWith("@"),
    );
    return admins.map(([who]) => UserId(who));
  }

  /** What the homeserver refuses for good is left as it is. */
  async #describe(space: KnownSpace, { name, topic = "", picture }: SpaceInfo): Promise<MatrixResult<KnownSpace>> {
    const changes: [string, Readonly<Record<string, unknown>>, Write][] = [];
    if (space.name !== name) changes.push(["m.room.name", { name }, ["setSpaceName", name, space.key]]);
    if (space.topic !== topic) changes.push(["m.room.topic", { topic }, ["setSpaceTopic", topic, space.key]]);
    if (picture !== undefined && picture.id !== space.picture) {
      const shown = picture.url === "" ? {} : await this.#picture(picture);
      if (shown) changes.push(["m.room.avatar", shown, ["setSpacePicture", picture.id, space.key]]);
    }
    for (const [type, content, write] of changes) {
      const set = await this.parts.runtime.client.sendState({ room: space.room, type, content });
      if (!set.ok && classify(set.failure).action === "retry") return set;
      if (!set.ok)
        this.parts.runtime.log.warn({ room: space.room, type, failure: set.failure }, "A space may not be described");
      await this.parts.runtime.store.commit([write]);
    }
    return { ok: true, body: space };
  }

  async #picture(picture: RemoteAvatar): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { runtime, upload } = this.parts;
    const uploaded = await upload(picture, runtime.bot);
    if (uploaded.ok) return { url: uploaded.body.uri };
    runtime.log.info({ failure: uploaded.failure }, "The picture of a space could not be taken over");
    return undefined;
  }
}

/** Whether somebody has to do with a room already: is in it, is invited, or has left it. */
export function isKnownThere(member: Readonly<Record<string, unknown>> | null): boolean {
  return isRecord(member) && typeof member.membership === "string";
}
