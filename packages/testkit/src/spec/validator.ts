import { SpecDocuments, specDataFolder } from "./data.js";
import type { SpecDeviation } from "./deviations.js";
import { eventContentSchema } from "./event-content.js";
import type { Contents, Operation, Parameter, SpecApi } from "./operations.js";
import { matchesPath, readOperations, specificity } from "./operations.js";
import { SpecSchemas } from "./schemas.js";

/** One request and its answer, as they were on the wire. */
export interface SpecExchange {
  readonly api: SpecApi;
  readonly method: string;
  /** Path as it was sent, percent-encoded, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly requestType: string | undefined;
  readonly requestBody: Buffer | string;
  readonly status: number;
  readonly responseType: string | undefined;
  readonly responseBody: Buffer | string;
  /** Who is on the other side; named in the deviations. */
  readonly peer: string;
  /** Looks at the answer alone: for requests that a test makes wrong on purpose. */
  readonly ignoreRequest?: boolean;
  /** For clients that are not ours: private query parameters and odd contents of events are their own affair. */
  readonly lenient?: boolean;
  /** The reverse of `ignoreRequest`: for answers that are not the homeserver's own. */
  readonly ignoreResponse?: boolean;
}

/** Holds exchanges against the OpenAPI documents of the Matrix specification. */
export interface SpecValidator {
  /** What deviates in one exchange; empty where it follows the specification. */
  check(exchange: SpecExchange): SpecDeviation[];
  /** Every operation of both APIs, as `PUT /_matrix/…`, its schemas compiled. @throws Error for one that is not usable */
  compileAll(): string[];
}

/** Query parameters that every request of an application service may carry. */
const COMMON_QUERY = new Set(["access_token", "user_id", "device_id", "org.matrix.msc3202.device_id"]);

let cached: { folder: string; validator: SpecValidator } | undefined;

/** The validator of this process, or `undefined` where the specification's data is not beside the project. */
export function specValidator(): SpecValidator | undefined {
  const folder = specDataFolder();
  if (folder === undefined) return undefined;
  if (cached?.folder !== folder) cached = { folder, validator: new OpenApiValidator(new SpecDocuments(folder)) };
  return cached.validator;
}

class OpenApiValidator implements SpecValidator {
  readonly #schemas: SpecSchemas;
  readonly #operations = new Map<SpecApi, Map<string, Operation[]>>();

  constructor(private readonly documents: SpecDocuments) {
    this.#schemas = new SpecSchemas(documents);
  }

  check(exchange: SpecExchange): SpecDeviation[] {
    const { peer, status } = exchange;
    if (exchange.path.includes("/unstable/")) return [];
    const candidates = this.#candidates(exchange);
    if (candidates.length === 0) {
      if (exchange.ignoreRequest === true) return [];
      const operation = `${exchange.method} ${exchange.path}`;
      return [{ peer, operation, side: "request", status, problem: "the specification has no such operation" }];
    }
    let best: SpecDeviation[] | undefined;
    for (const operation of candidates) {
      const found = this.#checkOperation(operation, exchange);
      if (found.length === 0) return [];
      best ??= found;
    }
    return best ?? [];
  }

  compileAll(): string[] {
    const names: string[] = [];
    for (const api of ["client-server", "application-service"] as const) {
      for (const operation of [...this.#index(api).values()].flat()) {
        names.push(`${operation.method} ${operation.template}`);
        for (const parameter of operation.parameters) this.#schemas.compile(parameter.schema);
        const contents = [...operation.responses.values(), ...(operation.body ? [operation.body.contents] : [])];
        for (const content of contents) for (const schema of content.values()) this.#schemas.compile(schema);
      }
    }
    return names;
  }

  #candidates(exchange: SpecExchange): Operation[] {
    const path = exchange.api === "application-service" ? withPrefix(exchange.path) : exchange.path;
    const segments = path.split("/");
    const ofLength = this.#index(exchange.api).get(`${exchange.method} ${segments.length}`) ?? [];
    const matching = ofLength.filter((operation) => matchesPath(operation, segments));
    const most = Math.max(0, ...matching.map(specificity));
    return matching.filter((operation) => specificity(operation) === most);
  }

  #index(api: SpecApi): Map<string, Operation[]> {
    let index = this.#operations.get(api);
    if (index === undefined) {
      index = new Map();
      for (const operation of readOperations(this.documents, api)) {
        const key = `${operation.method} ${operation.segments.length}`;
        const list = index.get(key);
        if (list === undefined) index.set(key, [operation]);
        else list.push(operation);
      }
      this.#operations.set(api, index);
    }
    return index;
  }

  #checkOperation(operation: Operation, exchange: SpecExchange): SpecDeviation[] {
    const name = `${operation.method} ${operation.template}`;
    const { peer, status } = exchange;
    const report = (side: "request" | "response", problems: readonly string[]): SpecDeviation[] =>
      problems.map((problem) => ({ peer, operation: name, side, status, problem }));
    try {
      const request = exchange.ignoreRequest === true ? [] : this.#requestProblems(operation, exchange);
      const response = exchange.ignoreResponse === true ? [] : this.#responseProblems(operation, exchange);
      return [...report("request", request), ...report("response", response)];
    } catch (error) {
      // Neither side is to suffer from a schema that cannot be used, and nobody is to take silence for agreement.
      return report("request", [`could not be validated: ${error instanceof Error ? error.message : String(error)}`]);
    }
  }

  #requestProblems(operation: Operation, exchange: SpecExchange): string[] {
    return [
      ...this.#pathProblems(operation, exchange),
      ...this.#queryProblems(operation, exchange),
      ...this.#bodyProblems(operation, exchange),
      ...this.#contentProblems(operation, exchange),
    ];
  }

  #pathProblems(operation: Operation, exchange: SpecExchange): string[] {
    const values = pathValues(operation, exchange);
    return operation.parameters
      .filter((parameter) => parameter.in === "path")
      .flatMap((parameter) => {
        const value = values.get(parameter.name);
        if (value === undefined) return [`path parameter ${parameter.name} is missing`];
        return this.#schemas.problems(parameter.schema, value, `path parameter ${parameter.name} `);
      });
  }

  #queryProblems(operation: Operation, { query, lenient }: SpecExchange): string[] {
    const known = operation.parameters.filter((parameter) => parameter.in === "query");
    const problems = known.flatMap((parameter) => this.#queryProblem(parameter, query));
    // A third-party lookup takes the fields of its protocol as parameters.
    if (lenient === true || operation.template.includes("/thirdparty/")) return problems;
    for (const name of new Set(query.keys())) {
      if (COMMON_QUERY.has(name) || known.some((parameter) => parameter.name === name)) continue;
      if (name === "ts" && /\/(?:send|state)\//u.test(operation.template)) continue;
      problems.push(`query parameter ${name} is not one of the operation's`);
    }
    return problems;
  }

  #queryProblem(parameter: Parameter, query: URLSearchParams): string[] {
    const texts = query.getAll(parameter.name);
    const first = texts[0];
    if (first === undefined) return parameter.required ? [`query parameter ${parameter.name} is missing`] : [];
    const value = parameter.type === "array" ? texts : readText(first, parameter.type);
    return this.#schemas.problems(parameter.schema, value, `query parameter ${parameter.name} `);
  }

  #bodyProblems(operation: Operation, exchange: SpecExchange): string[] {
    const { body } = operation;
    if (body === undefined) return [];
    if (exchange.requestBody.length === 0) {
      return body.required && body.contents.has("application/json") ? ["the request has no body"] : [];
    }
    return this.#typedProblems(body.contents, exchange.requestType, exchange.requestBody, "body");
  }

  /** The content of a known event type that was accepted must be what the specification says of it. */
  #contentProblems(operation: Operation, exchange: SpecExchange): string[] {
    if (exchange.lenient === true || exchange.api !== "client-server") return [];
    if (exchange.method !== "PUT" || exchange.status !== 200) return [];
    if (!/\/rooms\/\{roomId\}\/(?:send|state)\//u.test(operation.template)) return [];
    const content = parse(exchange.requestBody);
    const type = pathValues(operation, exchange).get("eventType") ?? "";
    const schema = eventContentSchema(this.documents, type, content);
    return schema === undefined ? [] : this.#schemas.problems(schema, content, `content of ${type} `);
  }

  #responseProblems(operation: Operation, exchange: SpecExchange): string[] {
    const { status } = exchange;
    const contents =
      operation.responses.get(String(status)) ?? operation.responses.get(`${Math.floor(status / 100)}XX`);
    if (contents === undefined || (status >= 400 && contents.size === 0)) {
      // "Standard error response" may be the answer to any request.
      if (status >= 400) return standardErrorProblems(exchange);
      return [`status ${status} is not one of the operation's (${[...operation.responses.keys()].join(", ")})`];
    }
    if (contents.size === 0) return [];
    return this.#typedProblems(contents, exchange.responseType, exchange.responseBody, "answer");
  }

  #typedProblems(contents: Contents, type: string | undefined, body: Buffer | string, what: string): string[] {
    const name = (type ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
    const schema = contents.get("application/json");
    if (schema !== undefined && (name === "application/json" || contents.size === 1)) {
      const problems =
        name === "application/json" ? [] : [`${what} has the content type '${name}', not application/json`];
      const value = parse(body);
      if (value === undefined) return [...problems, `${what} is not JSON`];
      return [...problems, ...this.#schemas.problems(schema, value, `${what} `)];
    }
    return [];
  }
}

/** Un-prefixed paths are those of the first specification; they take the same bodies. */
function withPrefix(path: string): string {
  return path.startsWith("/_matrix/app/") ? path : `/_matrix/app/v1${path}`;
}

function pathValues(operation: Operation, exchange: SpecExchange): Map<string, string> {
  const path = exchange.api === "application-service" ? withPrefix(exchange.path) : exchange.path;
  const values = new Map<string, string>();
  for (const [index, segment] of path.split("/").entries()) {
    const name = operation.segments[index];
    if (name?.startsWith("{") === true) values.set(name.slice(1, -1), decode(segment));
  }
  return values;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Whatever it is, it is no valid value: the schema says so.
    return segment;
  }
}

function readText(text: string, type: string): unknown {
  if (type === "integer" || type === "number") return /^-?\d+(?:\.\d+)?$/u.test(text) ? Number(text) : text;
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  return text;
}

function parse(body: Buffer | string): unknown {
  try {
    const value: unknown = JSON.parse(body.toString());
    return value;
  } catch {
    // `undefined` is no JSON value: the caller asks for it.
    return undefined;
  }
}

function standardErrorProblems(exchange: SpecExchange): string[] {
  const value = parse(exchange.responseBody);
  const field = (name: string): unknown =>
    typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
  // The stages of user-interactive authentication come with 401, with an errcode only after a failed one.
  if (exchange.status === 401 && Array.isArray(field("flows"))) return [];
  return typeof field("errcode") === "string"
    ? []
    : [`the answer with status ${exchange.status} is not a standard error response`];
}
