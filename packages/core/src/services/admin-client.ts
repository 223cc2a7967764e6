import { z } from "zod";
import type * as Schemas from "./admin-schema.js";
import { errorCode, errorText } from "../config/error-text.js";
import { ServiceError } from "./services.js";
import type {
  LinkView,
  QueueDetail,
  QueueEntry,
  QueueFilter,
  QueueService,
  ReloadView,
  Services,
  StatusView,
} from "./services.js";

/** How long a reload may take: bridges stop and start. In milliseconds. */
const reloadTimeout = 10 * 60_000;

/** No Trestle answers at the operations address. */
export class NotRunningError extends Error {
  override readonly name = "NotRunningError";
}

/** Something answers that is no Trestle, or one that does not accept our token. */
export class AdminAccessError extends Error {
  override readonly name = "AdminAccessError";
}

/** How a running Trestle is reached. */
export interface AdminClientOptions {
  /** The operations listener, e.g. `http://127.0.0.1:9994`. */
  readonly url: string;
  readonly token: string;
  /** In milliseconds; 30 seconds where absent. */
  readonly timeout?: number;
}

/**
 * The services of a Trestle that runs in another process.
 *
 * Every method rejects with a `ServiceError` where the service does, with `NotRunningError` where nobody answers and
 * with `AdminAccessError` where the answer is not one of Trestle's.
 */
export class AdminClient implements Services {
  readonly queue: QueueService;

  constructor(private readonly options: AdminClientOptions) {
    this.queue = {
      list: (filter) => this.#listQueue(filter),
      show: (seq) => this.#showQueue(seq),
      replay: (selection) => this.#change("replay", selection),
      drop: (selection) => this.#change("drop", selection),
    };
  }

  link(bridge: string, room: string, channel: string): Promise<LinkView> {
    return this.#request("POST", "links", ({ linkView }) => linkView, { bridge, room, channel });
  }

  unlink(bridge: string, room: string, channel: string | undefined): Promise<readonly LinkView[]> {
    return this.#request("DELETE", "links", ({ linkView }) => z.array(linkView), { bridge, room, channel });
  }

  /** The links of one bridge, or of all. */
  list(bridge?: string): Promise<readonly LinkView[]> {
    return this.#request("GET", `links${query({ bridge })}`, ({ linkView }) => z.array(linkView));
  }

  /** How Trestle, its homeserver and its bridges are. */
  status(): Promise<StatusView> {
    return this.#request("GET", "status", ({ statusView }) => statusView);
  }

  /** Has the configuration read again. */
  reload(): Promise<ReloadView> {
    const asked = new AdminClient({ timeout: reloadTimeout, ...this.options });
    return asked.#request("POST", "reload", ({ reloadView }) => reloadView, {});
  }

  #listQueue(filter: QueueFilter): Promise<readonly QueueEntry[]> {
    return this.#request("GET", `queue${query({ ...filter })}`, ({ queueEntry }) => z.array(queueEntry));
  }

  async #showQueue(seq: number): Promise<QueueDetail | undefined> {
    try {
      return await this.#request("GET", `queue/${seq}`, ({ queueDetail }) => queueDetail);
    } catch (error) {
      if (error instanceof ServiceError && error.code === "notFound") return undefined;
      throw error;
    }
  }

  async #change(change: "replay" | "drop", selection: readonly number[] | "all"): Promise<number> {
    const body = selection === "all" ? { all: true } : { seqs: selection };
    return (await this.#request("POST", `queue/${change}`, ({ countBody }) => countBody, body)).count;
  }

  async #request<Schema extends z.ZodType>(
    method: string,
    path: string,
    choose: (schemas: typeof Schemas) => Schema,
    body?: object,
  ): Promise<z.output<Schema>> {
    const response = await this.#fetch(method, path, body);
    const text = await response.text();
    const answered = parseJson(text);
    // Only who asks a running Trestle needs them, and not the Trestle that runs.
    const schemas = await import("./admin-schema.js");
    if (response.ok) {
      const parsed = choose(schemas).safeParse(answered);
      if (parsed.success) return parsed.data;
      throw new AdminAccessError(`What answers at ${this.options.url} is not a Trestle of this version.`);
    }
    throw this.#failure(response.status, answered, schemas);
  }

  async #fetch(method: string, path: string, body: object | undefined): Promise<Response> {
    const { url, token, timeout = 30_000 } = this.options;
    try {
      return await fetch(`${url.replace(/\/$/, "")}/admin/v1/${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeout),
        redirect: "error",
      });
    } catch (error) {
      throw new NotRunningError(`Trestle does not answer at ${url}: ${causeOf(error)}`, { cause: error });
    }
  }

  #failure(status: number, answered: unknown, { errorBody, serviceErrorCode }: typeof Schemas): Error {
    const parsed = errorBody.safeParse(answered);
    if (!parsed.success)
      return new AdminAccessError(`What answers at ${this.options.url} is not Trestle (status ${status}).`);
    if (status === 401) return new AdminAccessError(parsed.data.message);
    const code = serviceErrorCode.safeParse(parsed.data.error);
    return code.success
      ? new ServiceError(code.data, parsed.data.message)
      : new Error(`Trestle reports: ${parsed.data.message}`);
  }
}

function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined) given.set(key, String(value));
  return given.size === 0 ? "" : `?${given.toString()}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON, so not an answer of Trestle's: the caller says so.
    return undefined;
  }
}

/** `fetch` hides the reason (`ECONNREFUSED`, a timeout) in the cause. */
function causeOf(error: unknown): string {
  const cause = typeof error === "object" && error !== null && "cause" in error ? error.cause : undefined;
  if (cause === undefined) return errorText(error);
  return errorCode(cause) === "ECONNREFUSED" ? "connection refused" : errorText(cause) || errorText(error);
}
