import type { MatrixEvent } from "../appservice/event.js";
import { RoomAlias, RoomId } from "../connector/ids.js";
import { dead, done, toMatrix, toNetwork, type Verdict } from "../delivery/entry.js";
import { classify } from "../matrix/failure.js";
import type { Write } from "../store/writes.js";
import { isRecord } from "../appservice/event.js";
import { replacementOf, type AwaitedRooms } from "./awaited-rooms.js";
import { publishBridgeInfo } from "./bridge-info.js";
import type { Memberships } from "./memberships.js";
import type { MissedEvents } from "./missed-events.js";
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

  /** The bot has come to a room: where it is the one that an upgrade leads to, the rest follows at once. */
  entered(room: RoomId): void {
    if (this.awaited.has(room)) this.runtime.journal.flow(toNetwork)?.wake();
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

    const server = event.sender.slice(event.sender.indexOf(":") + 1);
    const joined = await runtime.client.joinRoom(to, { via: [server] });
    if (!joined.ok) {
      if (classify(joined.failure).action === "retry") return verdictOf(joined.failure);
      return {
        verdict: "retry",
        reason: `the upgraded room ${to} cannot be joined yet: invite ${runtime.bot} to it (${joined.failure.message})`,
        transport: true,
        afterMs: 10_000,
      };
    }
    const state = await runtime.client.getRoomState(to);
    if (!state.ok) return verdictOf(state.failure);
    const predecessor = state.body.find((each) => each.type === "m.room.create")?.content.predecessor;
    if (!isRecord(predecessor) || predecessor.room_id !== from) {
      return dead(
        `The room ${to} does not say that it replaces ${from}: the links stay where they are. Link the new room by hand if you trust it.`,
      );
    }
    const encrypted = state.body.some((each) => each.type === "m.room.encryption");
    await this.#move(from, to, encrypted);
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
