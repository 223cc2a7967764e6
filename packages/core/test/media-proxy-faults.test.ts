import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { until } from "../../../test/support/bounded.js";
import { get, link, ProxyBench } from "./support/media-proxy.js";
import { json, Signal } from "./support/wire-server.js";

let bench: ProxyBench;
beforeEach(async () => {
  bench = await ProxyBench.start();
});
afterEach(() => bench.close());

describe("the media proxy in trouble", () => {
  it.each([
    [404, { errcode: "M_NOT_FOUND" }, 404],
    [403, { errcode: "M_FORBIDDEN" }, 404],
    [401, { errcode: "M_UNKNOWN_TOKEN" }, 502],
    [500, { errcode: "M_UNKNOWN" }, 502],
    [502, {}, 502],
    [504, { errcode: "M_NOT_YET_UPLOADED" }, 504],
    [429, { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 2_000 }, 503],
  ])("answers the homeserver's %i %j with %i", async (status, body, expected) => {
    bench.upstream = (_request, response) => json(response, status, body);
    const { proxy, local } = await bench.proxy();
    const answer = await get(local(link(proxy)));
    expect(answer.status).toBe(expected);
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    if (status === 429) expect(answer.headers["retry-after"]).toBe("2");
  });

  it("passes on no file beyond the cap, announced or not", async () => {
    const { proxy, local } = await bench.proxy({ maxBytes: 5 });
    expect((await get(local(link(proxy)))).status).toBe(403);
    expect((await get(local(link(proxy)), { range: "bytes=0-1" })).status).toBe(403);
    bench.upstream = (_request, response) => {
      response.writeHead(200);
      response.write("012");
      response.end("3456789");
    };
    const answer = await get(local(link(proxy)));
    expect(answer.body.length).toBeLessThanOrEqual(5);
    expect(answer.broken).toBe(true);
  });

  it("lives on when the homeserver is down, refuses, or breaks off", async () => {
    const { proxy, local } = await bench.proxy();
    const url = local(link(proxy));
    bench.upstream = (request) => request.socket.destroy();
    expect((await get(url)).status).toBe(502);
    bench.upstream = (request, response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write("x", () => request.socket.destroy());
    };
    expect(await get(url)).toMatchObject({ status: 200, broken: true });
    await bench.homeserver.close();
    expect((await get(url)).status).toBe(502);
  });

  it("ends the download from the homeserver when the reader leaves", async () => {
    const ended = new Signal();
    const started = new Signal();
    bench.upstream = (_request, response) => {
      response.on("close", () => ended.set());
      response.writeHead(200, { "content-length": 1_000 });
      response.write("x");
      started.set();
    };
    const { proxy, local } = await bench.proxy();
    const url = new URL(local(link(proxy)));
    const socket = connect(Number(url.port), "127.0.0.1", () =>
      socket.write(`GET ${url.pathname} HTTP/1.1\r\nHost: x\r\n\r\n`),
    );
    socket.on("error", () => undefined);
    await started.wait();
    socket.destroy();
    await ended.wait();
    bench.upstream = (_request, response) => response.end("again");
    expect((await get(url.href)).body).toBe("again");
  });

  it("does not read faster from the homeserver than the reader takes", async () => {
    const total = 64 * 1024 * 1024;
    let written = 0;
    bench.upstream = (_request, response) => {
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
    const { proxy, local } = await bench.proxy({ maxBytes: total });
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
    bench.upstream = (_request, response) => void waiting.push(response);
    const { proxy, local } = await bench.proxy({ maxConcurrent: 2 });
    const url = local(link(proxy));
    const first = [get(url), get(url)];
    await until(2_000, "two downloads", () => (waiting.length === 2 ? true : undefined));
    const third = await get(url);
    expect(third.status).toBe(503);
    expect(third.headers["retry-after"]).toBe("5");
    for (const response of waiting) response.end("done");
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    bench.upstream = (_request, response) => response.end("free again");
    expect((await get(url)).status).toBe(200);
    expect(bench.statuses).toEqual([503, 200, 200, 200]);
  });

  it("lives on after garbage on the wire", async () => {
    const { proxy, local } = await bench.proxy();
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
    bench.upstream = (_request, response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write("x");
    };
    const { proxy, local } = await bench.proxy();
    const pending = get(local(link(proxy)), {}, "GET", () => started.set());
    await started.wait();
    await proxy.close();
    expect(await pending).toMatchObject({ broken: true });
  });
});
