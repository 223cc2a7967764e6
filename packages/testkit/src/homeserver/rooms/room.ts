import type { Clock } from "../clock.js";
import { MatrixError } from "../errors.js";
import { randomId } from "../ids.js";
import type { JsonObject } from "../json.js";
import { stringField } from "../json.js";
import type { EventDraft, StoredEvent } from "./event.js";
import { redactedContent, relationOf } from "./event.js";
import type { PowerLevels } from "./power-levels.js";
import { readPowerLevels } from "./power-levels.js";

export type RoomVersion = "11" | "12";
export type Membership = "join" | "invite" | "knock" | "leave" | "ban";

export interface Receipt {
  readonly eventId: string;
  readonly timestamp: number;
  readonly threadId: string | undefined;
  readonly position: number;
}

/** One room: its timeline, its present state and the indexes that keep every question about it O(1) or O(answer). */
export class Room {
  readonly events: StoredEvent[] = [];
  readonly #state = new Map<string, Map<string, StoredEvent>>();
  readonly #membershipHistory = new Map<string, { position: number; membership: Membership }[]>();
  readonly #annotations = new Map<string, StoredEvent>();
  readonly #joined = new Set<string>();
  /** User ids with infinite power (room version 12); empty in version 11. */
  readonly creators = new Set<string>();
  readonly aliases = new Set<string>();
  /** Typing users with the time (ms since the epoch) at which it lapses. */
  readonly typing = new Map<string, number>();
  typingPosition = 0;
  /** Receipts by type, then by user (and thread). */
  readonly receipts = new Map<string, Map<string, Receipt>>();
  /** Number of joined members an application service is interested in, by its id. */
  readonly interest = new Map<string, number>();
  published = false;
  lastPosition = 0;
  #power: PowerLevels | undefined;

  constructor(
    readonly id: string,
    readonly version: RoomVersion,
    private readonly clock: Clock,
  ) {}

  state(type: string, stateKey = ""): StoredEvent | undefined {
    return this.#state.get(type)?.get(stateKey);
  }

  /** All events of the present state, in no particular order. */
  *currentState(): Iterable<StoredEvent> {
    for (const byKey of this.#state.values()) yield* byKey.values();
  }

  stateOfType(type: string): ReadonlyMap<string, StoredEvent> {
    return this.#state.get(type) ?? new Map<string, StoredEvent>();
  }

  /** The state as it was just after stream position `position`. */
  *stateAt(position: number): Iterable<StoredEvent> {
    for (const current of this.currentState()) {
      let event: StoredEvent | undefined = current;
      while (event !== undefined && event.position > position) event = event.replaces;
      if (event !== undefined) yield event;
    }
  }

  get joined(): ReadonlySet<string> {
    return this.#joined;
  }

  membership(userId: string): Membership | undefined {
    const event = this.state("m.room.member", userId);
    return event === undefined ? undefined : membershipOf(event.content);
  }

  membershipAt(userId: string, position: number): Membership | undefined {
    const history = this.#membershipHistory.get(userId);
    return history?.findLast((entry) => entry.position <= position)?.membership;
  }

  /** Every change of `userId`'s membership, oldest first. */
  memberships(userId: string): readonly { readonly position: number; readonly membership: Membership }[] {
    return this.#membershipHistory.get(userId) ?? [];
  }

  get power(): PowerLevels {
    this.#power ??= readPowerLevels(this.state("m.room.power_levels")?.content, this.creators, this.#creator());
    return this.#power;
  }

  get joinRule(): string {
    return stringField(this.state("m.room.join_rules")?.content ?? {}, "join_rule") ?? "invite";
  }

  get historyVisibility(): string {
    return stringField(this.state("m.room.history_visibility")?.content ?? {}, "history_visibility") ?? "shared";
  }

  /** The event of `sender` that already annotates `target` with `key`. */
  annotation(target: string, key: string, sender: string, type: string): StoredEvent | undefined {
    return this.#annotations.get(JSON.stringify([target, key, sender, type]));
  }

  /** Index of the first event whose position is greater than `position`. */
  indexAfter(position: number): number {
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.events[middle]?.position ?? Infinity) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Appends without asking the authorisation rules; `position` must be greater than every earlier one. */
  append(draft: EventDraft, position: number, eventId = `$${randomId(32)}`): StoredEvent {
    const event: StoredEvent = {
      eventId,
      roomId: this.id,
      type: draft.type,
      sender: draft.sender,
      stateKey: draft.stateKey,
      timestamp: draft.timestamp ?? this.clock.now(),
      clock: this.clock,
      content: draft.content,
      redacts: draft.redacts,
      position,
      index: this.events.length,
      replaces: draft.stateKey === undefined ? undefined : this.state(draft.type, draft.stateKey),
      transaction: draft.transaction,
      redactedBecause: undefined,
      preview: undefined,
      children: undefined,
    };
    this.events.push(event);
    this.lastPosition = position;
    if (event.stateKey !== undefined) this.#applyState(event, event.stateKey);
    return event;
  }

  /** Records that `event` relates to `target`. */
  relate(target: StoredEvent, event: StoredEvent): void {
    (target.children ??= []).push(event);
    const relation = relationOf(event.content);
    if (relation?.type === "m.annotation" && relation.key !== undefined) {
      this.#annotations.set(JSON.stringify([relation.eventId, relation.key, event.sender, event.type]), event);
    }
  }

  /** Prunes `target`'s content and takes it out of the relations of `parent`. */
  redact(target: StoredEvent, because: StoredEvent, parent: StoredEvent | undefined): void {
    if (target.type === "m.room.create") throw new MatrixError(403, "M_FORBIDDEN", "A create event cannot be redacted");
    const relation = relationOf(target.content);
    if (relation?.key !== undefined) {
      this.#annotations.delete(JSON.stringify([relation.eventId, relation.key, target.sender, target.type]));
    }
    if (parent?.children !== undefined) parent.children = parent.children.filter((child) => child !== target);
    target.content = redactedContent(target.type, target.content);
    target.redactedBecause = because;
    if (target.stateKey !== undefined) this.#power = undefined;
  }

  #applyState(event: StoredEvent, stateKey: string): void {
    let byKey = this.#state.get(event.type);
    if (byKey === undefined) this.#state.set(event.type, (byKey = new Map<string, StoredEvent>()));
    byKey.set(stateKey, event);
    if (event.type === "m.room.member") this.#applyMembership(stateKey, event);
    if (event.type === "m.room.power_levels" || event.type === "m.room.create") this.#power = undefined;
  }

  #applyMembership(userId: string, event: StoredEvent): void {
    const membership = membershipOf(event.content) ?? "leave";
    if (membership === "join") this.#joined.add(userId);
    else this.#joined.delete(userId);
    const history = this.#membershipHistory.get(userId);
    const entry = { position: event.position, membership };
    if (history === undefined) this.#membershipHistory.set(userId, [entry]);
    else history.push(entry);
  }

  #creator(): string | undefined {
    return this.state("m.room.create")?.sender;
  }
}

/** The `membership` of a member event's content, if it is one of the five. */
export function membershipOf(content: JsonObject): Membership | undefined {
  const membership = content["membership"];
  switch (membership) {
    case "join":
    case "invite":
    case "knock":
    case "leave":
    case "ban":
      return membership;
    default:
      return undefined;
  }
}
