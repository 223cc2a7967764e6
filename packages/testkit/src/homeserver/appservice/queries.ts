import type { Faults } from "../faults/faults.js";
import type { Json } from "../json.js";
import type { Service } from "../world.js";
import { NoAnswerError } from "./client.js";

const QUERY_TIMEOUT_MS = 10_000;

/** Asks whether the application service has made `userId`. No answer counts as no. */
export function queryUser(service: Service, faults: Faults, userId: string): Promise<boolean> {
  return exists(service, `${faults.legacyPaths ? "" : "/_matrix/app/v1"}/users/${encodeURIComponent(userId)}`);
}

/** Asks whether the application service has made `alias`. No answer counts as no. */
export function queryAlias(service: Service, faults: Faults, alias: string): Promise<boolean> {
  return exists(service, `${faults.legacyPaths ? "" : "/_matrix/app/v1"}/rooms/${encodeURIComponent(alias)}`);
}

async function exists(service: Service, path: string): Promise<boolean> {
  return (await get(service, path, new URLSearchParams()))?.status === 200;
}

/** A third-party lookup; `undefined` where there was no answer 200 with JSON. */
export async function thirdParty(service: Service, path: string, query: URLSearchParams): Promise<Json | undefined> {
  const answer = await get(service, `/_matrix/app/v1/thirdparty/${path}`, query);
  return answer?.status === 200 ? answer.json : undefined;
}

async function get(
  service: Service,
  path: string,
  query: URLSearchParams,
): Promise<{ status: number; json: Json | undefined } | undefined> {
  if (service.info.registration.url === null) return undefined;
  try {
    return await service.client.send("GET", path, undefined, QUERY_TIMEOUT_MS, { query });
  } catch (error) {
    if (error instanceof NoAnswerError) return undefined;
    throw error;
  }
}
