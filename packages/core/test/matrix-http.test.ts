import { afterEach, describe, expect, it } from "@jest/globals";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { UserId } from "../dist/connector/ids.js";
import { freePort, patiently } from "../../../test/support/bounded.js";
import { MatrixHttp, type MatrixExchange, type MatrixHttpOptions } from "../dist/matrix/http.js";
import { bodyOf, httpServer, json, Signal, tcpServer, type TestServer } from "./support/wire-server.js";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function client(url: string, options: Partial<MatrixHttpOptions> = {}): MatrixHttp {
  const http = new MatrixHttp({ url, asToken: "secret", ...options });
  closers.push(() => http.close());
  return http;
}

async function serve(
  handler: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
): Promise<TestServer> {
  const server = await httpServer(handler);
  closers.push(server.close);
  return server;
}

async function serveSockets(handler: (socket: Socket, index: number) => void): Promise<TestServer> {
  const server = await tcpServer(handler);
  closers.push(server.close);
  return server;
}

const answer = (body: string, extra = ""): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${extra}\r\n${body}`;

describe("a request to the homeserver", () => {
  it("carries the token, the ghost and the body, and gives the parsed answer", async () => {
    let seen: { url: string | undefined; authorization: string | undefined; body: string } | undefined;
    const server = await serve(async (request, response) => {
      seen = {
        url: request.url,
        authorization: request.headers.authorization,
        body: (await bodyOf(request)).toString(),
      };
      json(response, 200, { event_id: "$1" });
    });
    const result = await client(`${server.url}/prefix/`).request({
      method: "PUT",
      path: "/_matrix/client/v3/x",
      body: { body: "é" },
      asUser: UserId("@a b:example.org"),
      deviceId: "D",
      ts: 12,
      query: { via: ["one", "two"], limit: 5, none: undefined },
    });
    expect(result).toEqual({ ok: true, body: { event_id: "$1" } });
    expect(seen).toEqual({
      url: "/prefix/_matrix/client/v3/x?user_id=%40a%20b%3Aexample.org&device_id=D&ts=12&via=one&via=two&limit=5",
      authorization: "Bearer secret",
      body: '{"body":"é"}',
    });
  });

  it("ends as an answered error with the homeserver's code and text", async () => {
    const server = await serve((_request, response) => json(response, 403, { errcode: "M_FORBIDDEN", error: "no" }));
    expect(await client(server.url).request({ method: "GET", path: "/x" })).toEqual({
      ok: false,
      failure: {
        kind: "answered",
        status: 403,
        errcode: "M_FORBIDDEN",
        message: "no",
        body: { errcode: "M_FORBIDDEN", error: "no" },
      },
    });
  });

  it.each([
    ["an HTML page", 502, "<html>Bad Gateway</html>", "text/html"],
    ["an empty body", 504, "", undefined],
    ["cut JSON", 500, '{"errcode":', "application/json"],
    ["a page with status 200", 200, "<html>Welcome to the captive portal</html>", "text/html"],
    ["JSON that is no object", 503, '"overloaded"', "application/json"],
  ])("reads %s as M_UNKNOWN", async (_name, status, body, type) => {
    const server = await serve((_request, response) => {
      response.writeHead(status, type === undefined ? {} : { "content-type": type });
      response.end(body);
    });
    const result = await client(server.url).request({ method: "GET", path: "/x" });
    expect(result).toMatchObject({ ok: false, failure: { kind: "answered", status, errcode: "M_UNKNOWN" } });
  });

  it.each([
    ["retry_after_ms before the header", { retry_after_ms: 1_500 }, { "retry-after": "9" }, 1_500],
    ["seconds in the header", {}, { "retry-after": "7" }, 7_000],
    ["24 hours, capped", { retry_after_ms: 86_400_000 }, {}, 60_000],
    ["24 hours in the header, capped", {}, { "retry-after": "86400" }, 60_000],
    ["a date long gone", {}, { "retry-after": "Thu, 01 Jan 1998 00:00:00 GMT" }, 0],
    ["a date far ahead, capped", {}, { "retry-after": "Fri, 01 Jan 2100 00:00:00 GMT" }, 60_000],
    ["nonsense", { retry_after_ms: "soon" }, { "retry-after": "later" }, undefined],
  ])("reads how long to wait: %s", async (_name, body, headers, expected) => {
    const server = await serve((_request, response) =>
      json(response, 429, { errcode: "M_LIMIT_EXCEEDED", ...body }, headers),
    );
    const result = await client(server.url).request({ method: "GET", path: "/x" });
    expect(result.ok ? undefined : result.failure).toMatchObject({ status: 429, errcode: "M_LIMIT_EXCEEDED" });
    expect(!result.ok && result.failure.kind === "answered" ? result.failure.retryAfterMs : "none").toBe(expected);
  });

  it("does not follow redirects, which would take the token elsewhere", async () => {
    let elsewhere = 0;
    const other = await serve((_request, response) => {
      elsewhere += 1;
      json(response, 200, {});
    });
    const server = await serve((_request, response) => void response.writeHead(302, { location: other.url }).end());
    expect(await client(server.url).request({ method: "GET", path: "/x" })).toMatchObject({
      ok: false,
      failure: { status: 302 },
    });
    expect(elsewhere).toBe(0);
  });

  it("was not applied where nobody listens", async () => {
    const port = await freePort();
    const result = await client(`http://127.0.0.1:${port}`).request({ method: "PUT", path: "/x", body: {} });
    expect(result).toMatchObject({ ok: false, failure: { kind: "unanswered", applied: "no" } });
    expect(!result.ok && result.failure.message).toContain("ECONNREFUSED");
  });

  it("was not applied where the name does not resolve", async () => {
    const result = await client("http://homeserver.invalid").request({ method: "PUT", path: "/x", body: {} });
    expect(result).toMatchObject({ ok: false, failure: { kind: "unanswered", applied: "no" } });
  });

  it("may have been applied where the connection breaks twice after it was written", async () => {
    let requests = 0;
    const server = await serveSockets((socket) => {
      socket.once("data", () => {
        requests += 1;
        socket.destroy();
      });
    });
    const result = await client(server.url).request({ method: "PUT", path: "/x", body: {} });
    expect(result).toMatchObject({ ok: false, failure: { kind: "unanswered", applied: "maybe" } });
    expect(requests).toBe(2);
  });

  it("is not sent twice where it is a POST", async () => {
    let requests = 0;
    const server = await serveSockets((socket) => {
      socket.once("data", () => {
        requests += 1;
        socket.destroy();
      });
    });
    const result = await client(server.url).request({ method: "POST", path: "/x", body: {} });
    expect(result).toMatchObject({ ok: false, failure: { kind: "unanswered", applied: "maybe" } });
    expect(requests).toBe(1);
  });

  it("survives a kept connection that the other side has closed", async () => {
    const server = await serveSockets((socket, index) => {
      let requests = 0;
      socket.on("data", () => {
        requests += 1;
        if (index === 0 && requests > 1) socket.destroy();
        else socket.write(answer('{"ok":true}', "connection: keep-alive\r\n"));
      });
    });
    const http = client(server.url, { connections: 1 });
    expect(await http.request({ method: "PUT", path: "/1", body: {} })).toMatchObject({ ok: true });
    expect(await http.request({ method: "PUT", path: "/2", body: {} })).toMatchObject({ ok: true });
  });

  it("stays 'maybe' when the repeated attempt could not even connect", async () => {
    const server = await serveSockets((socket) => {
      socket.once("data", () => {
        void server.close();
        socket.destroy();
      });
    });
    const result = await client(server.url).request({ method: "PUT", path: "/x", body: {} });
    expect(result).toMatchObject({ ok: false, failure: { kind: "unanswered", applied: "maybe" } });
  });

  it("may have been applied where the answer breaks off in the middle", async () => {
    const server = await serveSockets((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"));
    });
    const result = await client(server.url).request({ method: "PUT", path: "/x", body: {} });
    expect(result).toMatchObject({ ok: false, failure: { kind: "unanswered", applied: "maybe" } });
  });

  it("may have been applied where what comes back is not HTTP", async () => {
    const server = await serveSockets((socket) => {
      socket.once("data", () => socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
    });
    const result = await client(server.url).request({ method: "PUT", path: "/x", body: {} });
    expect(result).toMatchObject({ ok: false, failure: { kind: "unanswered", applied: "maybe" } });
  });

  it("ends at its deadline", async () => {
    const server = await serveSockets(() => undefined);
    const result = await client(server.url).request({ method: "PUT", path: "/x", body: {}, timeoutMs: patiently(250) });
    expect(result).toMatchObject({ ok: false, failure: { kind: "unanswered", applied: "maybe" } });
    expect(!result.ok && result.failure.message).toContain(`${patiently(250)} ms`);
  });

  it("ends at its deadline while an answer drips in", async () => {
    const server = await serveSockets((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
        const timer = setInterval(() => socket.write("x"), 5);
        socket.on("close", () => clearInterval(timer));
      });
    });
    const result = await client(server.url).request({ method: "GET", path: "/x", timeoutMs: 60 });
    expect(result).toMatchObject({ ok: false, failure: { kind: "unanswered", applied: "no" } });
  });

  it("was not applied where its deadline ends while it waits for a connection", async () => {
    const server = await serveSockets(() => undefined);
    const http = client(server.url, { connections: 1 });
    const first = http.request({ method: "PUT", path: "/1", body: {}, timeoutMs: patiently(300) });
    const second = await http.request({ method: "PUT", path: "/2", body: {}, timeoutMs: 30 });
    expect(second).toMatchObject({ ok: false, failure: { kind: "unanswered", applied: "no" } });
    expect(await first).toMatchObject({ ok: false, failure: { kind: "unanswered", applied: "maybe" } });
  });

  it("can be given up, before and while it runs", async () => {
    const reached = new Signal();
    const server = await serveSockets((socket) => socket.once("data", () => reached.set()));
    const http = client(server.url);
    const before = AbortSignal.abort();
    expect(await http.request({ method: "PUT", path: "/x", body: {}, signal: before })).toMatchObject({
      failure: { kind: "unanswered", applied: "no" },
    });
    const controller = new AbortController();
    const pending = http.request({ method: "PUT", path: "/x", body: {}, signal: controller.signal });
    await reached.wait();
    controller.abort();
    expect(await pending).toMatchObject({ failure: { kind: "unanswered", applied: "maybe" } });
  });

  it("reads no more than the cap", async () => {
    const server = await serve((_request, response) => json(response, 200, { text: "x".repeat(5_000) }));
    const result = await client(server.url, { maxResponseBytes: 1_000 }).request({ method: "GET", path: "/x" });
    expect(result).toMatchObject({ ok: false, failure: { kind: "answered", status: 200, errcode: "M_UNKNOWN" } });
    expect(!result.ok && result.failure.message).toContain("1000 bytes");
  });

  it("never carries the token in a message", async () => {
    const port = await freePort();
    const result = await client(`http://127.0.0.1:${port}`).request({ method: "GET", path: "/x" });
    expect(JSON.stringify(result)).not.toContain("secret");
  });

  it.each([
    ["a fraction", "/x", { info: { w: 12.5 } }, '"info.w" is 12.5'],
    ["a number beyond 2^53", "/x", { a: [1, 2 ** 53] }, '"a.1"'],
    ["NaN", "/x", { a: Number.NaN }, "NaN"],
    ["a NUL in an id", "/x/%00", {}, "NUL"],
  ])("is not sent with %s", async (_name, path, body, said) => {
    let requests = 0;
    const server = await serve((_request, response) => {
      requests += 1;
      json(response, 200, {});
    });
    const result = await client(server.url).request({ method: "PUT", path, body });
    expect(result).toMatchObject({ ok: false, failure: { kind: "invalid" } });
    expect(!result.ok && result.failure.message).toContain(said);
    expect(requests).toBe(0);
  });

  it("is told to the observer once, with its route and status", async () => {
    const seen: MatrixExchange[] = [];
    const server = await serve((_request, response) => json(response, 200, {}));
    const port = await freePort();
    const onExchange = (exchange: MatrixExchange): void => void seen.push(exchange);
    await client(server.url, { onExchange }).request({ method: "GET", path: "/x/1", route: "/x/{id}" });
    await client(`http://127.0.0.1:${port}`, { onExchange }).request({ method: "PUT", path: "/y" });
    expect(seen.map(({ method, route, status }) => ({ method, route, status }))).toEqual([
      { method: "GET", route: "/x/{id}", status: 200 },
      { method: "PUT", route: "other", status: 0 },
    ]);
  });

  it("ends when the client is closed, and so do those after it", async () => {
    const reached = new Signal();
    const server = await serveSockets((socket) => socket.once("data", () => reached.set()));
    const http = client(server.url);
    const pending = http.request({ method: "PUT", path: "/x", body: {} });
    await reached.wait();
    await http.close();
    expect(await pending).toMatchObject({ failure: { kind: "unanswered", applied: "maybe" } });
    expect(await http.request({ method: "PUT", path: "/x", body: {} })).toMatchObject({
      failure: { kind: "unanswered", applied: "no" },
    });
  });
});
