import { afterAll, describe, expect, it } from "@jest/globals";
import { ContentUri, type MediaContent, type Network } from "@trestle/core";
import { request } from "undici";
import { PublicUploads } from "../../dist/accounts/public-uploads.js";
import type { Answer } from "../../dist/stream/index.js";
import { Uploads } from "../../dist/uploads.js";

const uploads = new PublicUploads();
afterAll(() => uploads.close());

describe("where a server that a Matrix user named may have files put", () => {
  it.each([
    "http://upload.example.org/file",
    "https://127.0.0.1/file",
    "https://10.1.2.3/file",
    "https://[::1]/file",
    "https://[::ffff:192.168.0.1]:5281/file",
    "https://169.254.169.254/latest",
  ])("is not %s", (url) => {
    expect(() => uploads.dispatcherFor(url)).toThrow(/only encrypted|no public address/);
  });

  it("is no name of a machine in the bridge's own network", async () => {
    const url = "https://localhost:1/file";
    const dispatcher = uploads.dispatcherFor(url);
    await expect(request(url, { method: "PUT", dispatcher })).rejects.toThrow("localhost has no public address");
  });
});

it("is the component's server where that of the account takes no files", async () => {
  const refusal: Answer = {
    kind: "error",
    error: { type: "cancel", condition: "item-not-found", application: [] },
  };
  const asked: string[] = [];
  const own = new Uploads({
    stream: { state: { state: "online" }, request: () => Promise.resolve(refusal) } as never,
    network: { log: { warn: () => undefined } } as unknown as Network,
    asker: "alice@example.org",
    server: "example.org",
    otherwise: {
      urlOf: (media) => {
        asked.push(media.name);
        return Promise.resolve("https://upload.example.com/file");
      },
    },
  });
  const media: MediaContent = {
    type: "media",
    kind: "file",
    name: "plan.pdf",
    source: { from: "matrix", uri: ContentUri("mxc://example.org/plan") },
  };
  expect(await own.urlOf(media, new AbortController().signal)).toBe("https://upload.example.com/file");
  expect(asked).toEqual(["plan.pdf"]);
});
