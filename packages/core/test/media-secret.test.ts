import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadMediaSecret } from "../dist/media/secret.js";

describe("the secret of media links", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "trestle-secret-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("is made once, for its owner alone, and kept", async () => {
    const [first, second] = await Promise.all([loadMediaSecret(directory), loadMediaSecret(directory)]);
    expect(first).toHaveLength(32);
    expect(Buffer.from(first).equals(second)).toBe(true);
    expect(Buffer.from(await loadMediaSecret(directory)).equals(first)).toBe(true);
    expect(await readdir(directory)).toEqual(["media-proxy.key"]);
    expect((await stat(join(directory, "media-proxy.key"))).mode & 0o777).toBe(0o600);
  });

  it("is not taken from a file that is none, and the message says what to do", async () => {
    await writeFile(join(directory, "media-proxy.key"), "short");
    await expect(loadMediaSecret(directory)).rejects.toThrow(
      /media-proxy\.key should hold 32 bytes and holds 5\. Delete it/,
    );
  });
});
