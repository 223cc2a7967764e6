import type { Account } from "../accounts/accounts.js";
import { forbidden, missingParam } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import { randomId } from "../ids.js";
import { stringField } from "../json.js";
import { changeMembership } from "../rooms/membership.js";
import type { World } from "../world.js";
import { refuseWithoutPassword } from "./user-interactive.js";

const OPENID_SECONDS = 3_600;

/** What a user does with their account once it is there. */
export function accountManagementRoutes(router: Router): void {
  router.add("POST", "/_matrix/client/v3/account/password", changePassword);
  router.add("POST", "/_matrix/client/v3/account/deactivate", deactivate);
  router.add("GET", "/_matrix/client/v3/account/3pid", () => ok({ threepids: [] }));
  router.add("POST", "/_matrix/client/v3/user/{userId}/openid/request_token", openIdToken);
  router.add("GET", "/_matrix/client/v1/mutual_rooms", mutualRooms);
  router.add("POST", "/_matrix/client/v3/users/{userId}/report", () => ok());
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/report", () => ok());
  router.add("POST", "/_matrix/client/v3/rooms/{roomId}/report/{eventId}", () => ok());
}

function changePassword(context: RequestContext): Reply {
  const body = context.json();
  const refusal = refuseWithoutPassword(context, body);
  if (refusal !== undefined) return refusal;
  const password = stringField(body, "new_password");
  if (password === undefined) throw missingParam("Missing 'new_password'");
  const { account } = context;
  account.password = password;
  const { deviceId } = context.requester;
  if (body["logout_devices"] === false) return ok();
  for (const id of [...account.devices.keys()]) if (id !== deviceId) context.world.accounts.deleteDevice(account, id);
  return ok();
}

function deactivate(context: RequestContext): Reply {
  const refusal = refuseWithoutPassword(context, context.json({ optional: true }));
  if (refusal !== undefined) return refusal;
  const { account, world } = context;
  account.deactivated = true;
  account.password = undefined;
  world.accounts.deleteAllDevices(account);
  leaveEverything(world, account);
  return ok({ id_server_unbind_result: "success" });
}

function leaveEverything(world: World, { userId }: Account): void {
  for (const room of [...world.rooms.roomsOf(userId)]) {
    const membership = room.membership(userId);
    if (membership !== "join" && membership !== "invite" && membership !== "knock") continue;
    changeMembership(world, room, { sender: userId, target: userId, membership: "leave" });
  }
}

/** The token is for another service, which would ask the federation API: here nobody does. */
function openIdToken(context: RequestContext): Reply {
  if (context.param("userId") !== context.userId) throw forbidden("Cannot request tokens for other users.");
  return ok({
    access_token: randomId(24),
    token_type: "Bearer",
    matrix_server_name: context.world.serverName,
    expires_in: OPENID_SECONDS,
  });
}

function mutualRooms(context: RequestContext): Reply {
  const other = context.queryString("user_id");
  const joined = context.world.rooms.joinedRooms(context.userId).filter((room) => room.joined.has(other));
  return ok({ joined: joined.map((room) => room.id), count: joined.length });
}
