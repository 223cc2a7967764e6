import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Said {
  readonly status: number;
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly raw?: string;
  readonly contentType?: string;
}

export interface Asked {
  readonly method: string;
  /** Without the prefix. */
  readonly path: string;
  readonly legacy: boolean;
  readonly query: URLSearchParams;
  readonly header: string | undefined;
  readonly text: string;
  /** Bytes of the body. */
  readonly bytes: number;
}

/** Answers in place of the right one; `undefined`: the right one; `"silence"`: none, ever; `"death"`: the connection breaks. */
export type Misbehaviour = (asked: Asked, right: () => Said) => Said | undefined | "silence" | "death";

const error = (status: number, errcode: string): Said => ({ status, body: { errcode, error: errcode } });
const prefix = "/_matrix/app/v1";

/** A small application service that is right, unless it is told to misbehave. Shares nothing with the core. */
export class SmallService {
  readonly registration = {
    id: "small",
    url: "",
    as_token: "the as_token of the small service",
    hs_token: "the-hs-token-of-the-small-service",
    sender_localpart: "smallbot",
    protocols: ["small"],
    namespaces: {
      users: [{ exclusive: true, regex: "^@small_.*:small\\.test$" }],
      aliases: [{ exclusive: true, regex: "^#small_.*:small\\.test$" }],
      rooms: [],
    },
  };
  #server: Server | undefined;
  url = "";

  constructor(private readonly misbehave: Misbehaviour = () => undefined) {}

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await readRequest(request);
    const said = this.misbehave(asked, () => this.#right(asked)) ?? this.#right(asked);
    if (said === "silence") return;
    if (said === "death") {
      response.destroy();
      return;
    }
    response.writeHead(said.status, { "content-type": said.contentType ?? "application/json" });
    response.end(said.raw ?? JSON.stringify(said.body));
  }

  #right(asked: Asked): Said {
    const routes: readonly (readonly [RegExp, string, () => Said])[] = [
      [/^\/transactions\/[^/]+$/, "PUT", () => transaction(asked)],
      [/^\/ping$/, "POST", () => ({ status: 200, body: {} })],
      [/^\/(users|rooms)\/[^/]+$/, "GET", () => error(404, "M_NOT_FOUND")],
      [/^\/thirdparty\/(protocol|user|location)\/[^/]+$/, "GET", () => thirdParty(asked.path)],
      [/^\/thirdparty\/(user|location)$/, "GET", () => ({ status: 200, body: [] })],
    ];
    const route = routes.find(([pattern]) => pattern.test(asked.path));
    if (!route || (asked.legacy && !/^\/(transactions|users|rooms)\//.test(asked.path)))
      return error(404, "M_UNRECOGNIZED");
    if (route[1] !== asked.method) return error(405, "M_UNRECOGNIZED");
    const tokens = [asked.header, asked.query.get("access_token") ?? undefined].filter((token) => token !== undefined);
    if (tokens.length === 0) return error(401, "M_MISSING_TOKEN");
    if (tokens.some((token) => token !== this.registration.hs_token)) return error(403, "M_FORBIDDEN");
    return route[2]();
  }
}

async function readRequest(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  const content = Buffer.concat(chunks);
  const [path = "", search = ""] = (request.url ?? "/").split("?");
  const legacy = !path.startsWith(prefix);
  return {
    method: request.method ?? "",
    path: legacy ? path : path.slice(prefix.length),
    legacy,
    query: new URLSearchParams(search),
    header: /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1],
    text: content.toString("utf8"),
    bytes: content.length,
  };
}

function transaction({ text, bytes }: Asked): Said {
  if (bytes > 16 * 1024 * 1024) return error(413, "M_TOO_LARGE");
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && !Array.isArray(body)
      ? { status: 200, body: {} }
      : error(400, "M_BAD_JSON");
  } catch {
    return error(400, "M_NOT_JSON");
  }
}

function thirdParty(path: string): Said {
  if (!path.endsWith("/small")) return error(404, "M_NOT_FOUND");
  if (!path.startsWith("/thirdparty/protocol/")) return { status: 200, body: [] };
  return {
    status: 200,
    body: { user_fields: [], location_fields: [], icon: "mxc://small.test/icon", field_types: {}, instances: [] },
  };
}

/** The body, where it is a JSON object. */
export function bodyOf({ text }: Asked): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
