import type { Outcome } from "../../connector/outcome.js";
import { RemoteMessageId } from "../../connector/ids.js";
import { done, type Verdict } from "../../delivery/entry.js";
import type { PinEffect } from "../../connector/effects.js";
import { pinnedIn, Pins } from "../../mapping/pins.js";
import { effectIdOf } from "../effect-id.js";
import type { BridgeRuntime } from "../runtime.js";
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
  for (const { kind, remote, event } of await changes(runtime, pins, source)) {
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

async function changes(runtime: BridgeRuntime, pins: Pins, { event, link, room }: EffectSource): Promise<Change[]> {
  const now = new Set(pinnedIn(event.content));
  const before = pinnedIn(event.unsigned?.prev_content);
  const known = new Map((await pins.of(link.channelKey, room.key)).map((pin) => [pin.event, pin.remote]));
  const found: Change[] = [];
  for (const gone of new Set([...known.keys(), ...before])) {
    if (now.has(gone)) continue;
    const remote = known.get(gone) ?? (await remoteOf(runtime, gone, link.channelKey));
    if (remote !== undefined) found.push({ kind: "unpin", remote, event: gone });
  }
  for (const added of now) {
    if (known.has(added) || before.includes(added)) continue;
    const remote = await remoteOf(runtime, added, link.channelKey);
    if (remote !== undefined) found.push({ kind: "pin", remote, event: added });
  }
  return found;
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
