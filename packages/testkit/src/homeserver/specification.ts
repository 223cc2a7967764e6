import type { SpecDeviation } from "../spec/deviations.js";
import type { SpecValidator } from "../spec/validator.js";
import { specValidator } from "../spec/validator.js";
import type { ServiceExchange } from "./appservice/client.js";
import type { Exchange } from "./http/server.js";
import type { Service } from "./world.js";

/** The validator that `HomeserverOptions.validate` asks for. */
export function defaultValidator(validate: boolean | SpecValidator): SpecValidator | undefined {
  if (typeof validate !== "boolean") return validate;
  return validate ? specValidator() : undefined;
}

type Recorder = (deviation: SpecDeviation) => void;

/**
 * Checks what clients and application services ask, and what the homeserver answers. A refused request of an ordinary
 * user is a test's way of asking for the refusal, and only its answer is looked at.
 */
export function observeClientExchange(validator: SpecValidator, record: Recorder): (exchange: Exchange) => void {
  return ({ method, path, query, headers, body, serviceId, userId, reply }) => {
    // `/health` is not of the specification, though every server has it.
    if (path === "/health") return;
    const found = validator.check({
      api: "client-server",
      method,
      path,
      query,
      requestType: headers["content-type"],
      requestBody: body,
      status: reply.status,
      responseType: reply.headers?.["content-type"] ?? "application/json",
      responseBody: reply.raw ?? JSON.stringify(reply.json ?? {}),
      peer: serviceId ?? userId ?? "anonymous",
      ignoreRequest: serviceId === undefined && reply.status >= 400,
      lenient: serviceId === undefined,
    });
    for (const deviation of found) record(deviation);
  };
}

/** Checks what the homeserver sends to application services, and what they answer. */
export function observeServiceExchange(
  validator: SpecValidator,
  record: Recorder,
): (service: Service, exchange: ServiceExchange) => void {
  return (service, exchange) => {
    const found = validator.check({
      api: "application-service",
      method: exchange.method,
      path: exchange.path,
      query: new URLSearchParams(exchange.query),
      requestType: exchange.body === undefined ? undefined : "application/json",
      requestBody: exchange.body ?? "",
      status: exchange.answer.status,
      responseType: exchange.answer.contentType,
      responseBody: exchange.answer.text,
      peer: service.info.id,
    });
    for (const deviation of found) record(deviation);
  };
}
