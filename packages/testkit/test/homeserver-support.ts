import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { Homeserver, JsonObject } from "@trestle/testkit";
import { TestClient } from "@trestle/testkit";
import { patiently } from "../../../test/support/bounded.js";

export type Body = Record<string, unknown>;

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly body: Body;
}

export interface Transaction {
  readonly id: string;
  readonly events: Body[];
  readonly ephemeral: Body[] | undefined;
  readonly unstableEphemeral: Body[] | undefined;
}

type Answer = { status: number; text?: string; afterMs?: Promise<void> } | undefined;

/** An application service that only notes what it receives, and answers as the test says. */
export class FakeService {
  readonly received: Received[] = [];
  /** Decides about the answer; `undefined` is 200 `{}`. */
  answer: (request: Received) => Answer | Promise<Answer> = () => undefined;
  #server: Server;
  #port = 0;
  #listeners = new Set<() => void>();

  private constructor() {
    this.#server = this.#create();
  }

  static async start(): Promise<FakeService> {
    const service = new FakeService();
    await service.listen();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(this.#port, "127.0.0.1", () => {
        const address = this.#server.address();
        if (typeof address === "object" && address !== null) this.#port = address.port;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        this.#server = this.#create();
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  get transactions(): Transaction[] {
    return this.received
      .filter((request) => request.path.includes("/transactions/"))
      .map(({ path, body }) => ({
        id: decodeURIComponent(path.split("/").at(-1) ?? ""),
        events: list(body["events"]) ?? [],
        ephemeral: list(body["ephemeral"]),
        unstableEphemeral: list(body["de.sorunome.msc2409.ephemeral"]),
      }));
  }

  get events(): Body[] {
    return this.transactions.flatMap((transaction) => transaction.events);
  }

  /** The bodies of the messages that arrived, in order. */
  get bodies(): unknown[] {
    return this.events.filter((event) => event["type"] === "m.room.message").map((event) => content(event)["body"]);
  }

  get ephemeral(): Body[] {
    return this.transactions.flatMap((transaction) => transaction.ephemeral ?? transaction.unstableEphemeral ?? []);
  }

  /** Resolves once `condition` holds, looked at after each request. */
  async until(condition: () => boolean, timeoutMs = 5_000): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#listeners.delete(look);
        reject(
          new Error(`the application service waited in vain; received ${JSON.stringify(this.received.slice(-5))}`),
        );
      }, patiently(timeoutMs));
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
    });
  }

  #create(): Server {
    return createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const received: Received = {
      method: request.method ?? "",
      path,
      query: new URLSearchParams(query),
      authorization: request.headers.authorization,
      body: text === "" ? {} : record(JSON.parse(text)),
    };
    this.received.push(received);
    const answer = await this.answer(received);
    await answer?.afterMs;
    const status = answer?.status ?? 200;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(answer?.text ?? (status < 300 ? "{}" : '{"errcode":"M_UNKNOWN","error":"as the test says"}'));
    for (const look of [...this.#listeners]) look();
  }
}

export function record(value: unknown): Body {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

export function list(value: unknown): Body[] | undefined {
  return Array.isArray(value) ? value.map(record) : undefined;
}

export function content(event: unknown): Body {
  return record(record(event)["content"]);
}

/** The id of a transaction that an application service received. */
export function transactionIdOf({ path }: Received): string {
  return decodeURIComponent(path.split("/").at(-1) ?? "");
}

/** The bodies of its events, in order; `undefined` for events without. */
export function bodiesOf({ body }: Received): unknown[] {
  return (list(body["events"]) ?? []).map((event) => content(event)["body"]);
}

export function text(value: unknown): string {
  if (typeof value !== "string") throw new Error(`${JSON.stringify(value)} is no text`);
  return value;
}

/** A registration with the namespace `@irc_…` and `#irc_…` of `localhost.test`. */
export function registration(url: string | null, extra: JsonObject = {}): JsonObject {
  return {
    id: "irc",
    url,
    as_token: "as-token",
    hs_token: "hs-token",
    sender_localpart: "ircbot",
    rate_limited: false,
    namespaces: {
      users: [{ regex: "^@irc_.*:localhost\\.test$", exclusive: true }],
      aliases: [{ regex: "^#irc_.*:localhost\\.test$", exclusive: true }],
      rooms: [],
    },
    ...extra,
  };
}

/** Requests with an application service's token. */
export class ServiceCaller {
  constructor(
    private readonly homeserver: Homeserver,
    private readonly token = "as-token",
  ) {}

  async call(
    method: string,
    path: string,
    options: { body?: unknown; as?: string; query?: Record<string, string> } = {},
  ): Promise<{ status: number; body: Body; headers: IncomingHttpHeaders }> {
    const client = new TestClient(this.homeserver.url, this.token, "");
    const answer = await client.exchange(method, path, {
      query: { ...options.query, ...(options.as === undefined ? {} : { user_id: options.as }) },
      ...(options.body === undefined ? {} : { content: JSON.stringify(options.body) }),
    });
    return { status: answer.status, body: record(JSON.parse(answer.body.toString())), headers: answer.headers };
  }

  /** Registers a ghost and, where a room is given, joins it. @returns its user id */
  async ghost(localpart: string, roomId?: string): Promise<string> {
    const body = { type: "m.login.application_service", username: localpart, inhibit_login: true };
    const { body: made } = await this.call("POST", "/_matrix/client/v3/register", { body });
    const userId = String(made["user_id"]);
    if (roomId !== undefined) {
      await this.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, { body: {}, as: userId });
    }
    return userId;
  }

  send(
    roomId: string,
    as: string,
    body: string,
    txnId: string,
    query: Record<string, string> = {},
  ): ReturnType<ServiceCaller["call"]> {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${txnId}`;
    return this.call("PUT", path, { body: { msgtype: "m.text", body, "m.mentions": {} }, as, query });
  }
}

/** Resolves once `condition` holds, looked at every few milliseconds. */
export async function poll(condition: () => boolean, timeoutMs = 5_000): Promise<void> {
  const deadline = Date.now() + patiently(timeoutMs);
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`in vain: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
