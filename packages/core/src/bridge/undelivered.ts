import type { MatrixEvent } from "../appservice/event.js";
import { toMatrix, toNetwork, type DirectionCode, type Entry } from "../delivery/entry.js";
import type { BridgeRuntime } from "./runtime.js";
import type { ToMatrixPayload } from "./to-matrix/payload.js";
import type { ToNetworkPayload } from "./to-network/payload.js";

const perWindow = 5;
const windowMs = 60_000;

/** Tells whoever sent something that it could not be delivered: a few times a minute and room, so that an outage is no flood. */
export class Undelivered {
  readonly #told = new Map<string, { since: number; count: number }>();

  constructor(readonly runtime: BridgeRuntime) {}

  tell(direction: DirectionCode, entry: Entry, reason: string): void {
    if (direction === toNetwork) this.#tellRoom(entry, reason);
    else this.#tellChannel(entry, reason);
  }

  #tellRoom(entry: Entry, reason: string): void {
    const payload = entry.payload as ToNetworkPayload | null;
    if ((payload?.via !== "channel" && payload?.via !== "held") || this.#isOwnDoing(payload.event)) return;
    const room = payload.event.room_id;
    if (!this.#allowed(room)) return;
    const text = `This was not delivered${payload.via === "channel" ? ` to ${entry.lane}` : ""}: ${reason}`;
    this.#say({
      direction: toMatrix,
      lane: room,
      source: `undelivered:${entry.seq}`,
      payload: { via: "notice", text, replyTo: payload.event.event_id } satisfies ToMatrixPayload,
    });
  }

  /** That somebody came or went themselves is no news to them; what they do to a person of the network they are told of. */
  #isOwnDoing({ type, state_key: user }: MatrixEvent): boolean {
    return type === "m.room.member" && (user === undefined || !this.runtime.isOwn(user));
  }

  #tellChannel(entry: Entry, reason: string): void {
    const payload = entry.payload as ToMatrixPayload | null;
    if ((payload?.via !== "network" && payload?.via !== "direct") || payload.event.kind !== "message") return;
    const { channel, sender } = payload.event;
    if (!this.#allowed(channel)) return;
    const text = `${sender.name ?? sender.id}: what you wrote was not delivered to Matrix: ${reason}`;
    this.#say({
      direction: toNetwork,
      lane: channel,
      source: `undelivered:${entry.seq}`,
      payload: { via: "notice", text } satisfies ToNetworkPayload,
    });
  }

  #say(cause: Parameters<BridgeRuntime["journal"]["append"]>[0][number]): void {
    this.runtime.journal.append([cause]).catch((error: unknown) => {
      this.runtime.log.error({ err: error }, "A sender could not be told that something was not delivered");
    });
  }

  #allowed(place: string): boolean {
    const now = this.runtime.clock.now();
    for (const [key, { since }] of this.#told) if (now - since > windowMs) this.#told.delete(key);
    const told = this.#told.get(place) ?? { since: now, count: 0 };
    told.count += 1;
    this.#told.set(place, told);
    return told.count <= perWindow;
  }
}
