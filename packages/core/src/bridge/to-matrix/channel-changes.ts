import type { ChannelChanged } from "../../connector/events.js";
import type { RoomId } from "../../connector/ids.js";
import { dead, done, type Entry, type Verdict } from "../../delivery/entry.js";
import type { Room } from "../../mapping/rooms.js";
import { classify } from "../../matrix/failure.js";
import type { MatrixFailure } from "../../matrix/result.js";
import { publishBridgeInfo } from "../bridge-info.js";
import type { ModerationToMatrix } from "../moderation/to-matrix.js";
import { isQuiet, loudAgain, quieted } from "../moderation/speaking-level.js";
import type { BridgeRuntime } from "../runtime.js";
import type { MatrixMedia } from "./media.js";
import { applyPicture } from "./picture.js";
import { applyPin } from "./pin.js";
import { verdictOf } from "./send.js";

export interface ChannelChangeParts {
  readonly runtime: BridgeRuntime;
  readonly moderation: ModerationToMatrix;
  readonly media: MatrixMedia;
  /** The bot says something in the room. */
  readonly say: (entry: Entry, room: RoomId, text: string) => Promise<Verdict>;
  /** The link of the room ends. */
  readonly unlink: (room: RoomId, channelKey: number) => Promise<void>;
}

interface Target {
  readonly entry: Entry;
  readonly room: Room;
  readonly channelKey: number;
}

const moderator = 50;

/** What happens to a channel, done to its room: its name, its topic, its picture, whether one can speak in it, its end. */
export class ChannelChanges {
  constructor(readonly parts: ChannelChangeParts) {}

  async apply(target: Target, event: ChannelChanged): Promise<Verdict> {
    const { topic, name, archived, deleted, notice, pin, settings, picture } = event;
    if (topic !== undefined) {
      const failed = await this.#set(target.room.id, "m.room.topic", "topic", topic);
      if (failed) return failed;
    }
    if (name !== undefined) {
      const failed = await this.#rename(target, event.channel, name);
      if (failed) return failed;
    }
    if (settings !== undefined) {
      const failed = await this.parts.moderation.settings(target, event, settings);
      if (failed) return failed;
    }
    if (picture !== undefined) {
      const failed = await applyPicture(this.parts.runtime, this.parts.media, target, picture);
      if (failed) return failed;
    }
    if (deleted === true || archived !== undefined) {
      const failed = await this.#close(target, event, deleted === true || archived === true);
      if (failed) return failed;
    } else if (notice !== undefined) {
      const said = await this.parts.say(target.entry, target.room.id, notice);
      if (said.verdict !== "done") return said;
    }
    if (deleted === true) await this.parts.unlink(target.room.id, target.channelKey);
    return pin ? applyPin(this.parts.runtime, target.room, target.channelKey, pin) : done();
  }

  async #rename(
    { room, channelKey }: Target,
    id: ChannelChanged["channel"],
    name: string,
  ): Promise<Verdict | undefined> {
    const { runtime } = this.parts;
    const channel = await runtime.links.channel(id);
    if (channel && channel.name !== name) {
      await runtime.links.renameChannel(channelKey, name);
      await publishBridgeInfo(runtime, room.id, { id, name }, true);
    }
    return this.#set(room.id, "m.room.name", "name", name);
  }

  async #set(room: RoomId, type: string, key: string, value: string): Promise<Verdict | undefined> {
    const { client } = this.parts.runtime;
    const current = await client.getState({ room, type });
    if (!current.ok && classify(current.failure).action === "retry") return verdictOf(current.failure);
    // The room says so already: either it was set from here, or an earlier attempt succeeded.
    if (current.ok && (current.body?.[key] ?? "") === value) return undefined;
    const set = await client.sendState({ room, type, content: { [key]: value } });
    if (set.ok) return undefined;
    return refusedOr(
      set.failure,
      `The bridge bot may not set the ${key} of the room. Give it the power to, or ignore this.`,
    );
  }

  /** The people of the room are told first: the bot may not be able to close it. */
  async #close(target: Target, event: ChannelChanged, close: boolean): Promise<Verdict | undefined> {
    const { client, links } = this.parts.runtime;
    const { entry, room } = target;
    const levels = await client.getState({ room: room.id, type: "m.room.power_levels" });
    if (!levels.ok) return refusedOr(levels.failure, "The bridge bot is not in the room. Invite it.");
    const content = levels.body ?? {};
    // An earlier attempt did it, or it was found again.
    if (isQuiet(content, "archived") === close && event.deleted !== true) return undefined;
    const said = await this.parts.say(entry, room.id, event.notice ?? (await this.#text(event, close)));
    if (said.verdict === "retry") return said;
    // Where another channel goes on, so does the room.
    const others = (await links.ofRoom(room.id)).filter((link) => link.channelKey !== target.channelKey);
    if (close && others.length > 0) return undefined;
    const wanted = close ? quieted(content, "archived", moderator) : loudAgain(content, "archived");
    if (isQuiet(content, "archived") === close) return undefined;
    const set = await client.sendState({ room: room.id, type: "m.room.power_levels", content: wanted });
    if (set.ok) return undefined;
    const what = close ? "make the room read-only" : "let people speak in the room again";
    return refusedOr(
      set.failure,
      `The bridge bot may not ${what}. Give it the power to, or change the power levels yourself.`,
    );
  }

  async #text({ by, deleted, channel: id }: ChannelChanged, close: boolean): Promise<string> {
    const { networkName, links } = this.parts.runtime;
    const who = by?.name === undefined ? "" : ` by ${by.name}`;
    const channel = (await links.channel(id))?.name ?? id;
    if (deleted === true) return `${channel} was deleted on ${networkName}${who}. This room is no longer linked to it.`;
    return close
      ? `${channel} was archived on ${networkName}${who}. Until that ends, only moderators can speak here.`
      : `${channel} was unarchived on ${networkName}${who}. Everybody can speak here again.`;
  }
}

function refusedOr(failure: MatrixFailure, refused: string): Verdict {
  return classify(failure).action === "retry" ? verdictOf(failure) : dead(refused);
}
