import { afterEach, describe, expect, it } from "@jest/globals";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { LookupFunction } from "node:net";
import { buffer } from "node:stream/consumers";
import { GuardedFetcher, type FetchResult, type GuardOptions } from "../dist/media/guard.js";
import { freePort, patiently } from "../../../test/support/bounded.js";
import { httpServer, Signal, tcpServer, type TestServer } from "./support/wire-server.js";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<TestServer> {
  const server = await httpServer(handler);
  closers.push(server.close);
  return server;
}

const open = (options: Partial<GuardOptions> = {}): GuardedFetcher =>
  new GuardedFetcher({ maxBytes: 1_000, allowPrivate: true, ...options });
const strict = (options: Partial<GuardOptions> = {}): GuardedFetcher =>
  new GuardedFetcher({ maxBytes: 1_000, ...options });

function failure(result: FetchResult): { kind: string; reason: string } {
  if (result.ok) {
    result.file.stream.destroy();
    throw new Error("the fetch went through");
  }
  return result.failure;
}

async function textOf(result: FetchResult): Promise<string> {
  if (!result.ok) throw new Error(result.failure.reason);
  return (await buffer(result.file.stream)).toString();
}

/** A server on another loopback address, which stands for a private one. */
async function serveInner(text: string, port: number): Promise<{ port: number; reached: () => number }> {
  let reached = 0;
  const server = createServer((_request, response) => {
    reached += 1;
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.2", resolve));
  closers.push(() => new Promise((resolve) => server.close(() => resolve())));
  return { port, reached: () => reached };
}

/** A resolver that answers `first` the first time and `later` ever after, and counts. */
function resolver(
  first: readonly string[],
  later: readonly string[] = first,
): { lookup: LookupFunction; asked: () => number } {
  let asked = 0;
  const lookup: LookupFunction = (_name, _options, callback) => {
    asked += 1;
    const addresses = asked === 1 ? first : later;
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  };
  return { lookup, asked: () => asked };
}

describe("a guarded fetch", () => {
  it("gives the file with its type and size, and sends nothing of ours", async () => {
    let headers: IncomingMessage["headers"] = {};
    const server = await serve((request, response) => {
      headers = request.headers;
      response.writeHead(200, { "content-type": "image/png", "content-length": 5 }).end("12345");
    });
    const result = await open().open(`${server.url}/a?b=c`);
    if (!result.ok) throw new Error(result.failure.reason);
    expect(result.file).toMatchObject({ contentType: "image/png", size: 5 });
    expect((await buffer(result.file.stream)).toString()).toBe("12345");
    expect(headers.authorization).toBeUndefined();
    expect(headers.cookie).toBeUndefined();
    expect(headers.referer).toBeUndefined();
  });

  it.each([
    "file:///etc/passwd",
    "ftp://example.org/x",
    "gopher://example.org/",
    "data:text/plain,x",
    "not a url",
    "",
    "http://user:password@example.org/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fe80::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://[fd00:ec2::254]/",
    "https://192.168.1.1/",
    "http://0.0.0.0/",
    "http://example.org:25/",
    "http://example.org:22/",
  ])("refuses %s without a connection", async (url) => {
    const { lookup, asked } = resolver(["127.0.0.1"]);
    expect(failure(await strict({ lookup }).open(url)).kind).toBe("refused");
    expect(asked()).toBe(0);
  });

  it.each([[["127.0.0.1"]], [["10.0.0.1", "::1"]], [["::ffff:192.168.0.1"]], [["fd00::1"]], [["169.254.169.254"]]])(
    "refuses a name that resolves to %j",
    async (addresses) => {
      let reached = 0;
      const server = await serve((_request, response) => {
        reached += 1;
        response.end("secret");
      });
      const { lookup } = resolver(addresses);
      expect(failure(await strict({ lookup }).open(`http://inner.example.org:${server.port}/`)).kind).toBe("refused");
      expect(reached).toBe(0);
    },
  );

  it("resolves a name once, and connects to nothing but what was permitted then", async () => {
    const server = await serve((_request, response) => response.end("public"));
    const inner = await serveInner("secret", server.port);
    // A rebinding name: permitted when it is looked at, another address afterwards.
    const rebinding = resolver(["127.0.0.1"], ["127.0.0.2"]);
    expect(
      await textOf(
        await strict({ ...rebinding, allowPrivate: ["127.0.0.1"] }).open(`http://rebind.example.org:${server.port}/`),
      ),
    ).toBe("public");
    expect(rebinding.asked()).toBe(1);
    // A name with a permitted and a private address.
    const mixed = resolver(["127.0.0.2", "127.0.0.1"]);
    expect(
      await textOf(
        await strict({ ...mixed, allowPrivate: ["127.0.0.1"] }).open(`http://mixed.example.org:${server.port}/`),
      ),
    ).toBe("public");
    expect(inner.reached()).toBe(0);
  });

  it("looks at every redirect's target again", async () => {
    const inner = await serveInner("secret", await freePort());
    const { lookup } = resolver(["127.0.0.2"]);
    const fetcher = strict({ lookup, allowPrivate: ["127.0.0.1"] });
    for (const location of [
      `http://127.0.0.2:${inner.port}/`,
      `http://inner.example.org:${inner.port}/`,
      `//127.0.0.2:${inner.port}/`,
      "http://[::1]/",
      "http://169.254.169.254/",
      "http://127.0.0.1:25/",
      "file:///etc/passwd",
      "http://user:pw@127.0.0.1/",
      "javascript:alert(1)",
    ]) {
      const hop = await serve((_request, response) => response.writeHead(302, { location }).end());
      expect([location, failure(await fetcher.open(hop.url)).kind]).toEqual([location, "refused"]);
    }
    expect(inner.reached()).toBe(0);
  });

  it("follows five redirects and no more", async () => {
    const server = await serve((request, response) => {
      const left = Number((request.url ?? "/0").slice(1));
      if (left === 0) response.end("arrived");
      else response.writeHead(307, { location: `/${left - 1}` }).end();
    });
    const result = await open().open(`${server.url}/5`);
    if (!result.ok) throw new Error(result.failure.reason);
    expect((await buffer(result.file.stream)).toString()).toBe("arrived");
    expect(failure(await open().open(`${server.url}/6`))).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("5 redirects"),
    });
  });

  it("refuses what says that it is too large, and cuts off what does not say", async () => {
    const said = await serve((_request, response) =>
      response.writeHead(200, { "content-length": 5_000 }).end("x".repeat(5_000)),
    );
    expect(failure(await open().open(said.url))).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("1000 bytes"),
    });
    const silent = await serve((_request, response) => {
      const timer = setInterval(() => response.write("x".repeat(400)), 1);
      response.on("close", () => clearInterval(timer));
    });
    const result = await open().open(silent.url);
    if (!result.ok) throw new Error(result.failure.reason);
    await expect(buffer(result.file.stream)).rejects.toThrow("larger than 1000 bytes");
  });

  it("refuses what is compressed, which may grow without end", async () => {
    const server = await serve((_request, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end("x"),
    );
    expect(failure(await open().open(server.url)).kind).toBe("refused");
  });

  it.each([
    [404, "absent"],
    [403, "absent"],
    [410, "absent"],
    [408, "unavailable"],
    [429, "unavailable"],
    [500, "unavailable"],
    [503, "unavailable"],
    [204, "unavailable"],
  ])("reads %i as %s", async (status, kind) => {
    const server = await serve((_request, response) => response.writeHead(status).end());
    expect(failure(await open().open(server.url)).kind).toBe(kind);
  });

  it("ends in time, whether the server is silent or slow", async () => {
    const silent = await tcpServer(() => undefined);
    closers.push(silent.close);
    expect(failure(await open({ timeoutMs: 50 }).open(silent.url)).reason).toContain("50 ms");
    const slow = await serve((_request, response) => {
      const timer = setInterval(() => response.write("x"), 5);
      response.on("close", () => clearInterval(timer));
    });
    const result = await open({ timeoutMs: patiently(300) }).open(slow.url);
    if (!result.ok) throw new Error(result.failure.reason);
    await expect(buffer(result.file.stream)).rejects.toThrow();
  });

  it("is unavailable where nobody listens or the connection breaks", async () => {
    expect(failure(await open().open(`http://127.0.0.1:${await freePort()}/`)).kind).toBe("unavailable");
    const broken = await tcpServer((socket) => socket.once("data", () => socket.destroy()));
    closers.push(broken.close);
    expect(failure(await open().open(broken.url)).kind).toBe("unavailable");
  });

  it("can be given up, and closes its connection when its stream is destroyed", async () => {
    expect(failure(await open().open("http://127.0.0.1:1/", AbortSignal.abort())).reason).toBe("given up");
    const gone = new Signal();
    const server = await serve((_request, response) => {
      response.on("close", () => gone.set());
      response.write("x");
    });
    const result = await open().open(server.url);
    if (!result.ok) throw new Error(result.failure.reason);
    result.file.stream.destroy();
    await gone.wait();
  });
});
