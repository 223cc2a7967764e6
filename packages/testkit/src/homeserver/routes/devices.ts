import type { Account, Device } from "../accounts/accounts.js";
import { algorithmOf, oneTimeKeyCounts } from "../accounts/device-keys.js";
import { badJson, MatrixError, notFound } from "../errors.js";
import { oncePerTransaction } from "../http/client-transaction.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { Json, JsonObject } from "../json.js";
import { isObject, isStringArray, objectField, stringField } from "../json.js";
import { positionOf } from "../rooms/pagination.js";
import { deviceListsSince } from "../sync/device-lists.js";
import type { World } from "../world.js";
import { refuseWithoutPassword } from "./user-interactive.js";

const MAX_INBOX = 10_000;

/** Devices, their public keys, and messages from device to device. */
export function deviceRoutes(router: Router): void {
  router.add("GET", "/_matrix/client/v3/devices", listDevices);
  router.add("GET", "/_matrix/client/v3/devices/{deviceId}", getDevice);
  router.add("PUT", "/_matrix/client/v3/devices/{deviceId}", putDevice);
  router.add("DELETE", "/_matrix/client/v3/devices/{deviceId}", (context) =>
    deleteDevices(context, [context.param("deviceId")]),
  );
  router.add("POST", "/_matrix/client/v3/delete_devices", deleteMany);
  router.add("POST", "/_matrix/client/v3/keys/upload", uploadKeys);
  router.add("POST", "/_matrix/client/v3/keys/query", queryKeys);
  router.add("POST", "/_matrix/client/v3/keys/claim", claimKeys);
  router.add("GET", "/_matrix/client/v3/keys/changes", keyChanges);
  router.add("GET", "/_matrix/client/v3/room_keys/version", () => {
    throw notFound("No current backup version");
  });
  router.add("PUT", "/_matrix/client/v3/sendToDevice/{eventType}/{txnId}", sendToDevice);
}

function describe(device: Device): JsonObject {
  return {
    device_id: device.deviceId,
    ...(device.displayName === undefined ? {} : { display_name: device.displayName }),
    last_seen_ts: device.lastSeen,
  };
}

function listDevices({ account }: RequestContext): Reply {
  return ok({ devices: [...account.devices.values()].map(describe) });
}

function getDevice(context: RequestContext): Reply {
  const device = context.account.devices.get(context.param("deviceId"));
  if (device === undefined) throw notFound("No device found");
  return ok(describe(device));
}

/** Application services create devices this way (Application Service API, "Managing devices"). */
function putDevice(context: RequestContext): Reply {
  const { account } = context;
  const deviceId = context.param("deviceId");
  const name = stringField(context.json({ optional: true }), "display_name");
  if (context.requester.service === undefined && !account.devices.has(deviceId)) throw notFound("No device found");
  const isNew = context.world.accounts.putDevice(account, deviceId, name);
  return { status: isNew ? 201 : 200, json: {} };
}

function deleteMany(context: RequestContext): Reply {
  const devices = context.json()["devices"];
  if (!isStringArray(devices)) throw badJson("'devices' must be a list of device ids");
  return deleteDevices(context, devices);
}

function deleteDevices(context: RequestContext, deviceIds: readonly string[]): Reply {
  const refusal = refuseWithoutPassword(context, context.json({ optional: true }));
  if (refusal !== undefined) return refusal;
  const { account, world } = context;
  for (const deviceId of deviceIds) world.accounts.deleteDevice(account, deviceId);
  deviceListChanged(world, account);
  return ok();
}

/** Tells whoever shares a room with the user that their devices or keys are others now. */
export function deviceListChanged(world: World, account: Account): void {
  account.deviceListPosition = world.nextPosition();
  world.pushDeviceChange(account.userId);
  for (const room of world.rooms.joinedRooms(account.userId)) world.notifier.wakeRoom(room);
  world.notifier.wakeUser(account.userId);
}

function keyChanges(context: RequestContext): Reply {
  const { world, account } = context;
  const since = positionOf(context.queryString("from"));
  return ok({ ...deviceListsSince(world, account.userId, since, positionOf(context.queryString("to"))) });
}

function requireDevice(context: RequestContext): Device {
  const device = context.account.devices.get(context.requester.deviceId ?? "");
  if (device === undefined) {
    throw new MatrixError(400, "M_UNKNOWN", "To upload keys, you must pass device_id when authenticating");
  }
  return device;
}

function uploadKeys(context: RequestContext): Reply {
  const device = requireDevice(context);
  const body = context.json();
  const deviceKeys = objectField(body, "device_keys");
  if (deviceKeys !== undefined) {
    device.keys.device = deviceKeys;
    deviceListChanged(context.world, context.account);
  }
  for (const [id, key] of Object.entries(objectField(body, "one_time_keys") ?? {})) device.keys.oneTime.set(id, key);
  for (const [id, key] of Object.entries(objectField(body, "fallback_keys") ?? {})) {
    device.keys.fallback.set(id, key);
    device.keys.usedFallback.delete(id);
  }
  return ok({ one_time_key_counts: oneTimeKeyCounts(device) });
}

function queryKeys(context: RequestContext): Reply {
  const wanted = objectField(context.json(), "device_keys");
  if (wanted === undefined) throw badJson("'device_keys' must be an object");
  const found: JsonObject = {};
  for (const [userId, devices] of Object.entries(wanted)) {
    const account = context.world.accounts.get(userId);
    const ids = isStringArray(devices) && devices.length > 0 ? devices : [...(account?.devices.keys() ?? [])];
    const keys: JsonObject = {};
    for (const id of ids) {
      const device = account?.devices.get(id);
      if (device?.keys.device !== undefined) keys[id] = withName(device, device.keys.device);
    }
    found[userId] = keys;
  }
  return ok({ device_keys: found, failures: {}, ...crossSigningKeys(context, Object.keys(wanted)) });
}

/** Public cross-signing keys; the key that signs other users is for its owner alone. */
function crossSigningKeys(context: RequestContext, userIds: readonly string[]): JsonObject {
  const ofKind = (kind: string, ids: readonly string[]): JsonObject =>
    Object.fromEntries(
      ids.flatMap((userId) => {
        const key = context.world.accounts.get(userId)?.crossSigning.get(kind);
        return key === undefined ? [] : [[userId, key]];
      }),
    );
  return {
    master_keys: ofKind("master_key", userIds),
    self_signing_keys: ofKind("self_signing_key", userIds),
    user_signing_keys: ofKind("user_signing_key", userIds.includes(context.userId) ? [context.userId] : []),
  };
}

function withName(device: Device, keys: JsonObject): JsonObject {
  if (device.displayName === undefined) return keys;
  return { ...keys, unsigned: { device_display_name: device.displayName } };
}

function claimKeys(context: RequestContext): Reply {
  const wanted = objectField(context.json(), "one_time_keys");
  if (wanted === undefined) throw badJson("'one_time_keys' must be an object");
  const found: JsonObject = {};
  for (const [userId, devices] of Object.entries(wanted)) {
    const account = context.world.accounts.get(userId);
    if (account === undefined || !isObject(devices)) continue;
    const keys = claimOf(account, devices);
    if (Object.keys(keys).length > 0) found[userId] = keys;
  }
  return ok({ one_time_keys: found, failures: {} });
}

function claimOf(account: Account, devices: JsonObject): JsonObject {
  const claimed: JsonObject = {};
  for (const [deviceId, algorithm] of Object.entries(devices)) {
    const keys = account.devices.get(deviceId)?.keys;
    if (keys === undefined) continue;
    const matches = ([id]: readonly [string, Json]): boolean => algorithmOf(id) === algorithm;
    const oneTime = [...keys.oneTime].find(matches);
    const key = oneTime ?? [...keys.fallback].find(matches);
    if (oneTime !== undefined) keys.oneTime.delete(oneTime[0]);
    else if (key !== undefined) keys.usedFallback.add(key[0]);
    if (key !== undefined) claimed[deviceId] = { [key[0]]: key[1] };
  }
  return claimed;
}

function sendToDevice(context: RequestContext): Reply | Promise<Reply> {
  return oncePerTransaction(context, () => {
    const messages = objectField(context.json(), "messages");
    if (messages === undefined) throw badJson("'messages' must be an object");
    for (const [userId, devices] of Object.entries(messages)) {
      const account = context.world.accounts.get(userId);
      if (account === undefined || !isObject(devices)) continue;
      for (const [deviceId, content] of Object.entries(devices)) {
        if (isObject(content)) deliver(context, account, deviceId, content);
      }
      context.world.notifier.wakeUser(userId);
    }
    return ok();
  });
}

function deliver(context: RequestContext, account: Account, deviceId: string, content: JsonObject): void {
  const known = account.devices.get(deviceId);
  const devices = deviceId === "*" ? [...account.devices.values()] : known === undefined ? [] : [known];
  const event: JsonObject = { type: context.param("eventType"), sender: context.userId, content };
  for (const device of devices) {
    if (device.inbox.length >= MAX_INBOX) device.inbox.shift();
    device.inbox.push({ position: context.world.nextPosition(), event });
    context.world.pushToDevice(account.userId, device.deviceId, event);
  }
}
