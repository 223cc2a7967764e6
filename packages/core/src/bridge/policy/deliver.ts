import type { MembershipEffect } from "../../connector/effects.js";
import { ChannelId, EventId } from "../../connector/ids.js";
import { done, type Entry, type Verdict } from "../../delivery/entry.js";
import type { Logins } from "../../mapping/logins.js";
import { effectIdOf } from "../effect-id.js";
import type { Permissions } from "../permissions.js";
import type { BridgeRuntime } from "../runtime.js";
import { localpartOf } from "../to-network/authors.js";
import { attemptOf, call, verdictOfCall } from "../to-network/call.js";
import type { ToNetworkPayload } from "../to-network/payload.js";

type Payload<Via extends ToNetworkPayload["via"]> = Extract<ToNetworkPayload, { readonly via: Via }>;

/** A channel is told that somebody left, or is back; not why. */
export async function deliverAbsence(
  runtime: BridgeRuntime,
  entry: Entry,
  { room: id, user, change }: Payload<"absence">,
): Promise<Verdict> {
  const { lane: channel } = entry;
  const { membership } = runtime.handlers;
  const link = (await runtime.links.ofRoom(id)).find((each) => each.channel === channel);
  if (!membership || !link) return done();
  const name = (await runtime.members.find(link.roomKey, user))?.name ?? localpartOf(user);
  const effect: Omit<MembershipEffect, "signal"> = {
    ...attemptOf(entry),
    effect: effectIdOf(runtime.name, "membership", channel, entry.source),
    channel: ChannelId(channel),
    room: id,
    event: EventId(entry.source),
    author: { userId: user, name },
    at: entry.at,
    change,
    who: { userId: user, name },
  };
  return verdictOfCall(await call(runtime, (running) => membership({ ...effect, signal: running.signal })));
}

/** What the network holds for somebody alone is let go where they are banned now, and taken up again where they are not. */
export async function deliverSettled(
  runtime: BridgeRuntime,
  permissions: Permissions,
  logins: Logins,
  { user }: Payload<"settled">,
): Promise<Verdict> {
  const { suspendUser, signedIn } = runtime.handlers;
  if (permissions.bans(user))
    return suspendUser
      ? verdictOfCall(await call(runtime, (running) => suspendUser({ user, signal: running.signal })))
      : done();
  if (signedIn) for (const login of await logins.of(user)) await signedIn(login);
  return done();
}
