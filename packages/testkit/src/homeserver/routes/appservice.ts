import { thirdParty } from "../appservice/queries.js";
import { NoAnswerError } from "../appservice/client.js";
import { forbidden, MatrixError, missingParam, notFound } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { Json, JsonObject } from "../json.js";
import { isObject, stringField } from "../json.js";

const PING_TIMEOUT_MS = 15_000;

/** The ping of application services, and third-party lookups passed on to them. */
export function appServiceRoutes(router: Router): void {
  router.add("POST", "/_matrix/client/v1/appservice/{appserviceId}/ping", ping);
  const thirdParty = "/_matrix/client/v3/thirdparty";
  router.add("GET", `${thirdParty}/protocols`, protocols);
  router.add("GET", `${thirdParty}/protocol/{protocol}`, protocol);
  router.add("GET", `${thirdParty}/user/{protocol}`, (context) =>
    lookup(context, `user/${encode(context, "protocol")}`),
  );
  router.add("GET", `${thirdParty}/location/{protocol}`, (context) =>
    lookup(context, `location/${encode(context, "protocol")}`),
  );
  router.add("GET", `${thirdParty}/user`, (context) => reverseLookup(context, "user", "userid"));
  router.add("GET", `${thirdParty}/location`, (context) => reverseLookup(context, "location", "alias"));
}

function encode(context: RequestContext, name: string): string {
  return encodeURIComponent(context.param(name));
}

/** Application Service API, "Pinging": asks the service over the network and tells what came of it. */
async function ping(context: RequestContext): Promise<Reply> {
  const { faults } = context.world;
  if (faults.missingPing) throw new MatrixError(404, "M_UNRECOGNIZED", "Unrecognized request");
  const service = context.requester.service;
  if (service === undefined) throw forbidden("Only application services may use this endpoint");
  if (service.info.id !== context.param("appserviceId")) {
    throw forbidden("The application service does not own this id");
  }
  if (service.info.registration.url === null) {
    throw new MatrixError(400, "M_URL_NOT_SET", "The application service does not have a URL set");
  }
  const transactionId = stringField(context.json({ optional: true }), "transaction_id");
  const body = JSON.stringify(transactionId === undefined ? {} : { transaction_id: transactionId });
  const started = performance.now();
  try {
    const answer = await service.client.send("POST", "/_matrix/app/v1/ping", body, PING_TIMEOUT_MS);
    if (answer.status < 200 || answer.status > 299 || answer.json === undefined) {
      throw new MatrixError(502, "M_BAD_STATUS", `HTTP ${answer.status}`, { status: answer.status, body: answer.text });
    }
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    if (error.reason === "timeout") throw new MatrixError(504, "M_CONNECTION_TIMEOUT", error.message);
    throw new MatrixError(502, "M_CONNECTION_FAILED", error.message);
  }
  if (faults.pingRetries) service.pusher.retryNow();
  return ok({ duration_ms: Math.round(performance.now() - started) });
}

/** The metadata of each protocol; several services may serve instances of one. */
async function allProtocols(context: RequestContext, only?: string): Promise<JsonObject> {
  const found: JsonObject = {};
  for (const service of context.world.services.values()) {
    for (const name of service.info.registration.protocols ?? []) {
      if (only !== undefined && only !== name) continue;
      const answer = await thirdParty(service, `protocol/${encodeURIComponent(name)}`, new URLSearchParams());
      if (!isObject(answer)) continue;
      const instances = (Array.isArray(answer["instances"]) ? answer["instances"] : []).map((instance): Json => {
        if (!isObject(instance)) return instance;
        const network = stringField(instance, "network_id") ?? "";
        return { ...instance, instance_id: `${service.info.id}|${network}` };
      });
      const known = found[name];
      if (isObject(known) && Array.isArray(known["instances"])) known["instances"].push(...instances);
      else found[name] = { ...answer, instances };
    }
  }
  return found;
}

async function protocols(context: RequestContext): Promise<Reply> {
  return ok(await allProtocols(context));
}

async function protocol(context: RequestContext): Promise<Reply> {
  const name = context.param("protocol");
  const found = (await allProtocols(context, name))[name];
  if (found === undefined) throw notFound("Unknown protocol");
  return ok(found);
}

async function lookup(context: RequestContext, path: string): Promise<Reply> {
  const query = new URLSearchParams(context.query);
  for (const name of ["access_token", "user_id", "device_id"]) query.delete(name);
  const protocolName = context.params["protocol"];
  const results: Json[] = [];
  for (const service of context.world.services.values()) {
    if (protocolName !== undefined && service.info.registration.protocols?.includes(protocolName) !== true) continue;
    const answer = await thirdParty(service, path, query);
    if (Array.isArray(answer)) results.push(...answer);
  }
  return ok(results);
}

function reverseLookup(context: RequestContext, path: string, parameter: string): Promise<Reply> {
  if (context.query.get(parameter) === null) throw missingParam(`Missing query parameter ${parameter}`);
  return lookup(context, path);
}
