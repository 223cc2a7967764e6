import { forbidden, invalidParam, MatrixError, missingParam } from "../errors.js";
import { accessToken } from "../http/authenticate.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import { domainOf, randomLetters } from "../ids.js";
import type { JsonObject } from "../json.js";
import { objectField, stringField } from "../json.js";
import type { Service, World } from "../world.js";

const AS_LOGIN = "m.login.application_service";
/** Appendices, "User Identifiers". */
const LOCALPART = /^[a-z0-9._=\-/+]+$/u;

/** Versions, registration, login, logout, whoami. */
export function accountRoutes(router: Router): void {
  router.add("GET", "/_matrix/client/versions", versions, "optional");
  router.add(
    "GET",
    "/health",
    () => ({ status: 200, raw: "OK", headers: { "content-type": "text/plain" } }),
    "optional",
  );
  router.add("GET", "/.well-known/matrix/client", wellKnown, "optional");
  router.add("POST", "/_matrix/client/v3/register", register, "optional");
  router.add("GET", "/_matrix/client/v3/register/available", available, "optional");
  router.add("GET", "/_matrix/client/v3/login", loginFlows, "optional");
  router.add("POST", "/_matrix/client/v3/login", login, "optional");
  router.add("POST", "/_matrix/client/v3/logout", logout);
  router.add("POST", "/_matrix/client/v3/logout/all", logoutAll);
  router.add("GET", "/_matrix/client/v3/account/whoami", whoami);
}

function versions({ world }: RequestContext): Reply {
  return ok({
    versions: [...(world.settings.versions ?? versionsUpTo(world.faults.latestVersion))],
    unstable_features: { "org.matrix.msc2659.stable": !world.faults.missingPing, "uk.tcpip.msc4133.stable": true },
  });
}

/** `v1.1` to `latest`, as servers name all that they are compatible with. */
function versionsUpTo(latest: string): string[] {
  const minor = Number(/^v1\.(\d+)$/u.exec(latest)?.[1] ?? "1");
  return Array.from({ length: minor }, (_, index) => `v1.${index + 1}`);
}

function wellKnown(context: RequestContext): Reply {
  return ok(clientDiscovery(context));
}

function clientDiscovery({ headers, world }: RequestContext): JsonObject {
  return { "m.homeserver": { base_url: `http://${headers.host ?? world.serverName}` } };
}

/** The application service whose token the request carries. @throws MatrixError 401 */
function requireService(context: RequestContext): Service {
  const token = accessToken(context.headers, context.query, context.world.profile.refusesTwoTokens);
  if (token === undefined) throw new MatrixError(401, "M_MISSING_TOKEN", "Missing access token");
  const service = context.world.serviceByToken(token);
  if (service === undefined) throw new MatrixError(401, "M_UNKNOWN_TOKEN", "Invalid application service token.");
  return service;
}

function register(context: RequestContext): Reply {
  const body = context.json();
  if (context.query.get("kind") === "guest") {
    throw new MatrixError(403, "M_GUEST_ACCESS_FORBIDDEN", "Guest access is disabled");
  }
  const type = stringField(body, "type");
  if (type === AS_LOGIN) return registerGhost(context, body);
  if (type !== undefined) throw invalidParam(`Unknown registration type ${type}`);
  const auth = objectField(body, "auth");
  if (stringField(auth ?? {}, "type") !== "m.login.dummy") {
    return {
      status: 401,
      json: { session: randomLetters(24), flows: [{ stages: ["m.login.dummy"] }], params: {}, completed: [] },
    };
  }
  const username = stringField(body, "username") ?? randomLetters(12).toLowerCase();
  const userId = freeUserId(context.world, username);
  const password = stringField(body, "password");
  const account = context.world.accounts.create(userId, {
    strict: true,
    ...(password === undefined ? {} : { password }),
  });
  return body["inhibit_login"] === true ? registered(context.world, userId) : session(context, account.userId, body);
}

/** Application Service API, "Server admin style permissions". */
function registerGhost(context: RequestContext, body: JsonObject): Reply {
  const service = requireService(context);
  const username = stringField(body, "username");
  if (username === undefined) throw invalidParam("Invalid username");
  const userId = context.world.accounts.userId(ghostLocalpart(context.world, username));
  if (!service.info.ownsUser(userId)) {
    throw new MatrixError(400, "M_EXCLUSIVE", "Invalid user localpart for this application service.");
  }
  context.world.accounts.create(userId, { appServiceId: service.info.id });
  if (context.world.faults.refuseServiceLogin && body["inhibit_login"] !== true) throw loginUnsupported();
  return body["inhibit_login"] === true ? registered(context.world, userId) : session(context, userId, body);
}

/** @throws MatrixError 400 `M_INVALID_USERNAME` */
function ghostLocalpart(world: World, username: string): string {
  const rule = world.profile.ghostLocalparts;
  if (rule === "any") return username;
  const localpart = rule === "lower" ? username.toLowerCase() : username;
  if (LOCALPART.test(localpart)) return localpart;
  throw new MatrixError(400, "M_INVALID_USERNAME", "User ID can only contain characters a-z, 0-9, or '=_-./+'");
}

function loginUnsupported(): MatrixError {
  return new MatrixError(400, "M_APPSERVICE_LOGIN_UNSUPPORTED", "Application services cannot log in on this server");
}

function freeUserId(world: World, username: string): string {
  if (!LOCALPART.test(username)) {
    throw new MatrixError(400, "M_INVALID_USERNAME", "User ID can only contain characters a-z, 0-9, or '=_-./+'");
  }
  const userId = world.accounts.userId(username);
  for (const { info } of world.services.values()) {
    if (info.claimsUser(userId)) {
      throw new MatrixError(400, "M_EXCLUSIVE", "This user ID is reserved by an application service.");
    }
  }
  return userId;
}

function available({ world, query }: RequestContext): Reply {
  const username = query.get("username");
  if (username === null) throw missingParam("Missing query parameter username");
  const userId = freeUserId(world, username);
  if (world.accounts.get(userId) !== undefined) throw new MatrixError(400, "M_USER_IN_USE", "User ID already taken.");
  return ok({ available: true });
}

function loginFlows(): Reply {
  return ok({ flows: [{ type: "m.login.password" }, { type: AS_LOGIN }] });
}

function login(context: RequestContext): Reply {
  const body = context.json();
  const type = stringField(body, "type");
  if (type !== "m.login.password" && type !== AS_LOGIN) {
    throw new MatrixError(400, "M_UNKNOWN", `Unknown login type ${type ?? ""}`);
  }
  const identifier = objectField(body, "identifier");
  const user = stringField(identifier ?? {}, "user") ?? stringField(body, "user");
  if (user === undefined) throw missingParam("Missing 'identifier.user'");
  const userId = user.startsWith("@") ? user : context.world.accounts.userId(user);
  if (domainOf(userId) !== context.world.serverName) throw forbidden("The user is not of this server");
  const account = context.world.accounts.get(userId);
  if (type === AS_LOGIN) {
    if (context.world.faults.refuseServiceLogin) throw loginUnsupported();
    const service = requireService(context);
    if (!service.info.ownsUser(userId)) {
      throw new MatrixError(403, "M_FORBIDDEN", "This access_token is not valid for this application service.");
    }
  } else if (account?.password === undefined || account.password !== stringField(body, "password")) {
    throw forbidden("Invalid username or password");
  }
  if (account === undefined) throw forbidden("The user is not registered");
  return session(context, userId, body, { well_known: clientDiscovery(context) });
}

/** `home_server` is from before the specification; Synapse still adds it. */
function registered(world: World, userId: string): Reply {
  return ok({ user_id: userId, home_server: world.serverName });
}

function session({ world }: RequestContext, userId: string, body: JsonObject, extra: JsonObject = {}): Reply {
  const account = world.accounts.get(userId);
  if (account === undefined) throw forbidden("The user is not registered");
  if (account.deactivated) throw new MatrixError(403, "M_USER_DEACTIVATED", "This account has been deactivated");
  const { token, deviceId } = world.accounts.login(
    account,
    stringField(body, "device_id"),
    stringField(body, "initial_device_display_name"),
  );
  return ok({ user_id: userId, access_token: token, device_id: deviceId, home_server: world.serverName, ...extra });
}

function logout(context: RequestContext): Reply {
  const { deviceId, service } = context.requester;
  if (deviceId !== undefined && service === undefined) context.world.accounts.deleteDevice(context.account, deviceId);
  return ok();
}

function logoutAll(context: RequestContext): Reply {
  context.world.accounts.deleteAllDevices(context.account);
  return ok();
}

function whoami(context: RequestContext): Reply {
  const { userId, deviceId } = context.requester;
  return ok({ user_id: userId, is_guest: false, ...(deviceId === undefined ? {} : { device_id: deviceId }) });
}
