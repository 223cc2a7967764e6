import { randomUUID } from "node:crypto";
import { z } from "zod";

const anyObject = z.record(z.string(), z.unknown());
const loginAnswer = z.object({ access_token: z.string(), user_id: z.string() });
const eventAnswer = z.object({ event_id: z.string() });
const roomAnswer = z.object({ room_id: z.string() });
const errorAnswer = z.object({ errcode: z.string(), error: z.string().optional() });

const matrixEvent = z.object({
  type: z.string(),
  event_id: z.string(),
  sender: z.string(),
  state_key: z.string().optional(),
  origin_server_ts: z.number(),
  content: anyObject,
  redacts: z.string().optional(),
});
const eventList = z.object({ events: z.array(matrixEvent).default([]) }).prefault({});
const syncAnswer = z.object({
  next_batch: z.string(),
  rooms: z
    .object({ join: z.record(z.string(), z.object({ state: eventList, timeline: eventList })).default({}) })
    .prefault({}),
});

export type MatrixEvent = z.output<typeof matrixEvent>;
export type SyncAnswer = z.output<typeof syncAnswer>;

/** The homeserver refused a request, or could not be reached. */
export class MatrixRequestError extends Error {
  override readonly name = "MatrixRequestError";
}

/** A person's Matrix client: as much of the client-server API as the page needs. */
export class MatrixClient {
  private constructor(
    private readonly url: string,
    private readonly token: string,
    readonly userId: string,
  ) {}

  static async login(url: string, user: string, password: string): Promise<MatrixClient> {
    const identifier = { type: "m.id.user", user };
    const body = { type: "m.login.password", identifier, password };
    const answer = await request(loginAnswer, `${url}/_matrix/client/v3/login`, { method: "POST", body });
    return new MatrixClient(url, answer.access_token, answer.user_id);
  }

  async createRoom(options: Readonly<Record<string, unknown>>): Promise<string> {
    return (await this.#call(roomAnswer, "POST", "createRoom", options)).room_id;
  }

  async join(room: string): Promise<void> {
    await this.#call(roomAnswer, "POST", `join/${encodeURIComponent(room)}`, {});
  }

  async leave(room: string): Promise<void> {
    await this.#call(anyObject, "POST", `rooms/${encodeURIComponent(room)}/leave`, {});
  }

  /** Resolves to the event id. The same `txnId` never sends twice. */
  async send(room: string, type: string, content: unknown, txnId: string = randomUUID()): Promise<string> {
    const path = `rooms/${encodeURIComponent(room)}/send/${type}/${encodeURIComponent(txnId)}`;
    return (await this.#call(eventAnswer, "PUT", path, content)).event_id;
  }

  async setState(room: string, type: string, content: unknown): Promise<void> {
    await this.#call(eventAnswer, "PUT", `rooms/${encodeURIComponent(room)}/state/${type}/`, content);
  }

  async redact(room: string, event: string): Promise<void> {
    const path = `rooms/${encodeURIComponent(room)}/redact/${encodeURIComponent(event)}/${randomUUID()}`;
    await this.#call(eventAnswer, "PUT", path, {});
  }

  /** Waits up to `timeoutMs` for news since `since`. */
  sync(since: string | undefined, timeoutMs: number, signal: AbortSignal): Promise<SyncAnswer> {
    const query = new URLSearchParams({ timeout: String(timeoutMs) });
    if (since !== undefined) query.set("since", since);
    return request(syncAnswer, this.#address(`sync?${query.toString()}`), { method: "GET", token: this.token, signal });
  }

  #call<Schema extends z.ZodType>(
    schema: Schema,
    method: string,
    path: string,
    body: unknown,
  ): Promise<z.output<Schema>> {
    return request(schema, this.#address(path), { method, token: this.token, body });
  }

  #address(path: string): string {
    return `${this.url}/_matrix/client/v3/${path}`;
  }
}

interface RequestOptions {
  readonly method: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

async function request<Schema extends z.ZodType>(
  schema: Schema,
  address: string,
  options: RequestOptions,
): Promise<z.output<Schema>> {
  const { method, token, body, signal } = options;
  const response = await fetch(address, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: signal ?? AbortSignal.timeout(30_000),
  });
  const answer: unknown = await response.json();
  if (!response.ok) {
    const said = errorAnswer.safeParse(answer);
    const why = said.success ? `${said.data.errcode}: ${said.data.error ?? ""}` : `status ${response.status}`;
    throw new MatrixRequestError(`The homeserver refuses ${method} ${new URL(address).pathname}: ${why}`);
  }
  return schema.parse(answer);
}
