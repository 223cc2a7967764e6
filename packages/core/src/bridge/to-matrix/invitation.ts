import type { InvitationDeclined, InvitationReceived } from "../../connector/events.js";
import { UserId, type RoomId } from "../../connector/ids.js";
import { done, type Verdict } from "../../delivery/entry.js";
import { classify } from "../../matrix/failure.js";
import type { Ghosts } from "../ghosts.js";
import type { BridgeRuntime } from "../runtime.js";
import { verdictOf } from "./send.js";

const longestReason = 500;

/**
 * A person of the network asks somebody into a room: their ghost invites. Where Matrix does not let them, or whoever is
 * asked is in the room or banned from it, nothing happens.
 */
export async function invite(
  runtime: BridgeRuntime,
  ghosts: Ghosts,
  room: RoomId,
  { by, who, reason }: InvitationReceived,
): Promise<Verdict> {
  const inviter = await ghosts.ensure(by);
  if (!inviter.ok) return verdictOf(inviter.failure);
  const invited = "userId" in who ? undefined : await ghosts.ensure(who.person);
  if (invited && !invited.ok) return verdictOf(invited.failure);
  const user = "userId" in who ? UserId(who.userId) : invited?.body.user;
  if (user === undefined) return done();
  const sent = await runtime.client.invite(room, user, {
    asUser: inviter.body.user,
    ...(reason !== undefined && { reason }),
  });
  if (sent.ok) return done();
  if (classify(sent.failure).action === "retry") return verdictOf(sent.failure);
  runtime.log.info({ room, by: inviter.body.user, user, failure: sent.failure }, "Somebody could not be invited");
  return done();
}

/** Somebody who was asked does not come: their ghost turns the invitation down, and `say` tells it, to who had asked. */
export async function turnedDown(
  runtime: BridgeRuntime,
  ghosts: Ghosts,
  room: RoomId,
  { who, how, userId, reason }: InvitationDeclined,
  say: (text: string, mention: string | undefined) => Promise<Verdict>,
): Promise<Verdict> {
  const ghost = await ghosts.find(who.id);
  if (ghost) {
    const member = await runtime.client.getState({ room, type: "m.room.member", stateKey: ghost.user });
    if (!member.ok && classify(member.failure).action === "retry") return verdictOf(member.failure);
    // Whoever has come meanwhile stays.
    if (member.ok && member.body?.membership === "invite") {
      const left = await runtime.client.leave(room, { asUser: ghost.user, reason });
      if (!left.ok && classify(left.failure).action === "retry") return verdictOf(left.failure);
    }
  }
  const whom = `${who.name ?? who.id}${userId === undefined ? "" : `, whom ${userId} had invited,`}`;
  const why = reason === undefined ? "." : `: ${reason.slice(0, longestReason)}`;
  return say(how === "declined" ? `${whom} would rather not come${why}` : `${whom} could not be asked${why}`, userId);
}
