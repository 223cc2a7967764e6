import type { MatrixEvent } from "../appservice/event.js";
import type { RoomId, UserId } from "../connector/ids.js";
import { toNetwork } from "../delivery/entry.js";
import type { ClientEvent } from "../matrix/answers.js";
import type { MatrixResult } from "../matrix/result.js";
import { isTaken } from "./event-types.js";
import type { Write } from "../store/writes.js";
import { ghostIn, isForbidden } from "./room-eyes.js";
import type { BridgeRuntime } from "./runtime.js";

/** Of one room 10,000 events are looked through: what was said on the network is among them. */
const pages = 100;
const pageSize = 100;
const pageTimeoutMs = 20_000;
/** How far the clocks of the homeserver and of this machine may differ. */
const clockSkewMs = 10 * 60_000;

/** In which lane the events of a room wait while it is looked through. */
export function heldLane(room: string): string {
  return `held ${room}`;
}

export interface Unknown {
  /** Oldest first. Some of them may wait to be taken already. */
  readonly events: readonly MatrixEvent[];
  /** How many of them the homeserver has not handed over. */
  readonly missed: number;
}

export interface Coming {
  /** The id of the event. */
  readonly invite: string;
  readonly user: UserId;
}

/** Compares a room's history with the journal. */
export class RoomHistory {
  constructor(readonly runtime: BridgeRuntime) {}

  /**
   * The events of others since `since` (in milliseconds since 1970) that the journal does not know. `whole`: of a room
   * that the bridge has just come to, from its beginning on; its state is then not news to anybody.
   */
  async unknown(room: RoomId, since: number, whole: boolean): Promise<MatrixResult<Unknown>> {
    const oldest = await this.#oldest(room, since);
    const found: MatrixEvent[] = [];
    let missed = 0;
    let asUser: UserId | undefined;
    let from: string | undefined;
    for (let count = 0; count < pages; count += 1) {
      let page = await this.#page(room, asUser, from);
      if (isForbidden(page) && asUser === undefined) {
        // In a direct room only the ghost can look.
        asUser = await ghostIn(this.runtime, room);
        if (asUser !== undefined) page = await this.#page(room, asUser, from);
      }
      if (!page.ok) return page;
      const { events, end } = page.body;
      const entered = whole ? -1 : events.findIndex((event) => isEntry(event, this.runtime.bot));
      const recent = (entered < 0 ? events : events.slice(0, entered)).filter((event) => event.at >= oldest);
      const wanted = recent.filter((event) => this.#isWanted(event, whole));
      const known = await this.#known(room, wanted, whole);
      for (const event of wanted) {
        const lane = known.get(event.eventId);
        if (lane === "taken") continue;
        if (lane === undefined) missed += 1;
        found.push(toMatrixEvent(room, event));
      }
      // Where a whole page is known nothing is missing before it.
      const reached = wanted.length > 0 && wanted.every((event) => known.get(event.eventId) === "taken");
      if (end === undefined || entered >= 0 || recent.length === 0 || reached) break;
      from = end;
      if (count === pages - 1)
        this.runtime.log.warn(
          { room, events: pages * pageSize },
          "More was said in a room than is looked through: what the homeserver lost before that stays lost",
        );
    }
    return { ok: true, body: { events: found.reverse(), missed } };
  }

  /**
   * What was said between an invite and the coming of whom it asked, a user of the bridge's: homeservers hand over only
   * what follows that. Nothing where one of the two cannot be found.
   */
  async beforeComing(room: RoomId, { invite, user }: Coming): Promise<MatrixResult<readonly MatrixEvent[]>> {
    const found: MatrixEvent[] = [];
    let hasCome = false;
    let from: string | undefined;
    for (let count = 0; count < pages; count += 1) {
      const page = await this.#page(room, user, from);
      if (!page.ok) return page;
      for (const event of page.body.events) {
        if (event.eventId === invite) return { ok: true, body: found.reverse() };
        if (hasCome && this.#isWanted(event, true)) found.push(toMatrixEvent(room, event));
        hasCome ||= isEntry(event, user);
      }
      if (page.body.end === undefined) break;
      from = page.body.end;
    }
    return { ok: true, body: [] };
  }

  /** Whether an event was taken before. */
  async isTaken(room: RoomId, event: MatrixEvent): Promise<boolean> {
    return (await this.#known(room, [{ eventId: event.event_id }], false)).get(event.event_id) === "taken";
  }

  #page(room: RoomId, asUser: UserId | undefined, from: string | undefined) {
    return this.runtime.client.messages({
      room,
      dir: "b",
      limit: pageSize,
      timeoutMs: pageTimeoutMs,
      asUser,
      ...(from !== undefined && { from }),
    });
  }

  /** Nothing older is taken: it was never for us, would come too late, or may have been forgotten by the journal. */
  async #oldest(room: RoomId, since: number): Promise<number> {
    const { store, clock, global, key } = this.runtime;
    const link = await store.get<{ at: number | null }>(
      "SELECT min(link.at) AS at FROM link JOIN room ON room.id = link.room JOIN channel ON channel.id = link.channel WHERE room.room = ? AND channel.bridge = ?",
      room,
      key,
    );
    const { maxAgeToNetwork, remember } = global.delivery;
    const now = clock.now();
    const tooOld = maxAgeToNetwork > 0 ? now - maxAgeToNetwork : 0;
    return Math.max(since - clockSkewMs, link?.at ?? now, tooOld, now - remember + clockSkewMs);
  }

  #isWanted(event: ClientEvent, whole: boolean): boolean {
    if (this.runtime.isOwn(event.sender) || !isTaken(event.type)) return false;
    return (
      !whole || event.stateKey === undefined || event.type === "m.room.tombstone" || event.type === "m.room.encryption"
    );
  }

  /**
   * Of these events, those in the journal: taken, or waiting until the room was looked through. Where the room was linked
   * to nothing when they came (`whole`), what was taken for the room itself has not reached its channels.
   */
  async #known(
    room: RoomId,
    events: readonly { readonly eventId: string }[],
    whole: boolean,
  ): Promise<ReadonlyMap<string, "taken" | "held">> {
    const known = new Map<string, "taken" | "held">();
    if (events.length === 0) return known;
    const { store, key, links } = this.runtime;
    const channels = (await links.ofRoom(room)).map(({ channel }): string => channel);
    const taken = whole ? channels : [...channels, room];
    const lanes = [heldLane(room), ...taken];
    const found = await store.commit(
      events.flatMap(({ eventId }) => lanes.map((lane): Write => ["known", key, toNetwork, lane, eventId])),
    );
    for (const [index, { eventId }] of events.entries()) {
      const [isHeld, ...isTaken] = found.slice(index * lanes.length, (index + 1) * lanes.length);
      if (isTaken.includes(1)) known.set(eventId, "taken");
      else if (isHeld === 1) known.set(eventId, "held");
    }
    return known;
  }
}

/** Somebody comes in: what was said before the first of the bridge's came was never handed over. */
function isEntry({ type, stateKey, content, unsigned }: ClientEvent, user: UserId): boolean {
  if (type !== "m.room.member" || stateKey !== user || content.membership !== "join") return false;
  const before = unsigned?.prev_content;
  return !(typeof before === "object" && before !== null && "membership" in before && before.membership === "join");
}

function toMatrixEvent(room: RoomId, event: ClientEvent): MatrixEvent {
  return {
    event_id: event.eventId,
    room_id: room,
    type: event.type,
    sender: event.sender,
    origin_server_ts: event.at,
    content: event.content,
    ...(event.stateKey !== undefined && { state_key: event.stateKey }),
    ...(event.redacts !== undefined && { redacts: event.redacts }),
    ...(event.unsigned !== undefined && { unsigned: event.unsigned }),
  };
}
