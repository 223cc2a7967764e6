import { invalidParam, MatrixError } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { JsonObject } from "../json.js";
import { isObject, parseJson } from "../json.js";
import { positionOf } from "../rooms/pagination.js";
import { buildSync } from "../sync/sync.js";

const MAX_WAIT_MS = 120_000;

/** `GET /sync`, long-polling. */
export function syncRoutes(router: Router): void {
  router.add("GET", "/_matrix/client/v3/sync", sync);
}

async function sync(context: RequestContext): Promise<Reply> {
  const { world, requester } = context;
  if (world.profile.senderCannotSync && requester.service?.info.senderId === requester.userId) {
    throw new MatrixError(500, "M_UNKNOWN", "Internal server error");
  }
  const { account } = context;
  const since = sinceOf(context);
  const timeout = Math.min(context.queryInteger("timeout") ?? 0, MAX_WAIT_MS);
  const request = {
    account,
    device: account.devices.get(requester.deviceId ?? ""),
    since,
    fullState: context.query.get("full_state") === "true",
    filter: filterOf(context),
  };
  const deadline = Date.now() + timeout;
  let answer = buildSync(world, request);
  while (answer.isEmpty && since > 0 && !context.signal.aborted && Date.now() < deadline) {
    await world.notifier.wait(account.userId, deadline - Date.now(), context.signal);
    answer = buildSync(world, request);
  }
  return ok(answer.body);
}

function sinceOf(context: RequestContext): number {
  const token = context.query.get("since");
  return token === null || token === "" ? 0 : positionOf(token);
}

function filterOf(context: RequestContext): JsonObject {
  const filter = context.query.get("filter");
  if (filter === null) return {};
  if (!filter.startsWith("{")) {
    const stored = context.account.filters[Number(filter)];
    if (stored === undefined) throw invalidParam(`No filter ${filter}`);
    return stored;
  }
  const value = parseJson(filter);
  if (!isObject(value)) throw invalidParam("'filter' is not a JSON object");
  return value;
}
