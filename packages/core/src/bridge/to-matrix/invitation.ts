import type { InvitationReceived } from "../../connector/events.js";
import { UserId, type RoomId } from "../../connector/ids.js";
import { done, type Verdict } from "../../delivery/entry.js";
import { classify } from "../../matrix/failure.js";
import type { Ghosts } from "../ghosts.js";
import type { BridgeRuntime } from "../runtime.js";
import { verdictOf } from "./send.js";

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
