import type { IncomingHttpHeaders } from "node:http";
import type { Account } from "../accounts/accounts.js";
import { badJson, MatrixError, missingParam } from "../errors.js";
import type { JsonObject } from "../json.js";
import { hasLoneSurrogate, isObject, nonCanonicalNumber, parseJson } from "../json.js";
import type { Service, World } from "../world.js";
import type { Route } from "./router.js";

/** Who makes a request. */
export interface Requester {
  /** The user it acts as: with an application service's token the masqueraded one. */
  readonly userId: string;
  readonly deviceId: string | undefined;
  /** The application service whose token was used. */
  readonly service: Service | undefined;
}

/** What an endpoint knows about the request it answers. */
export class RequestContext {
  #requester: Requester | undefined;
  #aborter: AbortController | undefined;
  #params: Record<string, string> | undefined;

  constructor(
    readonly world: World,
    readonly route: Route,
    /** The path as it came, still encoded. */
    readonly path: string,
    private readonly values: readonly string[],
    readonly query: URLSearchParams,
    readonly headers: IncomingHttpHeaders,
    readonly body: Buffer,
  ) {}

  /** A path parameter, decoded. */
  param(name: string): string {
    this.#params ??= Object.fromEntries(this.route.names.map((key, index) => [key, this.values[index] ?? ""]));
    const value = this.#params[name];
    if (value === undefined) throw new Error(`route ${this.route.template} has no parameter ${name}`);
    return value;
  }

  /** The path parameters, decoded. */
  get params(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.route.names.map((key, index) => [key, this.values[index] ?? ""]));
  }

  get requester(): Requester {
    if (this.#requester === undefined) throw new Error(`route ${this.route.template} was not authenticated`);
    return this.#requester;
  }

  /** The requester where the request was authenticated, else `undefined`. */
  get authenticated(): Requester | undefined {
    return this.#requester;
  }

  set requester(requester: Requester) {
    this.#requester = requester;
  }

  get userId(): string {
    return this.requester.userId;
  }

  /** The requester's account. @throws MatrixError 500, as Synapse for an application service's unregistered sender */
  get account(): Account {
    const account = this.world.accounts.get(this.userId);
    if (account === undefined) throw new MatrixError(500, "M_UNKNOWN", "Internal server error");
    return account;
  }

  /** Aborted when the client goes away or the server stops. */
  get signal(): AbortSignal {
    return (this.#aborter ??= new AbortController()).signal;
  }

  abort(): void {
    this.#aborter?.abort();
  }

  /** The body as a JSON object. @throws MatrixError 400 `M_NOT_JSON`, `M_BAD_JSON` */
  json(options: { optional?: boolean } = {}): JsonObject {
    if (this.body.length === 0 && options.optional === true) return {};
    const value = parseJson(this.body.toString("utf8"));
    if (value === undefined) throw new MatrixError(400, "M_NOT_JSON", "Content not JSON.");
    if (!isObject(value)) throw badJson("Content must be a JSON object.");
    return value;
  }

  /** The body as the content of an event, which must fit into canonical JSON. */
  eventContent(): JsonObject {
    const text = this.body.toString("utf8");
    const value = parseJson(text);
    if (value === undefined) throw new MatrixError(400, "M_NOT_JSON", "Content not JSON.");
    if (!isObject(value)) throw badJson("Content must be a JSON object.");
    checkCanonical(value, text);
    return value;
  }

  queryString(name: string): string {
    const value = this.query.get(name);
    if (value === null) throw missingParam(`Missing query parameter ${name}`);
    return value;
  }

  /** A non-negative integer query parameter. @throws MatrixError 400 `M_INVALID_PARAM` */
  queryInteger(name: string): number | undefined {
    const value = this.query.get(name);
    if (value === null) return undefined;
    if (!/^\d{1,15}$/u.test(value)) {
      throw new MatrixError(400, "M_INVALID_PARAM", `Query parameter ${name} must be a non-negative integer`);
    }
    return Number(value);
  }

  /** `?ts=`: honoured for application services only (Application Service API, "Timestamp massaging"). */
  get timestamp(): number | undefined {
    return this.requester.service === undefined ? undefined : this.queryInteger("ts");
  }
}

/** @throws MatrixError 400 for numbers that canonical JSON cannot carry, and for halves of surrogate pairs */
export function checkCanonical(content: JsonObject, text: string): void {
  const number = nonCanonicalNumber(content);
  if (number !== undefined) throw badJson(`Bad JSON value: float or out of range: ${number}`);
  if (/\\u[dD][89a-fA-F]/u.test(text) && hasLoneSurrogate(content)) throw badJson("Bad JSON value: lone surrogate");
}
