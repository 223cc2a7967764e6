import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { until } from "../support/bounded.js";
import { expectAllOnceInOrder } from "./settled.js";
import { Stage } from "./stage.js";

jest.setTimeout(60_000);

const sizeMegabytes = 8;
const directory = mkdtempSync(join(tmpdir(), "trestle-full-"));
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMegabytes}m`, "trestle-test", directory]);
const reason = mounted.status === 0 ? undefined : (mounted.error?.message ?? mounted.stderr.toString().trim());
if (reason !== undefined)
  console.log(`Skipped: a full disk needs a small file system of its own, and none could be mounted (${reason}).`);

const filler = join(directory, "filler");

/** Writes until nothing fits any more. */
function fillDisk(): void {
  for (const size of [1 << 20, 1 << 16, 1 << 12]) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: "a" });
    } catch {
      // Full at this size.
    }
  }
}

(reason === undefined ? describe : describe.skip)("a disk that is full", () => {
  let stage: Stage;
  afterEach(async () => {
    rmSync(filler, { force: true });
    await stage.close();
    spawnSync("umount", [directory]);
    rmSync(directory, { recursive: true, force: true });
  });

  it("lets nothing be answered 200, loses nothing, and recovers when there is room", async () => {
    stage = await Stage.open({
      dataDirectory: join(directory, "data"),
      homeserver: { retry: { firstMs: 20, maxMs: 100 } },
    });
    await stage.sayOnMatrix(6);
    await stage.sayOnNetwork(6);
    await expectAllOnceInOrder(stage);

    fillDisk();
    // What the log of the database has reserved is used up first.
    await until(20_000, "the disk to refuse", async () => {
      await stage.sayOnMatrix(4);
      await sleep(20);
      return stage.homeserver.pushState("fake").down || undefined;
    });
    await expect(stage.network.say("channel0", "person0", "x".repeat(100_000), "too much")).rejects.toThrow(
      /disk is full/i,
    );
    const accepted = stage.homeserver.pushState("fake").accepted;
    await stage.sayOnMatrix(6);
    await sleep(300);
    expect(stage.homeserver.pushState("fake")).toMatchObject({ accepted, down: true });

    rmSync(filler);
    // The network sends again what was not acknowledged.
    await until(10_000, "the disk to take it", () =>
      stage.network.say("channel0", "person0", "there is room", "room again").then(
        () => true,
        () => undefined,
      ),
    );
    stage.expectOnMatrix("there is room", 0);
    await stage.sayOnNetwork(6);
    await expectAllOnceInOrder(stage, 30_000);
  });
});
