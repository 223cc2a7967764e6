import type { Account } from "../accounts/accounts.js";
import { MatrixError } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { JsonObject } from "../json.js";
import { isObject, jsonEquals, objectField } from "../json.js";
import { deviceListChanged } from "./devices.js";
import { refuseWithoutPassword } from "./user-interactive.js";

const KINDS = ["master_key", "self_signing_key", "user_signing_key"] as const;

/** Cross-signing keys and signatures. The server keeps them and checks nothing. */
export function crossSigningRoutes(router: Router): void {
  router.add("POST", "/_matrix/client/v3/keys/device_signing/upload", uploadKeys);
  router.add("POST", "/_matrix/client/v3/keys/signatures/upload", uploadSignatures);
}

/** The first upload needs no password, nor does the same again (v1.11). */
function uploadKeys(context: RequestContext): Reply {
  const { account, world } = context;
  const body = context.json();
  const given = KINDS.flatMap((kind) => {
    const key = objectField(body, kind);
    return key === undefined ? [] : [[kind, key] as const];
  });
  const isNew = given.some(([kind, key]) => !jsonEquals(account.crossSigning.get(kind), key));
  if (!isNew) return ok();
  const refusal = account.crossSigning.has("master_key") ? refuseWithoutPassword(context, body) : undefined;
  if (refusal !== undefined) return refusal;
  for (const [kind, key] of given) account.crossSigning.set(kind, key);
  deviceListChanged(world, account);
  return ok();
}

function uploadSignatures(context: RequestContext): Reply {
  const failures: Record<string, JsonObject> = {};
  for (const [userId, keys] of Object.entries(context.json())) {
    const account = context.world.accounts.get(userId);
    if (!isObject(keys)) continue;
    for (const [keyId, signed] of Object.entries(keys)) {
      const target = account === undefined ? undefined : keyOf(account, keyId);
      if (target === undefined || !isObject(signed)) {
        const error = new MatrixError(404, "M_NOT_FOUND", "Unknown device or key");
        failures[userId] = { ...failures[userId], [keyId]: { ...error.body, status: 404 } };
      } else addSignatures(target, signed);
    }
    if (account !== undefined) deviceListChanged(context.world, account);
  }
  return ok({ failures });
}

/** The keys of a device, or the cross-signing key whose public part is `keyId`. */
function keyOf(account: Account, keyId: string): JsonObject | undefined {
  const ofDevice = account.devices.get(keyId)?.keys.device;
  if (ofDevice !== undefined) return ofDevice;
  return [...account.crossSigning.values()].find((key) =>
    Object.values(objectField(key, "keys") ?? {}).includes(keyId),
  );
}

function addSignatures(target: JsonObject, signed: JsonObject): void {
  const signatures = { ...(objectField(target, "signatures") ?? {}) };
  for (const [userId, given] of Object.entries(objectField(signed, "signatures") ?? {})) {
    if (isObject(given)) signatures[userId] = { ...(objectField(signatures, userId) ?? {}), ...given };
  }
  target["signatures"] = signatures;
}
