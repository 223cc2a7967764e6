import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type IncomingHttpHeaders, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { ContentUri, EventId, RoomId } from "../dist/connector/ids.js";
import { MatrixClient } from "../dist/matrix/client.js";
import { MediaProxy, type MediaProxyOptions } from "../dist/media/proxy.js";
import { eventPresence } from "../dist/media/revocation.js";
import { until } from "../../../test/support/bounded.js";
import { httpServer, json, Signal, type TestServer } from "./support/wire-server.js";

const room = RoomId("!room:example.org");
const event = EventId("$event");
const uri = ContentUri("mxc://example.org/media");
const file = Buffer.from("0123456789");
const closers: (() => Promise<void>)[] = [];

let upstream: (request: IncomingMessage, response: ServerResponse) => void;
let homeserver: TestServer;
let revoked: Set<EventId>;
let statuses: number[];

beforeEach(async () => {
  upstream = (_request, response) =>
    response.writeHead(200, { "content-type": "image/png", "content-length": file.length }).end(file);
  homeserver = await httpServer((request, response) => upstream(request, response));
  closers.push(homeserver.close);
  revoked = new Set();
  statuses = [];
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Running {
  readonly proxy: MediaProxy;
  readonly client: MatrixClient;
  /** The path and query of a link, on the listener's own address. */
  local(link: string): string;
}

async function start(options: Partial<MediaProxyOptions> = {}): Promise<Running> {
  const client = new MatrixClient({ url: homeserver.url, asToken: "secret-token" });
  const proxy = new MediaProxy({
    client,
    secret: Buffer.alloc(32, 1),
    publicUrl: "https://bridge.example.org/files/",
    host: "127.0.0.1",
    port: 0,
    expireMs: 60_000,
    maxBytes: 1_000,
    revocations: { isRevoked: async (id) => revoked.has(id), revoke: async (id) => void revoked.add(id) },
    onRequest: (status) => statuses.push(status),
    ...options,
  });
  const { port } = await proxy.start();
  closers.push(async () => {
    await proxy.close();
    await client.close();
  });
  return { proxy, client, local: (link) => `http://127.0.0.1:${port}${new URL(link).pathname}` };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The connection broke before the announced end. */
  readonly broken: boolean;
}

function get(url: string, headers: Record<string, string> = {}, method = "GET", onData?: () => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers, method, agent: false }, (response) => {
      let body = "";
      let broken = false;
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString("latin1");
        onData?.();
      });
      response.on("error", () => (broken = true));
      response.on("close", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          broken: broken || !response.complete,
        }),
      );
    });
    request.on("error", reject);
    request.end();
  });
}

const link = (proxy: MediaProxy, name = "photo.png"): string => proxy.link({ uri, name, room, event });

describe("a media link", () => {
  it("serves the file under safe headers, and the token stays inside", async () => {
    let asked: IncomingMessage | undefined;
    const usual = upstream;
    upstream = (request, response) => usual((asked = request), response);
    const { proxy, local } = await start();
    const public_ = link(proxy);
    expect(public_).toMatch(/^https:\/\/bridge\.example\.org\/files\/media\/v1\/[A-Za-z0-9_-]+\/photo\.png$/);
    const answer = await get(local(public_));
    expect(answer).toMatchObject({ status: 200, body: "0123456789", broken: false });
    expect(answer.headers).toMatchObject({
      "content-type": "image/png",
      "content-length": "10",
      "content-disposition": 'inline; filename="photo.png"',
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "private, no-cache",
      "accept-ranges": "bytes",
    });
    expect(answer.headers["content-security-policy"]).toMatch(/^sandbox; default-src 'none'/);
    expect(asked?.url).toBe("/_matrix/client/v1/media/download/example.org/media");
    expect(JSON.stringify(answer.headers)).not.toContain("secret-token");
  });

  it.each([
    ["text/html", "application/octet-stream", "attachment"],
    ["image/svg+xml", "application/octet-stream", "attachment"],
    ["application/xhtml+xml; charset=utf-8", "application/octet-stream", "attachment"],
    ["application/pdf", "application/octet-stream", "attachment"],
    ["text/javascript", "application/octet-stream", "attachment"],
    ["nonsense", "application/octet-stream", "attachment"],
    ["text/plain; charset=utf-7", "text/plain; charset=utf-8", "inline"],
    ["IMAGE/PNG; a=b", "image/png", "inline"],
    ["video/mp4", "video/mp4", "inline"],
    ["audio/ogg", "audio/ogg", "inline"],
  ])("serves %s as %s, %s", async (declared, contentType, disposition) => {
    upstream = (_request, response) => response.writeHead(200, { "content-type": declared }).end(file);
    const { proxy, local } = await start();
    const answer = await get(local(link(proxy)));
    expect(answer.headers["content-type"]).toBe(contentType);
    expect(answer.headers["content-disposition"]).toBe(`${disposition}; filename="photo.png"`);
  });

  it.each([
    ["../../etc/passwd", "passwd"],
    ["C:\\temp\\a.txt", "a.txt"],
    ['evil"; filename="x.exe', "evil__ filename=_x.exe"],
    ["two\r\nlines.txt", "two__lines.txt"],
    ["gpj.\u202eexe", "gpj._exe"],
    ["", "file"],
    ["...", "file"],
    ["x".repeat(500) + ".tar.gz", `${"x".repeat(87)}.gz`],
  ])("makes a safe name of %j", async (name, expected) => {
    const { proxy, local } = await start();
    const answer = await get(local(link(proxy, name)));
    expect(answer.headers["content-disposition"]).toBe(`inline; filename="${expected}"`);
  });

  it("keeps a name in other letters (RFC 8187)", async () => {
    const { proxy, local } = await start();
    const answer = await get(local(link(proxy, "наука's.png")));
    expect(answer.headers["content-disposition"]).toBe(
      `inline; filename="______s.png"; filename*=UTF-8''%D0%BD%D0%B0%D1%83%D0%BA%D0%B0_s.png`,
    );
  });

  it("is no use for anything else: 404 without asking the homeserver", async () => {
    let asked = 0;
    upstream = (_request, response) => {
      asked += 1;
      response.end();
    };
    const { proxy, local } = await start();
    const other = await start({ secret: Buffer.alloc(32, 2) });
    const url = local(link(proxy));
    const token = url.split("/").at(-2) ?? "";
    for (const bad of [
      url.replace("photo.png", "photo.exe"),
      url.replace(token, token.slice(0, -1) + (token.endsWith("A") ? "B" : "A")),
      url.replace(token, Buffer.alloc(96).toString("base64url")),
      url.replace(token, ""),
      local(link(other.proxy)),
      url.replace("/v1/", "/v2/"),
      url.replace("photo.png", "%ff"),
      local("https://x/"),
      local("https://x/_matrix/client/v1/media/download/example.org/media"),
      url.replace(/\/files.*/, "/media/v1/http:%2F%2Fexample.org/x"),
    ]) {
      expect([bad, (await get(bad)).status]).toEqual([bad, 404]);
    }
    expect(asked).toBe(0);
  });

  it("ends when its time is over", async () => {
    let now = 1_000_000;
    const { proxy, local } = await start({ now: () => now, expireMs: 5_000 });
    const url = local(link(proxy));
    now += 4_000;
    expect((await get(url)).status).toBe(200);
    now += 1_000;
    expect((await get(url)).status).toBe(410);
  });

  it("ends when its event is revoked, also in another process and in the middle of a download", async () => {
    const started = new Signal();
    upstream = (_request, response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write("x".repeat(10));
    };
    const { proxy, local } = await start();
    const url = local(link(proxy));
    const pending = get(url, {}, "GET", () => started.set());
    await started.wait();
    await proxy.revoke(event);
    expect(await pending).toMatchObject({ broken: true });
    expect((await get(url)).status).toBe(410);
    const restarted = await start();
    expect((await get(restarted.local(link(restarted.proxy)))).status).toBe(410);
  });

  it("ends when its event is revoked while the homeserver is asked for the file", async () => {
    const { proxy, local } = await start();
    upstream = (_request, response) => void proxy.revoke(event).then(() => response.end("too late"));
    expect((await get(local(link(proxy)))).status).toBe(410);
  });

  it("serves nothing while it cannot be read whether it was revoked", async () => {
    const { proxy, local } = await start({
      revocations: {
        isRevoked: async () => {
          throw new Error("disk gone");
        },
        revoke: async () => undefined,
      },
    });
    expect((await get(local(link(proxy)))).status).toBe(503);
  });

  it.each([
    ["there", { content: { body: "x" } }, 200],
    ["redacted", { content: {} }, 410],
    ["redacted, with the reason", { content: { a: 1 }, unsigned: { redacted_because: {} } }, 410],
    ["unknown", null, 410],
    ["unreadable", 502, 503],
  ])("asks the homeserver whether the event is %s", async (_name, answer, status) => {
    const usual = upstream;
    upstream = (request, response) => {
      const found = { type: "m.room.message", event_id: event, sender: "@a:b", origin_server_ts: 1 };
      if (!(request.url ?? "").includes("/event/")) usual(request, response);
      else if (answer === null) json(response, 404, { errcode: "M_NOT_FOUND" });
      else if (typeof answer === "number") json(response, answer, {});
      else json(response, 200, { ...found, ...answer });
    };
    const client = new MatrixClient({ url: homeserver.url, asToken: "t" });
    closers.push(() => client.close());
    const { proxy, local } = await start({ checkEvent: eventPresence(client) });
    expect((await get(local(link(proxy)))).status).toBe(status);
  });

  it.each([
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-50", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=0-99", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=10-", 416, undefined, "bytes */10"],
    ["bytes=-0", 416, undefined, "bytes */10"],
    ["bytes=4-2", 200, "0123456789", undefined],
    ["bytes=0-1,3-4", 200, "0123456789", undefined],
    ["lines=1-2", 200, "0123456789", undefined],
    ["bytes=x", 200, "0123456789", undefined],
  ])("cuts %s by itself where the homeserver gives the whole", async (range, status, body, contentRange) => {
    upstream = (_request, response) => {
      response.writeHead(200, { "content-type": "video/mp4", "content-length": file.length });
      for (const byte of file) response.write(Buffer.of(byte));
      response.end();
    };
    const { proxy, local } = await start();
    const answer = await get(local(link(proxy)), { range });
    expect(answer).toMatchObject({ status, broken: false });
    if (body !== undefined) expect(answer.body).toBe(body);
    expect(answer.headers["content-range"]).toBe(contentRange);
  });

  it("passes a range on to a homeserver that can, and refuses another one than was asked for", async () => {
    upstream = (request, response) => {
      expect(request.headers.range).toBe("bytes=2-4");
      response.writeHead(206, { "content-range": "bytes 2-4/10", "content-length": 3 }).end("234");
    };
    const { proxy, local } = await start();
    expect(await get(local(link(proxy)), { range: "bytes=2-4" })).toMatchObject({ status: 206, body: "234" });
    upstream = (_request, response) =>
      response.writeHead(206, { "content-range": "bytes 0-2/10", "content-length": 3 }).end("012");
    expect((await get(local(link(proxy)), { range: "bytes=2-4" })).status).toBe(502);
  });

  it("answers conditional requests", async () => {
    const { proxy, local } = await start();
    const url = local(link(proxy));
    const { etag = "" } = (await get(url)).headers;
    expect(await get(url, { "if-none-match": etag })).toMatchObject({ status: 304, body: "" });
    expect((await get(url, { range: "bytes=0-1", "if-range": etag })).status).toBe(206);
    expect((await get(url, { range: "bytes=0-1", "if-range": '"other"' })).status).toBe(200);
    await proxy.revoke(event);
    expect((await get(url, { "if-none-match": etag })).status).toBe(410);
  });

  it("answers HEAD without a body, and nothing but GET and HEAD", async () => {
    const { proxy, local } = await start();
    const url = local(link(proxy));
    const head = await get(url, {}, "HEAD");
    expect(head).toMatchObject({ status: 200, body: "" });
    expect(head.headers["content-length"]).toBe("10");
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await get(url, {}, method);
      expect(answer.status).toBe(405);
      expect(answer.headers.allow).toBe("GET, HEAD");
    }
  });

  it.each([
    [404, { errcode: "M_NOT_FOUND" }, 404],
    [403, { errcode: "M_FORBIDDEN" }, 404],
    [401, { errcode: "M_UNKNOWN_TOKEN" }, 502],
    [500, { errcode: "M_UNKNOWN" }, 502],
    [502, {}, 502],
    [504, { errcode: "M_NOT_YET_UPLOADED" }, 504],
    [429, { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 2_000 }, 503],
  ])("answers the homeserver's %i %j with %i", async (status, body, expected) => {
    upstream = (_request, response) => json(response, status, body);
    const { proxy, local } = await start();
    const answer = await get(local(link(proxy)));
    expect(answer.status).toBe(expected);
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    if (status === 429) expect(answer.headers["retry-after"]).toBe("2");
  });

  it("passes on no file beyond the cap, announced or not", async () => {
    const { proxy, local } = await start({ maxBytes: 5 });
    expect((await get(local(link(proxy)))).status).toBe(403);
    expect((await get(local(link(proxy)), { range: "bytes=0-1" })).status).toBe(403);
    upstream = (_request, response) => {
      response.writeHead(200);
      response.write("012");
      response.end("3456789");
    };
    const answer = await get(local(link(proxy)));
    expect(answer.body.length).toBeLessThanOrEqual(5);
    expect(answer.broken).toBe(true);
  });

  it("lives on when the homeserver is down, refuses, or breaks off", async () => {
    const { proxy, local } = await start();
    const url = local(link(proxy));
    upstream = (request) => request.socket.destroy();
    expect((await get(url)).status).toBe(502);
    upstream = (request, response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write("x", () => request.socket.destroy());
    };
    expect(await get(url)).toMatchObject({ status: 200, broken: true });
    await homeserver.close();
    expect((await get(url)).status).toBe(502);
  });

  it("ends the download from the homeserver when the reader leaves", async () => {
    const ended = new Signal();
    const started = new Signal();
    upstream = (_request, response) => {
      response.on("close", () => ended.set());
      response.writeHead(200, { "content-length": 1_000 });
      response.write("x");
      started.set();
    };
    const { proxy, local } = await start();
    const url = new URL(local(link(proxy)));
    const socket = connect(Number(url.port), "127.0.0.1", () =>
      socket.write(`GET ${url.pathname} HTTP/1.1\r\nHost: x\r\n\r\n`),
    );
    socket.on("error", () => undefined);
    await started.wait();
    socket.destroy();
    await ended.wait();
    upstream = (_request, response) => response.end("again");
    expect((await get(url.href)).body).toBe("again");
  });

  it("does not read faster from the homeserver than the reader takes", async () => {
    const total = 64 * 1024 * 1024;
    let written = 0;
    upstream = (_request, response) => {
      response.writeHead(200, { "content-length": total });
      const chunk = Buffer.alloc(64 * 1024);
      const write = (): void => {
        while (written < total && !response.destroyed) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once("drain", write);
        }
      };
      write();
    };
    const { proxy, local } = await start({ maxBytes: total });
    const url = new URL(local(link(proxy)));
    const socket = connect(Number(url.port), "127.0.0.1", () =>
      socket.write(`GET ${url.pathname} HTTP/1.1\r\nHost: x\r\n\r\n`),
    );
    socket.on("error", () => undefined);
    socket.pause();
    let last = -1;
    await until(5_000, "the flow to stop", async () => {
      const before = last;
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return before === written && written > 0 ? true : undefined;
    });
    expect(written).toBeLessThan(total / 2);
    socket.destroy();
  });

  it("keeps to its number of downloads at once", async () => {
    const waiting: ServerResponse[] = [];
    upstream = (_request, response) => void waiting.push(response);
    const { proxy, local } = await start({ maxConcurrent: 2 });
    const url = local(link(proxy));
    const first = [get(url), get(url)];
    await until(2_000, "two downloads", () => (waiting.length === 2 ? true : undefined));
    const third = await get(url);
    expect(third.status).toBe(503);
    expect(third.headers["retry-after"]).toBe("5");
    for (const response of waiting) response.end("done");
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    upstream = (_request, response) => response.end("free again");
    expect((await get(url)).status).toBe(200);
    expect(statuses).toEqual([503, 200, 200, 200]);
  });

  it("lives on after garbage on the wire", async () => {
    const { proxy, local } = await start();
    const url = new URL(local(link(proxy)));
    for (const garbage of [
      "\0\0\0\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      `GET /${"x".repeat(100_000)} HTTP/1.1\r\n\r\n`,
      "GET http://example.org/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(url.port), "127.0.0.1", () => socket.write(garbage));
        socket.on("error", () => undefined);
        socket.on("close", () => resolve());
        socket.resume();
      });
    }
    expect((await get(url.href)).status).toBe(200);
  });

  it("ends what is under way when the proxy closes", async () => {
    const started = new Signal();
    upstream = (_request, response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write("x");
    };
    const { proxy, local } = await start();
    const pending = get(local(link(proxy)), {}, "GET", () => started.set());
    await started.wait();
    await proxy.close();
    expect(await pending).toMatchObject({ broken: true });
  });
});
