import type { ChannelChanged, ExpulsionReceived, RolesReceived } from "../../connector/events.js";
import type { RoomId, UserId } from "../../connector/ids.js";
import type { ChannelSettings, RoleChange } from "../../connector/roles.js";
import { dead, done, type Verdict } from "../../delivery/entry.js";
import { encodeGhostLocalpart } from "../../mapping/ghost-id.js";
import { isUserId } from "../../mapping/identifiers.js";
import type { Link } from "../../mapping/links.js";
import type { Room } from "../../mapping/rooms.js";
import { classify } from "../../matrix/failure.js";
import type { MatrixFailure } from "../../matrix/result.js";
import type { Ghosts } from "../ghosts.js";
import type { BridgeRuntime } from "../runtime.js";
import { verdictOf } from "../to-matrix/send.js";
import { levelOf, levelToSet, type WantedLevels, withLevels } from "./given-levels.js";
import { isCarried, powerOf } from "./ranks.js";
import { expel } from "./expulsion.js";
import { RoomCreators } from "./room-creators.js";
import { closedRoom, demanded, hiddenHistory, levelsBySettings } from "./room-settings.js";
import { isQuiet } from "./speaking-level.js";

type Content = Readonly<Record<string, unknown>>;

export interface ModerationParts {
  readonly runtime: BridgeRuntime;
  readonly ghosts: Ghosts;
  /** Who signed in as a person of the network. */
  readonly userOf: (remote: string) => UserId | undefined;
}

interface Place {
  readonly room: Room;
  readonly channelKey: number;
}

const refusedLevels =
  "The bridge bot may not change the power levels of the room. Give it the power to (`m.room.power_levels`), or switch that off with `roles` and `channelSettings`.";

/** Ranks and settings of channels, carried to their rooms where the operator lets them. */
export class ModerationToMatrix {
  readonly #creators: RoomCreators;

  constructor(readonly parts: ModerationParts) {
    this.#creators = new RoomCreators(parts.runtime.client);
  }

  async roles(place: Place, { changes, complete }: RolesReceived): Promise<Verdict> {
    const { runtime } = this.parts;
    const link = await this.#link(place);
    if (!link || !isCarried(runtime.config.roles, link.kind, "toMatrix")) return done();
    const wanted = new Map<string, number>();
    const overruled = new Set<string>();
    for (const change of changes) {
      const power = powerOf(change.role, runtime.config.roles.powers);
      for (const user of await this.#usersOf(change)) {
        wanted.set(user, Math.max(power, wanted.get(user) ?? 0));
        if (change.overrules === true) overruled.add(user);
      }
    }
    const others = (await runtime.links.ofRoom(place.room.id)).length > 1;
    // Of the people of another channel that is linked to the room this one says nothing.
    const asked = { wanted, overruled, complete: complete === true && !others };
    return this.#changeLevels(place.room.id, (content, facts) => withLevels(content, { ...asked, ...facts }));
  }

  /** A Matrix user was removed from the channel. */
  async expel(place: Place, event: ExpulsionReceived): Promise<Verdict> {
    const { runtime } = this.parts;
    const link = await this.#link(place);
    const mayBe = isUserId(event.userId) && !runtime.isOwn(event.userId);
    if (!link || !mayBe || !isCarried(runtime.config.channelSettings, link.kind, "toMatrix")) return done();
    return expel(runtime, place.room.id, event);
  }

  async settings(place: Place, { channel }: ChannelChanged, settings: ChannelSettings): Promise<Verdict | undefined> {
    const { runtime } = this.parts;
    const { id: room } = place.room;
    const link = await this.#link(place);
    if (!link || !isCarried(runtime.config.channelSettings, link.kind, "toMatrix")) return undefined;
    const linked = new Set<string>((await runtime.links.ofRoom(room)).map((each) => each.channel));
    const { moderated, topicLocked, inviteOnly, keyed, secret } = settings;
    // Where people of another channel speak too, the rules of one are not those of all.
    if (linked.size === 1 && (moderated !== undefined || topicLocked !== undefined)) {
      const { powers } = runtime.config.roles;
      const verdict = await this.#changeLevels(room, (content) => levelsBySettings(content, settings, powers));
      if (verdict.verdict !== "done") return verdict;
    }
    const failed =
      (await this.#demand(room, "m.room.join_rules", closedRoom, { inviteOnly, keyed }, channel, linked)) ??
      (await this.#demand(room, "m.room.history_visibility", hiddenHistory, { secret }, channel, linked));
    return failed ?? (secret === true ? this.#hide(room) : undefined);
  }

  /**
   * Lets a person of the network speak in a room that the bridge made a moderated one: the network let them.
   * Resolves to whether they can now.
   */
  async letSpeak(room: RoomId, user: UserId): Promise<boolean> {
    const { client, config, links } = this.parts.runtime;
    const carried = (await links.ofRoom(room)).some(({ kind }) => isCarried(config.channelSettings, kind, "toMatrix"));
    if (!carried) return false;
    const levels = await client.getState({ room, type: "m.room.power_levels" });
    if (!levels.ok || !isQuiet(levels.body ?? {}, "moderated") || isQuiet(levels.body ?? {}, "archived")) return false;
    const wanted = new Map([[user, config.roles.powers.speaker]]);
    const verdict = await this.#changeLevels(room, (content, facts) =>
      withLevels(content, { wanted, complete: false, ...facts }),
    );
    return verdict.verdict === "done";
  }

  async #link({ room, channelKey }: Place): Promise<Link | undefined> {
    return (await this.parts.runtime.links.ofRoom(room.id)).find((link) => link.channelKey === channelKey);
  }

  /** Whom a rank is about, in Matrix. Who has only a voice gets its power when they have a ghost. */
  async #usersOf({ who, role }: RoleChange): Promise<readonly string[]> {
    const { runtime, ghosts, userOf } = this.parts;
    if ("userId" in who) return isUserId(who.userId) && !runtime.isOwn(who.userId) ? [who.userId] : [];
    const { id } = who.remote;
    const ghost = await ghosts.find(id);
    const localpart =
      role === "speaker" ? undefined : encodeGhostLocalpart(runtime.ghostPrefix, id, runtime.serverName);
    const user = ghost?.user ?? (localpart && `@${localpart.localpart}:${runtime.serverName}`);
    const signedIn = userOf(id);
    return [user, signedIn].filter((each) => each !== undefined);
  }

  async #changeLevels(
    room: RoomId,
    change: (content: Content, facts: Pick<WantedLevels, "isGhost" | "most" | "creators">) => Content,
  ): Promise<Verdict> {
    const { runtime } = this.parts;
    const { client, bot } = runtime;
    const type = "m.room.power_levels";
    const levels = await client.getState({ room, type });
    if (!levels.ok) return refusedOr(levels.failure, "The bridge bot is not in the room. Invite it.");
    // Without power levels a room has those of its making: to write some would take everybody's.
    if (levels.body === null) return done();
    const creators = await this.#creators.of(room);
    if (!creators.ok) return verdictOf(creators.failure);
    const own = creators.body.has(bot) ? Number.POSITIVE_INFINITY : levelOf(levels.body, bot);
    const facts = {
      isGhost: (user: string) => runtime.isOwn(user),
      most: Math.min(100, own - 1),
      creators: creators.body,
    };
    const wanted = change(levels.body, facts);
    if (wanted === levels.body) return done();
    if (own < levelToSet(levels.body, type)) return dead(refusedLevels);
    const set = await client.sendState({ room, type, content: wanted });
    return set.ok ? done() : refusedOr(set.failure, refusedLevels);
  }

  async #demand(
    room: RoomId,
    type: string,
    strict: Content,
    reasons: Readonly<Record<string, boolean | undefined>>,
    channel: string,
    linked: ReadonlySet<string>,
  ): Promise<Verdict | undefined> {
    if (Object.values(reasons).every((reason) => reason === undefined)) return undefined;
    const { client } = this.parts.runtime;
    const state = await client.getState({ room, type });
    if (!state.ok) return refusedOr(state.failure, "The bridge bot is not in the room. Invite it.");
    const current = state.body ?? {};
    const wanted = demanded(current, strict, { channel, reasons, linked });
    if (wanted === current) return undefined;
    const set = await client.sendState({ room, type, content: wanted });
    return set.ok
      ? undefined
      : refusedOr(
          set.failure,
          `The bridge bot may not set ${type} of the room. Give it the power to, or switch that off with \`channelSettings\`.`,
        );
  }

  /** Out of the room directory; who wants it back there when the channel is no longer secret puts it there. */
  async #hide(room: RoomId): Promise<Verdict | undefined> {
    const { client, name } = this.parts.runtime;
    const unlisted = await client.directory.setNetworkVisibility(name, room, "private");
    if (!unlisted.ok && classify(unlisted.failure).action === "retry") return verdictOf(unlisted.failure);
    const hidden = await client.directory.setVisibility(room, "private");
    if (hidden.ok || classify(hidden.failure).action === "retry")
      return hidden.ok ? undefined : verdictOf(hidden.failure);
    return undefined;
  }
}

function refusedOr(failure: MatrixFailure, refused: string): Verdict {
  return classify(failure).action === "retry" ? verdictOf(failure) : dead(refused);
}
