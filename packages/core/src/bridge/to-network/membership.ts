import { RoomId, UserId } from "../../connector/ids.js";
import type { MembershipEffect, InviteEffect } from "../../connector/effects.js";
import { done, type Verdict } from "../../delivery/entry.js";
import { effectIdOf } from "../effect-id.js";
import { resolveGhost } from "../resolve-ghost.js";
import { verdictOf } from "../to-matrix/send.js";
import { localpartOf, memberOf } from "./authors.js";
import { call, verdictOfCall } from "./call.js";
import type { ToNetworkParts } from "./deliver.js";
import type { EffectSource } from "./source.js";

type Change = MembershipEffect["change"];

/** Joins, leaves, kicks, bans and new names of Matrix users; and what Matrix users do to ghosts. */
export async function deliverMembership(parts: ToNetworkParts, source: EffectSource): Promise<Verdict> {
  const { runtime } = parts;
  const { event, link, room } = source;
  const user = event.state_key;
  if (user === undefined || user === runtime.bot) return done();
  const member = memberOf(event.content);
  if (runtime.isOwn(user)) return ghostChanged(parts, source, user, member.membership);

  const known = previousOf(event.unsigned) ?? (await runtime.members.find(room.key, user));
  const change = changeOf(
    known?.membership ?? "leave",
    member.membership,
    event.sender === user,
    known?.name !== member.name,
  );
  // They left long ago, for the network.
  const isAbsent = parts.permissions.bans(user) && (await parts.withheld.absences.has(room.key, user));
  const verdict =
    change && !isAbsent ? await tell(parts, source, change, member.name ?? known?.name ?? localpartOf(user)) : done();
  if (verdict.verdict !== "done") return verdict;
  if (link.kind === "direct" && (change === "leave" || change === "kick" || change === "ban")) {
    const ended = await parts.leftConversation(link);
    if (ended.verdict !== "done") return ended;
  }
  // Banned meanwhile: whoever looked for those who must go has not found them yet.
  return done(runtime.members.set(room.key, user, member), () => {
    if (parts.permissions.bans(user)) parts.withheld.absences.sweep();
  });
}

/** Tells the network what became of a Matrix user. */
async function tell(
  { runtime }: ToNetworkParts,
  { event, link, base }: EffectSource,
  change: Change,
  name: string,
): Promise<Verdict> {
  const { membership } = runtime.handlers;
  if (!membership) return done();
  const effect = effectIdOf(runtime.name, "membership", link.channel, base.event);
  return verdictOfCall(
    await call(runtime, (running) =>
      membership({
        ...base,
        effect,
        signal: running.signal,
        change,
        who: { userId: UserId(event.state_key ?? event.sender), name },
        ...reasonOf(event.content),
      }),
    ),
  );
}

/** A Matrix user removed or invited a ghost: the homeserver has done it, the network is asked to do the same. */
async function ghostChanged(
  parts: ToNetworkParts,
  source: EffectSource,
  user: string,
  membership: string,
): Promise<Verdict> {
  const { runtime } = parts;
  const { event, link, room, base } = source;
  if (membership === "invite") return invited(parts, source, user);
  if (membership !== "leave" && membership !== "ban") return done();
  const ghost = await parts.ghosts.ofUser(user);
  if (!ghost) return done();
  await parts.memberships.left(room.key, ghost);
  const handler = runtime.handlers.membership;
  if (!handler) return done();
  const effect = effectIdOf(runtime.name, "membership", link.channel, base.event);
  const wasBanned = previousOf(event.unsigned)?.membership === "ban";
  const change: Change = membership === "ban" ? "ban" : wasBanned ? "unban" : "kick";
  return verdictOfCall(
    await call(runtime, (running) =>
      handler({
        ...base,
        room: RoomId(event.room_id),
        effect,
        signal: running.signal,
        change,
        who: { remote: ghost.remote },
        ...reasonOf(event.content),
      }),
    ),
  );
}

/** A Matrix user asks a person of the network into the room. */
async function invited(parts: ToNetworkParts, { event, link, base }: EffectSource, user: string): Promise<Verdict> {
  const { runtime } = parts;
  const handler = runtime.handlers.invite;
  if (!handler) return done();
  const ghost = await resolveGhost(runtime, parts.ghosts, user);
  if (!ghost.ok) return verdictOf(ghost.failure);
  if (!ghost.body) return done();
  const { remote: who } = ghost.body;
  const effect = effectIdOf(runtime.name, "invite", link.channel, base.event);
  const invitation = (signal: AbortSignal): InviteEffect => ({
    ...base,
    ...{ effect, signal, who },
    ...reasonOf(event.content),
  });
  return verdictOfCall(await call(runtime, (running) => handler(invitation(running.signal))));
}

function changeOf(before: string, now: string, byThemselves: boolean, renamed: boolean): Change | undefined {
  if (now === "join") return before === "join" ? (renamed ? "rename" : undefined) : "join";
  if (now === "ban") return "ban";
  if (now === "leave" && before === "join") return byThemselves ? "leave" : "kick";
  return undefined;
}

function previousOf(unsigned: Readonly<Record<string, unknown>> | undefined): ReturnType<typeof memberOf> | undefined {
  const previous = unsigned?.prev_content;
  return typeof previous === "object" && previous !== null
    ? memberOf(previous as Readonly<Record<string, unknown>>)
    : undefined;
}

function reasonOf(content: Readonly<Record<string, unknown>>): { readonly reason?: string } {
  return typeof content.reason === "string" && content.reason !== "" ? { reason: content.reason } : {};
}
