import type { PinChange } from "../../connector/events.js";
import { RemoteMessageId } from "../../connector/ids.js";
import { dead, done, type Verdict } from "../../delivery/entry.js";
import { pinnedIn, Pins } from "../../mapping/pins.js";
import type { Room } from "../../mapping/rooms.js";
import { classify } from "../../matrix/failure.js";
import type { BridgeRuntime } from "../runtime.js";
import { verdictOf } from "./send.js";

/** More are hardly looked at, and an event cannot hold any number: the oldest go. */
const mostPinned = 500;

/** Pins a message of the network in its room, or unpins it: all of its parts. Nothing where the room does not have it. */
export async function applyPin(
  runtime: BridgeRuntime,
  room: Room,
  channelKey: number,
  { message, pinned }: PinChange,
): Promise<Verdict> {
  const parts = await runtime.messages.ofRemote(channelKey, RemoteMessageId(message), room.key);
  const [first] = parts;
  if (!first) return done();
  const pins = new Pins(runtime.store);
  const state = await runtime.client.getState({ room: room.id, type: "m.room.pinned_events" });
  if (!state.ok && classify(state.failure).action === "retry") return verdictOf(state.failure);
  const before = pinnedIn(state.ok ? state.body : null);
  const own: ReadonlySet<string> = new Set(parts.map(({ event }) => event));
  const others = before.filter((event) => !own.has(event));
  const isThere = others.length < before.length;
  const writes = pinned
    ? [pins.add(channelKey, room.key, { remote: message, event: first.event })]
    : [pins.drop(channelKey, room.key, message)];
  // The room says so already: an earlier attempt did it, or somebody on Matrix.
  if (isThere === pinned) return done(writes);
  const content = { pinned: pinned ? [...before, first.event].slice(-mostPinned) : others };
  const set = await runtime.client.sendState({ room: room.id, type: "m.room.pinned_events", content });
  if (set.ok) return done(writes);
  return classify(set.failure).action === "retry"
    ? verdictOf(set.failure)
    : dead("The bridge bot may not pin messages in the room. Give it the power to, or ignore this.");
}
