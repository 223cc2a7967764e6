import type { Account, AccountData } from "../accounts/accounts.js";
import { forbidden, invalidParam, MatrixError, notFound } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { JsonObject } from "../json.js";
import { objectField } from "../json.js";
import type { World } from "../world.js";

/** Account data, per room and global, tags and filters. */
export function accountDataRoutes(router: Router): void {
  const user = "/_matrix/client/v3/user/{userId}";
  router.add("GET", `${user}/account_data/{type}`, getGlobal);
  router.add("PUT", `${user}/account_data/{type}`, putGlobal);
  router.add("GET", `${user}/rooms/{roomId}/account_data/{type}`, getOfRoom);
  router.add("PUT", `${user}/rooms/{roomId}/account_data/{type}`, putOfRoom);
  router.add("GET", `${user}/rooms/{roomId}/tags`, getTags);
  router.add("PUT", `${user}/rooms/{roomId}/tags/{tag}`, (context) => changeTags(context, context.json()));
  router.add("DELETE", `${user}/rooms/{roomId}/tags/{tag}`, (context) => changeTags(context, undefined));
  router.add("POST", `${user}/filter`, postFilter);
  router.add("GET", `${user}/filter/{filterId}`, getFilter);
}

export function setAccountData(world: World, account: Account, type: string, content: JsonObject): void {
  account.accountData.set(type, { content, position: world.nextPosition() });
  world.notifier.wakeUser(account.userId);
}

export function setRoomAccountData(
  world: World,
  account: Account,
  roomId: string,
  type: string,
  content: JsonObject,
): void {
  const data = account.roomAccountData.get(roomId) ?? new Map<string, AccountData>();
  account.roomAccountData.set(roomId, data);
  data.set(type, { content, position: world.nextPosition() });
  world.notifier.wakeUser(account.userId);
}

function own(context: RequestContext): Account {
  if (context.param("userId") !== context.userId) throw forbidden("Cannot read or write another user's account data");
  return context.account;
}

function checkWritable(type: string): void {
  if (type === "m.fully_read" || type === "m.push_rules") {
    throw new MatrixError(405, "M_BAD_JSON", `Cannot set ${type} through this API`);
  }
}

function getGlobal(context: RequestContext): Reply {
  const data = own(context).accountData.get(context.param("type"));
  if (data === undefined) throw notFound("Account data not found");
  return ok(data.content);
}

function putGlobal(context: RequestContext): Reply {
  checkWritable(context.param("type"));
  setAccountData(context.world, own(context), context.param("type"), context.json());
  return ok();
}

function getOfRoom(context: RequestContext): Reply {
  const data = own(context).roomAccountData.get(roomId(context))?.get(context.param("type"));
  if (data === undefined) throw notFound("Room account data not found");
  return ok(data.content);
}

function putOfRoom(context: RequestContext): Reply {
  checkWritable(context.param("type"));
  setRoomAccountData(context.world, own(context), roomId(context), context.param("type"), context.json());
  return ok();
}

function roomId(context: RequestContext): string {
  const id = context.param("roomId");
  if (!id.startsWith("!")) throw invalidParam(`${id} is not a valid room ID`);
  return id;
}

function getTags(context: RequestContext): Reply {
  const data = own(context).roomAccountData.get(context.param("roomId"))?.get("m.tag");
  return ok(data?.content ?? { tags: {} });
}

function changeTags(context: RequestContext, value: JsonObject | undefined): Reply {
  const account = own(context);
  const id = roomId(context);
  const before = objectField(account.roomAccountData.get(id)?.get("m.tag")?.content ?? {}, "tags") ?? {};
  const others = Object.entries(before).filter(([tag]) => tag !== context.param("tag"));
  const tags = Object.fromEntries(value === undefined ? others : [...others, [context.param("tag"), value] as const]);
  setRoomAccountData(context.world, account, id, "m.tag", { tags });
  return ok();
}

function postFilter(context: RequestContext): Reply {
  const account = own(context);
  const filter = context.json();
  account.filters.push(filter);
  return ok({ filter_id: String(account.filters.length - 1) });
}

function getFilter(context: RequestContext): Reply {
  const filter = own(context).filters[Number(context.param("filterId"))];
  if (filter === undefined) throw notFound("No such filter");
  return ok(filter);
}
