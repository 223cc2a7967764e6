import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { UserId } from "../dist/connector/ids.js";
import { MatrixClient } from "../dist/matrix/client.js";
import { GuardedFetcher } from "../dist/media/guard.js";
import { MediaTransfer, type MediaTransferOptions } from "../dist/media/transfer.js";
import { until } from "../../../test/support/bounded.js";
import { png } from "./support/images.js";
import { bodyOf, httpServer, json, type TestServer } from "./support/wire-server.js";

interface Upload {
  readonly url: string;
  readonly type: string | undefined;
  readonly length: string | undefined;
  readonly body: Buffer;
}

const mebibyte = 1024 * 1024;
const closers: (() => Promise<void>)[] = [];
let uploads: Upload[];
let refuseUpload: ((response: ServerResponse) => void) | undefined;
let homeserver: TestServer;
let client: MatrixClient;
let spoolDirectory: string;

beforeEach(async () => {
  uploads = [];
  refuseUpload = undefined;
  homeserver = await httpServer(receive);
  client = new MatrixClient({ url: homeserver.url, asToken: "t" });
  spoolDirectory = await mkdtemp(join(tmpdir(), "trestle-spool-"));
  closers.push(
    homeserver.close,
    () => client.close(),
    () => rm(spoolDirectory, { recursive: true, force: true }),
  );
});

afterEach(async () => {
  expect(await readdir(spoolDirectory)).toEqual([]);
  for (const close of closers.splice(0).reverse()) await close();
});

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? "";
  if (url.startsWith("/_matrix/media/v1/create")) {
    json(response, 200, { content_uri: "mxc://example.org/new" });
    return;
  }
  if (refuseUpload !== undefined) {
    refuseUpload(response);
    return;
  }
  const { "content-type": type, "content-length": length } = request.headers;
  const body = await bodyOf(request).catch(() => undefined);
  if (body === undefined) return;
  uploads.push({ url, type, length, body });
  json(response, 200, {});
}

const transfer = (options: Partial<MediaTransferOptions> = {}): MediaTransfer =>
  new MediaTransfer({
    client,
    fetcher: new GuardedFetcher({ maxBytes: options.maxBytes ?? 8 * mebibyte, allowPrivate: true }),
    maxBytes: 8 * mebibyte,
    spoolDirectory,
    ...options,
  });

function stream(bytes: number, first: Buffer = Buffer.alloc(0)): Readable {
  const chunk = Buffer.alloc(64 * 1024, 7);
  return Readable.from(
    (function* () {
      yield first;
      for (let left = bytes - first.length; left > 0; left -= chunk.length)
        yield chunk.subarray(0, Math.min(left, chunk.length));
    })(),
    { objectMode: false },
  );
}

describe("a file from a network", () => {
  it("is fetched from its URL and uploaded by the ghost, with what is in it", async () => {
    const image = Buffer.concat([png(40, 30), Buffer.alloc(1_000)]);
    const web = await httpServer(
      (_request, response) => void response.writeHead(200, { "content-type": "text/html" }).end(image),
    );
    closers.push(web.close);
    const result = await transfer().upload({
      source: { url: web.url },
      fileName: "../a b.png",
      asUser: UserId("@irc_a:example.org"),
    });
    expect(result).toEqual({
      ok: true,
      media: { uri: "mxc://example.org/new", mimeType: "image/png", size: image.length, width: 40, height: 30 },
    });
    expect(uploads).toEqual([
      {
        url: "/_matrix/media/v3/upload/example.org/new?user_id=%40irc_a%3Aexample.org&filename=a%20b.png",
        type: "image/png",
        length: String(image.length),
        body: image,
      },
    ]);
  });

  it.each([
    ["small, of unknown size", 1_000, undefined],
    ["small, of known size", 1_000, 1_000],
    ["small, of a wrongly announced size", 1_000, 999],
    ["large, of known size", 3 * mebibyte, 3 * mebibyte],
    ["large, of unknown size", 3 * mebibyte, undefined],
    ["empty", 0, undefined],
  ])("is uploaded whole and with its length: %s", async (_name, bytes, size) => {
    const file = { stream: stream(bytes, png(5, 6).subarray(0, bytes)), ...(size === undefined ? {} : { size }) };
    const result = await transfer().upload({ source: { open: async () => file } });
    expect(result).toMatchObject({ ok: true, media: { size: bytes, ...(bytes === 0 ? {} : { width: 5, height: 6 }) } });
    expect(uploads.map(({ body, length }) => [body.length, length])).toEqual([[bytes, String(bytes)]]);
  });

  it.each([[3 * mebibyte - 5], [3 * mebibyte + 5]])(
    "that has another size than announced (%i bytes) is tried again, and counted",
    async (bytes) => {
      const file = { stream: stream(bytes), size: 3 * mebibyte };
      const result = await transfer().upload({ source: { open: async () => file } });
      expect(result).toMatchObject({ ok: false, failure: { action: "retry", transport: false } });
      expect(uploads).toEqual([]);
    },
  );

  it.each([
    ["announced", 2_000, 2_000],
    ["not announced", 2_000, undefined],
  ])("that is too large and %s is refused for good", async (_name, bytes, size) => {
    const file = { stream: stream(bytes), ...(size === undefined ? {} : { size }) };
    const result = await transfer({ maxBytes: 1_000 }).upload({ source: { open: async () => file } });
    expect(result).toMatchObject({
      ok: false,
      failure: { action: "permanent", reason: "it is larger than 1000 bytes" },
    });
    await until(1_000, "the source to be closed", () => (file.stream.destroyed ? true : undefined));
  });

  it("that is too large and large is not left on disk", async () => {
    const file = { stream: stream(4 * mebibyte) };
    const result = await transfer({ maxBytes: 2 * mebibyte }).upload({ source: { open: async () => file } });
    expect(result).toMatchObject({ ok: false, failure: { action: "permanent" } });
  });

  it.each([
    ["at its start", 0],
    ["in its middle", 2 * mebibyte],
  ])("whose source breaks %s is tried again, and counted", async (_name, after) => {
    for (const size of [undefined, 4 * mebibyte]) {
      const broken = Readable.from(
        (async function* () {
          for (let sent = 0; sent < after; sent += mebibyte) yield Buffer.alloc(mebibyte);
          throw new Error("the network broke");
        })(),
        { objectMode: false },
      );
      const result = await transfer().upload({
        source: { open: async () => ({ stream: broken, ...(size === undefined ? {} : { size }) }) },
      });
      expect(result).toMatchObject({
        ok: false,
        failure: { action: "retry", reason: expect.stringContaining("the network broke"), transport: false },
      });
    }
    expect(uploads).toEqual([]);
  });

  it("that the connector cannot open is tried again", async () => {
    const open = async (): Promise<never> => {
      throw new Error("not logged in");
    };
    expect(await transfer().upload({ source: { open } })).toMatchObject({
      ok: false,
      failure: { action: "retry", reason: expect.stringContaining("not logged in") },
    });
  });

  it("at a private address is refused for good", async () => {
    const fetcher = new GuardedFetcher({ maxBytes: 1_000 });
    const result = await transfer({ fetcher }).upload({ source: { url: homeserver.url } });
    expect(result).toMatchObject({ ok: false, failure: { action: "permanent", reason: "it is at a private address" } });
  });

  it.each([
    [413, "M_TOO_LARGE", { action: "permanent" }],
    [502, "M_UNKNOWN", { action: "retry", transport: true }],
    [429, "M_LIMIT_EXCEEDED", { action: "retry", transport: true, afterMs: 3_000 }],
  ])("that the homeserver answers with %i %s", async (status, errcode, failure) => {
    for (const bytes of [1_000, 3 * mebibyte]) {
      refuseUpload = (response) =>
        json(response, status, { errcode, retry_after_ms: status === 429 ? 3_000 : undefined });
      const result = await transfer().upload({ source: { open: async () => ({ stream: stream(bytes) }) } });
      expect(result).toMatchObject({ ok: false, failure });
    }
  });

  it("while the homeserver is away is tried again, without being counted", async () => {
    await homeserver.close();
    for (const bytes of [1_000, 3 * mebibyte]) {
      const file = { stream: stream(bytes), size: bytes };
      const result = await transfer().upload({ source: { open: async () => file } });
      expect(result).toMatchObject({ ok: false, failure: { action: "retry", transport: true } });
      await until(1_000, "the source to be closed", () => (file.stream.destroyed ? true : undefined));
    }
  });

  it("waits for its turn", async () => {
    const opened: number[] = [];
    const gates: (() => void)[] = [];
    const shared = transfer({ maxConcurrent: 2 });
    const results = [0, 1, 2, 3].map((index) =>
      shared.upload({
        source: {
          open: async () => {
            opened.push(index);
            await new Promise<void>((resolve) => gates.push(resolve));
            return { stream: stream(10) };
          },
        },
      }),
    );
    for (let done = 0; done < 4; done += 1) {
      const gate = await until(2_000, "the next transfer", () => gates.shift());
      expect(opened.length - done).toBeLessThanOrEqual(2);
      gate();
    }
    expect((await Promise.all(results)).every(({ ok }) => ok)).toBe(true);
  });
});
