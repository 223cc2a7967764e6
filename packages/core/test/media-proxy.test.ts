import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { IncomingMessage } from "node:http";
import { eventPresence } from "../dist/media/revocation.js";
import { event, file, get, link, ProxyBench, room, uri } from "./support/media-proxy.js";
import { json, Signal } from "./support/wire-server.js";

let bench: ProxyBench;
beforeEach(async () => {
  bench = await ProxyBench.start();
});
afterEach(() => bench.close());

describe("a media link", () => {
  it("serves the file under safe headers, and the token stays inside", async () => {
    let asked: IncomingMessage | undefined;
    const usual = bench.upstream;
    bench.upstream = (request, response) => usual((asked = request), response);
    const { proxy, local } = await bench.proxy();
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

  it("to a person's picture is the same all day, asks for no event, and ends with its time", async () => {
    let now = Date.UTC(2026, 0, 1, 8);
    const { proxy, local } = await bench.proxy({
      now: () => now,
      expireMs: 30 * 24 * 3_600_000,
      checkEvent: () => Promise.resolve("gone"),
    });
    const first = proxy.avatarLink(uri);
    expect((await get(local(first))).status).toBe(200);
    now += 10 * 3_600_000;
    expect(proxy.avatarLink(uri)).toBe(first);
    now += 10 * 3_600_000;
    expect(proxy.avatarLink(uri)).not.toBe(first);
    expect((await get(local(first))).status).toBe(200);
    now += 60 * 24 * 3_600_000;
    expect((await get(local(first))).status).toBe(410);
    expect((await get(local(first.replace("/avatar", "/other")))).status).toBe(404);
  });

  it("to a text serves what the event says, with nothing in it that runs, until it is taken back", async () => {
    const pages = new Map<string, string>([[event, "<p>hello</p>"]]);
    const { proxy, local } = await bench.proxy({
      readText: (_room, asked) => {
        const html = pages.get(asked);
        return Promise.resolve(html === undefined ? "gone" : { html });
      },
      checkEvent: (_room, asked) => Promise.resolve(pages.has(asked) ? "present" : "gone"),
    });
    const public_ = proxy.textLink(room, event);
    expect(public_).toMatch(/^https:\/\/bridge\.example\.org\/files\/media\/v1\/[A-Za-z0-9_-]+\/message\.html$/);
    const answer = await get(local(public_));
    expect(answer).toMatchObject({ status: 200, body: "<p>hello</p>" });
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(answer.headers["content-security-policy"]).toMatch(/^sandbox; default-src 'none'/);
    pages.clear();
    expect((await get(local(public_))).status).toBe(410);
    expect((await get(local(public_.replace("message.html", "photo.png")))).status).toBe(404);
  });

  it("to a text ends with its time, and says so where the text cannot be read now", async () => {
    let now = 1_000_000;
    const { proxy, local } = await bench.proxy({ now: () => now, readText: () => Promise.resolve("unknown") });
    const public_ = proxy.textLink(room, event);
    expect((await get(local(public_))).status).toBe(503);
    now += 60_001;
    expect((await get(local(public_))).status).toBe(410);
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
    bench.upstream = (_request, response) => response.writeHead(200, { "content-type": declared }).end(file);
    const { proxy, local } = await bench.proxy();
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
    const { proxy, local } = await bench.proxy();
    const answer = await get(local(link(proxy, name)));
    expect(answer.headers["content-disposition"]).toBe(`inline; filename="${expected}"`);
  });

  it("keeps a name in other letters (RFC 8187)", async () => {
    const { proxy, local } = await bench.proxy();
    const answer = await get(local(link(proxy, "наука's.png")));
    expect(answer.headers["content-disposition"]).toBe(
      `inline; filename="______s.png"; filename*=UTF-8''%D0%BD%D0%B0%D1%83%D0%BA%D0%B0_s.png`,
    );
  });

  it("is no use for anything else: 404 without asking the homeserver", async () => {
    let asked = 0;
    bench.upstream = (_request, response) => {
      asked += 1;
      response.end();
    };
    const { proxy, local } = await bench.proxy();
    const other = await bench.proxy({ secret: Buffer.alloc(32, 2) });
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
    const { proxy, local } = await bench.proxy({ now: () => now, expireMs: 5_000 });
    const url = local(link(proxy));
    now += 4_000;
    expect((await get(url)).status).toBe(200);
    now += 1_000;
    expect((await get(url)).status).toBe(410);
  });

  it("ends when its event is revoked, also in another process and in the middle of a download", async () => {
    const started = new Signal();
    bench.upstream = (_request, response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write("x".repeat(10));
    };
    const { proxy, local } = await bench.proxy();
    const url = local(link(proxy));
    const pending = get(url, {}, "GET", () => started.set());
    await started.wait();
    await proxy.revoke(event);
    expect(await pending).toMatchObject({ broken: true });
    expect((await get(url)).status).toBe(410);
    const restarted = await bench.proxy();
    expect((await get(restarted.local(link(restarted.proxy)))).status).toBe(410);
  });

  it("ends when its event is revoked while the homeserver is asked for the file", async () => {
    const { proxy, local } = await bench.proxy();
    bench.upstream = (_request, response) => void proxy.revoke(event).then(() => response.end("too late"));
    expect((await get(local(link(proxy)))).status).toBe(410);
  });

  it("serves nothing while it cannot be read whether it was revoked", async () => {
    const { proxy, local } = await bench.proxy({
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
    ["not for the bot to see", 403, 410],
    ["unreadable", 502, 503],
  ])("asks the homeserver whether the event is %s", async (_name, answer, status) => {
    const usual = bench.upstream;
    bench.upstream = (request, response) => {
      const found = { type: "m.room.message", event_id: event, sender: "@a:b", origin_server_ts: 1 };
      if (!(request.url ?? "").includes("/event/")) usual(request, response);
      else if (answer === null) json(response, 404, { errcode: "M_NOT_FOUND" });
      else if (typeof answer === "number") json(response, answer, {});
      else json(response, 200, { ...found, ...answer });
    };
    const client = bench.client();
    const { proxy, local } = await bench.proxy({ checkEvent: eventPresence(client) });
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
    bench.upstream = (_request, response) => {
      response.writeHead(200, { "content-type": "video/mp4", "content-length": file.length });
      for (const byte of file) response.write(Buffer.of(byte));
      response.end();
    };
    const { proxy, local } = await bench.proxy();
    const answer = await get(local(link(proxy)), { range });
    expect(answer).toMatchObject({ status, broken: false });
    if (body !== undefined) expect(answer.body).toBe(body);
    expect(answer.headers["content-range"]).toBe(contentRange);
  });

  it("passes a range on to a homeserver that can, and refuses another one than was asked for", async () => {
    bench.upstream = (request, response) => {
      expect(request.headers.range).toBe("bytes=2-4");
      response.writeHead(206, { "content-range": "bytes 2-4/10", "content-length": 3 }).end("234");
    };
    const { proxy, local } = await bench.proxy();
    expect(await get(local(link(proxy)), { range: "bytes=2-4" })).toMatchObject({ status: 206, body: "234" });
    bench.upstream = (_request, response) =>
      response.writeHead(206, { "content-range": "bytes 0-2/10", "content-length": 3 }).end("012");
    expect((await get(local(link(proxy)), { range: "bytes=2-4" })).status).toBe(502);
  });

  it("answers conditional requests", async () => {
    const { proxy, local } = await bench.proxy();
    const url = local(link(proxy));
    const { etag = "" } = (await get(url)).headers;
    expect(await get(url, { "if-none-match": etag })).toMatchObject({ status: 304, body: "" });
    expect((await get(url, { range: "bytes=0-1", "if-range": etag })).status).toBe(206);
    expect((await get(url, { range: "bytes=0-1", "if-range": '"other"' })).status).toBe(200);
    await proxy.revoke(event);
    expect((await get(url, { "if-none-match": etag })).status).toBe(410);
  });

  it("answers HEAD without a body, and nothing but GET and HEAD", async () => {
    const { proxy, local } = await bench.proxy();
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
});
