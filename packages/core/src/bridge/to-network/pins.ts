import type { Outcome } from "../../connector/outcome.js";
import { RemoteMessageId } from "../../connector/ids.js";
import { done, type Verdict } from "../../delivery/entry.js";
import type { PinEffect } from "../../connector/effects.js";
import { pinnedIn, Pins } from "../../mapping/pins.js";
import type { Room } from "../../mapping/rooms.js";
import { classify } from "../../matrix/failure.js";
import type { MatrixResult } from "../../matrix/result.js";
import { effectIdOf } from "../effect-id.js";
import type { BridgeRuntime } from "../runtime.js";
import { verdictOf } from "../to-matrix/send.js";
import { call, verdictOfCall } from "./call.js";
import type { EffectSource } from "./source.js";

interface Change {
  readonly kind: "pin" | "unpin";
  readonly remote: string;
  readonly event: string;
}

/**
 * The list of pinned messages changed: what that means is seen by what the list was before, and by what is known to be
 * pinned on both sides. One that the network refuses does not keep the others from being pinned.
 */
export async function deliverPins(runtime: BridgeRuntime, source: EffectSource): Promise<Verdict> {
  const { handlers, store } = runtime;
  const { link, room } = source;
  if (!handlers.pin && !handlers.unpin) return done();
  const pins = new Pins(store);
  let refused: Verdict | undefined;
  const found = await changes(runtime, pins, source);
  if (!found.ok) return verdictOf(found.failure);
  for (const { kind, remote, event } of found.body) {
    const verdict = await apply(runtime, source, kind, remote);
    if (verdict.verdict === "retry") return verdict;
    if (verdict.verdict === "dead") refused ??= verdict;
    else {
      const { channelKey } = link;
      await store.commit([
        kind === "pin" ? pins.add(channelKey, room.key, { remote, event }) : pins.drop(channelKey, room.key, remote),
      ]);
    }
  }
  return refused ?? done();
}

async function changes(
  runtime: BridgeRuntime,
  pins: Pins,
  { event, link, room }: EffectSource,
): Promise<MatrixResult<Change[]>> {
  const now = new Set(pinnedIn(event.content));
  const before = pinnedIn(event.unsigned?.prev_content);
  const known = new Map((await pins.of(link.channelKey, room.key)).map((pin) => [pin.event, pin.remote]));
  const missing = [...known.keys()].filter((pinned) => !now.has(pinned) && !before.includes(pinned));
  const still = missing.length > 0 ? await pinnedNow(runtime, room) : undefined;
  if (still && !still.ok) return still;
  const found: Change[] = [];
  for (const gone of new Set([...known.keys(), ...before])) {
    // The network may have pinned it since the list was written.
    if (now.has(gone) || (still?.body.has(gone) && !before.includes(gone))) continue;
    const remote = known.get(gone) ?? (await remoteOf(runtime, gone, link.channelKey));
    if (remote !== undefined) found.push({ kind: "unpin", remote, event: gone });
  }
  for (const added of now) {
    if (known.has(added) || before.includes(added)) continue;
    const remote = await remoteOf(runtime, added, link.channelKey);
    if (remote !== undefined) found.push({ kind: "pin", remote, event: added });
  }
  return { ok: true, body: found };
}

/** What the room pins by now: homeservers do not have to say what a list replaced. */
async function pinnedNow(runtime: BridgeRuntime, room: Room): Promise<MatrixResult<ReadonlySet<string>>> {
  const state = await runtime.client.getState({ room: room.id, type: "m.room.pinned_events" });
  if (!state.ok && classify(state.failure).action === "retry") return state;
  return { ok: true, body: new Set(pinnedIn(state.ok ? state.body : null)) };
}

async function remoteOf(runtime: BridgeRuntime, event: string, channelKey: number): Promise<string | undefined> {
  const [part] = await runtime.messages.ofEvent(event, channelKey);
  return part?.remote;
}

async function apply(
  runtime: BridgeRuntime,
  { base, link }: EffectSource,
  kind: "pin" | "unpin",
  remote: string,
): Promise<Verdict> {
  const handler: ((pin: PinEffect) => Promise<Outcome>) | undefined = runtime.handlers[kind];
  if (!handler) return done();
  const effect = effectIdOf(runtime.name, kind, link.channel, base.event, remote);
  const target = RemoteMessageId(remote);
  return verdictOfCall(await call(runtime, (running) => handler({ ...base, effect, target, signal: running.signal })));
}
