import type { Account } from "../accounts/accounts.js";
import { profileOf } from "../accounts/accounts.js";
import { badJson, MatrixError, missingParam, notFound } from "../errors.js";
import { checkCanonical } from "../http/context.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { Json, JsonObject } from "../json.js";
import type { World } from "../world.js";
import { memberProfile } from "../rooms/membership.js";

const MAX_DISPLAYNAME_LENGTH = 256;
const MAX_AVATAR_LENGTH = 1000;
const MAX_PROFILE_BYTES = 65_536;

/** Profiles and their fields (Client-Server API, "Profiles"). */
export function profileRoutes(router: Router): void {
  const profile = "/_matrix/client/v3/profile/{userId}";
  router.add("GET", profile, whole, "optional");
  router.add("GET", `${profile}/{keyName}`, field, "optional");
  router.add("PUT", `${profile}/{keyName}`, putField);
  router.add("DELETE", `${profile}/{keyName}`, deleteField);
}

function profileAccount(context: RequestContext): Account {
  const account = context.world.accounts.get(context.param("userId"));
  if (account === undefined) throw new MatrixError(404, context.world.profile.missingProfile, "Profile was not found");
  return account;
}

function whole(context: RequestContext): Reply {
  return ok(profileOf(profileAccount(context)));
}

function field(context: RequestContext): Reply {
  const key = context.param("keyName");
  const value = profileAccount(context).profile.get(key);
  if (value === undefined && key !== "displayname" && key !== "avatar_url") throw notFound("Profile field not found");
  return ok(value === undefined ? {} : { [key]: value });
}

/** The account whose profile the requester may change. */
function ownAccount(context: RequestContext): Account {
  if (context.param("userId") !== context.userId) {
    // The specification names no status; Synapse answers this one.
    throw new MatrixError(400, "M_FORBIDDEN", "Cannot set another user's profile");
  }
  return context.account;
}

function putField(context: RequestContext): Reply {
  const account = ownAccount(context);
  const key = context.param("keyName");
  const body = context.json();
  const value = body[key];
  if (value === undefined) throw missingParam(`Missing '${key}' in the body`);
  checkCanonical(body, context.body.toString("utf8"));
  checkField(account, key, value);
  if (account.profile.get(key) === value) return ok();
  if (value === "" && (key === "displayname" || key === "avatar_url")) account.profile.delete(key);
  else account.profile.set(key, value);
  if (key === "displayname" || key === "avatar_url") propagateProfile(context.world, account.userId);
  return ok();
}

function checkField(account: Account, key: string, value: Json): void {
  if (Buffer.byteLength(key) > 255) throw new MatrixError(400, "M_KEY_TOO_LARGE", "The field name is too long");
  if (key === "displayname" || key === "avatar_url") {
    if (typeof value !== "string") throw badJson(`'${key}' must be a string`);
    const limit = key === "displayname" ? MAX_DISPLAYNAME_LENGTH : MAX_AVATAR_LENGTH;
    if (Array.from(value).length > limit) {
      throw new MatrixError(400, "M_UNKNOWN", `${key} is too long (max ${limit})`);
    }
  }
  const profile: JsonObject = { ...profileOf(account), [key]: value };
  if (Buffer.byteLength(JSON.stringify(profile)) > MAX_PROFILE_BYTES) {
    throw new MatrixError(400, "M_PROFILE_TOO_LARGE", "The profile would be too large");
  }
}

function deleteField(context: RequestContext): Reply {
  const account = ownAccount(context);
  const key = context.param("keyName");
  if (account.profile.delete(key) && (key === "displayname" || key === "avatar_url")) {
    propagateProfile(context.world, account.userId);
  }
  return ok();
}

/** A changed name or picture becomes a new member event in every joined room, as Synapse does. */
export function propagateProfile(world: World, userId: string): void {
  for (const room of world.rooms.joinedRooms(userId)) {
    const content = { ...(room.state("m.room.member", userId)?.content ?? {}) };
    delete content["displayname"];
    delete content["avatar_url"];
    Object.assign(content, { membership: "join" }, memberProfile(world, userId));
    world.rooms.send(room, { type: "m.room.member", sender: userId, stateKey: userId, content });
  }
}
