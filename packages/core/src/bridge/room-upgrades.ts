import type { MatrixEvent } from "../appservice/event.js";
import { RoomAlias, RoomId, type UserId } from "../connector/ids.js";
import { dead, done, toMatrix, type Verdict } from "../delivery/entry.js";
import { classify } from "../matrix/failure.js";
import type { Write } from "../store/writes.js";
import { isRecord } from "../appservice/event.js";
import { replacementOf, type AwaitedRooms } from "./awaited-rooms.js";
import { publishBridgeInfo } from "./bridge-info.js";
import type { Memberships } from "./memberships.js";
import type { MissedEvents } from "./missed-events.js";
import { ghostIn } from "./room-eyes.js";
import type { BridgeRuntime } from "./runtime.js";
import { verdictOf } from "./to-matrix/send.js";

/**
 * Follows a room to its replacement (`m.room.tombstone`): joins it, then moves links, ghosts, aliases and what waits,
 * and takes what was said in the new room before.
 * Every step can be repeated, so that a crash in the middle goes on after the restart.
 */
export class RoomUpgrades {
  constructor(
    readonly runtime: BridgeRuntime,
    readonly memberships: Memberships,
    readonly awaited: AwaitedRooms,
    readonly missed: MissedEvents,
    /** The connector's aliases are the bridge's own to move. */
    readonly isOwnAlias: (alias: string) => boolean,
  ) {}

  async follow(event: MatrixEvent): Promise<Verdict> {
    const to = replacementOf(event);
    if (to === undefined) return done();
    const verdict = await this.#follow(event, to);
    if (verdict.verdict !== "retry") this.awaited.over(to);
    return verdict;
  }

  /** A tombstone will not be followed: what waits for that goes its own way. */
  givenUp(event: MatrixEvent): void {
    const to = replacementOf(event);
    if (to !== undefined) this.awaited.over(to);
  }

  async #follow(event: MatrixEvent, to: RoomId): Promise<Verdict> {
    const { runtime } = this;
    const from = RoomId(event.room_id);
    const links = await runtime.links.ofRoom(from);
    const old = await runtime.rooms.find(from);
    if (links.length === 0 && old?.replacement === undefined) return done();

    const entered = await this.#enter(event, to);
    if ("verdict" in entered) return entered;
    const { asUser } = entered;
    const state = await runtime.client.getRoomState(to, { asUser });
    if (!state.ok) return verdictOf(state.failure);
    const predecessor = state.body.find((each) => each.type === "m.room.create")?.content.predecessor;
    if (!isRecord(predecessor) || predecessor.room_id !== from) {
      return dead(
        `The room ${to} does not say that it replaces ${from}: the links stay where they are. Link the new room by hand if you trust it.`,
      );
    }
    const encrypted = state.body.some((each) => each.type === "m.room.encryption");
    await this.#move(from, to, encrypted);
    if (asUser !== undefined) await this.memberships.entered(to, asUser);
    const read = await this.missed.readWhole(to);
    if (!read.ok && classify(read.failure).action === "retry") return verdictOf(read.failure);
    if (!read.ok)
      runtime.log.warn(
        { from, to, failure: read.failure },
        "What was said in an upgraded room before the bridge came cannot be read",
      );
    const moved = await this.#moveAliases(from, to);
    if (moved) return moved;
    for (const link of await runtime.links.ofRoom(to)) {
      await publishBridgeInfo(runtime, to, { id: link.channel, name: link.channelName }, true);
      await runtime.handlers.linked?.({ channel: link.channel, room: to, kind: link.kind });
    }
    runtime.log.info({ from, to }, "Followed a room upgrade");
    return done();
  }

  /** Resolves to who is in the room now: the bot, where `asUser` is absent, or in a conversation without it the ghost. */
  async #enter({ room_id: from, sender }: MatrixEvent, to: RoomId): Promise<{ readonly asUser?: UserId } | Verdict> {
    const { runtime } = this;
    const { client, links } = runtime;
    const via = viaOf(sender);
    const joined = await client.joinRoom(to, { via });
    if (joined.ok) return {};
    if (classify(joined.failure).action === "retry") return verdictOf(joined.failure);
    const known = [...(await links.ofRoom(from)), ...(await links.ofRoom(to))];
    const isConversation = known.some(({ kind }) => kind === "direct");
    const ghost = isConversation ? ((await ghostIn(runtime, RoomId(from))) ?? (await ghostIn(runtime, to))) : undefined;
    const entered = ghost === undefined ? joined : await client.joinRoom(to, { via, asUser: ghost });
    if (entered.ok) return ghost === undefined ? {} : { asUser: ghost };
    if (classify(entered.failure).action === "retry") return verdictOf(entered.failure);
    return {
      verdict: "retry",
      reason: `the upgraded room ${to} cannot be joined yet: invite ${ghost ?? runtime.bot} to it (${entered.failure.message})`,
      transport: true,
      afterMs: 10_000,
    };
  }

  async #move(from: RoomId, to: RoomId, encrypted: boolean): Promise<void> {
    const { runtime } = this;
    const [old, replacement] = [await runtime.rooms.ensure(from), await runtime.rooms.ensure(to)];
    await runtime.rooms.setEncrypted(to, encrypted);
    // In one commit: what comes from the network waits for it, and goes behind what waits for the old room.
    const commit = (waiting: readonly Write[]) =>
      runtime.links.move([
        ["moveMemberships", replacement.key, old.key],
        ["moveLinks", replacement.key, old.key],
        ["setReplacement", to, from],
        ...waiting,
      ]);
    const flow = runtime.journal.flow(toMatrix);
    await (flow ? flow.relane(from, to, (move) => commit([move])) : commit([]));
    runtime.rooms.forget(from);
    this.memberships.hurry();
  }

  /** The homeserver moves the aliases it may; ours it may not. */
  async #moveAliases(from: RoomId, to: RoomId): Promise<Verdict | undefined> {
    const { client } = this.runtime;
    // The main one is in the room's state as well: also after a crash between its two steps.
    const canonical = await client.getState({ room: from, type: "m.room.canonical_alias" });
    const others = await client.directory.aliasesOf(from);
    for (const read of [canonical, others])
      if (!read.ok && classify(read.failure).action === "retry") return verdictOf(read.failure);
    const main = canonical.ok ? canonical.body?.alias : undefined;
    const all = new Set([...(typeof main === "string" ? [main] : []), ...(others.ok ? others.body : [])]);
    for (const alias of all) {
      const notNow = this.isOwnAlias(alias) ? await this.#moveAlias(RoomAlias(alias), to) : undefined;
      if (notNow) return notNow;
    }
    return undefined;
  }

  async #moveAlias(alias: RoomAlias, to: RoomId): Promise<Verdict | undefined> {
    const { directory } = this.runtime.client;
    const target = await directory.resolveAlias(alias);
    if (!target.ok) return classify(target.failure).action === "retry" ? verdictOf(target.failure) : undefined;
    if (target.body?.roomId === to) return undefined;
    if (target.body !== null) await directory.deleteAlias(alias);
    const set = await directory.setAlias(alias, to);
    return !set.ok && classify(set.failure).action === "retry" ? verdictOf(set.failure) : undefined;
  }
}

/** A server that knows the room: the sender's. */
export function viaOf(user: string): readonly string[] {
  return [user.slice(user.indexOf(":") + 1)];
}
