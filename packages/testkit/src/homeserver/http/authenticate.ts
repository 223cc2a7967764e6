import type { IncomingHttpHeaders } from "node:http";
import { forbidden, MatrixError } from "../errors.js";
import type { Service, World } from "../world.js";
import type { Requester } from "./context.js";

/** The access token of a request. @throws MatrixError 401 where both header and query carry one, if `refusesTwo` */
export function accessToken(
  headers: IncomingHttpHeaders,
  query: URLSearchParams,
  refusesTwo: boolean,
): string | undefined {
  const header = headers.authorization;
  const inQuery = query.get("access_token");
  if (header === undefined) return inQuery ?? undefined;
  if (inQuery !== null && refusesTwo) {
    throw new MatrixError(401, "M_MISSING_TOKEN", "Mixing Authorization headers and access_token query parameters.");
  }
  const match = /^Bearer\s+(\S+)$/u.exec(header);
  if (match?.[1] === undefined) throw new MatrixError(401, "M_MISSING_TOKEN", "Invalid Authorization header.");
  return match[1];
}

/** @throws MatrixError 401 without a valid token, 403 for a masquerade that is not allowed */
export function authenticate(world: World, headers: IncomingHttpHeaders, query: URLSearchParams): Requester {
  const token = accessToken(headers, query, world.profile.refusesTwoTokens);
  if (token === undefined) throw new MatrixError(401, "M_MISSING_TOKEN", "Missing access token");
  const service = world.serviceByToken(token);
  if (service !== undefined) return masquerade(world, service, query);
  const owner = world.accounts.tokenOwner(token);
  if (owner === undefined) {
    throw new MatrixError(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.", { soft_logout: false });
  }
  return { userId: owner.userId, deviceId: owner.deviceId, service: undefined };
}

function masquerade(world: World, service: Service, query: URLSearchParams): Requester {
  const userId = query.get("user_id") ?? service.info.senderId;
  const account = world.accounts.get(userId);
  if (userId !== service.info.senderId) {
    if (world.profile.checksMasquerade && !service.info.ownsUser(userId))
      throw forbidden("Application service cannot masquerade as this user.");
    if (account === undefined) throw forbidden(`Application service has not registered this user (${userId})`);
  }
  const { unknownDevice } = world.profile;
  if (unknownDevice === undefined) return { userId, deviceId: undefined, service };
  const deviceId = query.get("device_id") ?? query.get("org.matrix.msc3202.device_id") ?? undefined;
  if (deviceId !== undefined && account?.devices.has(deviceId) !== true) {
    throw new MatrixError(
      400,
      unknownDevice,
      `Application service trying to use a device that doesn't exist ('${deviceId}' for ${userId})`,
    );
  }
  return { userId, deviceId, service };
}
