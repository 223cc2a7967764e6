import { afterEach, expect, it } from "@jest/globals";
import { Stage } from "../faults/stage.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

it("a connector's storage keeps values over a restart and lists keys by their beginning", async () => {
  stage = await Stage.open({ places: 0, config: { encryptionKey: "a key for tests that is long enough" } });
  const { storage } = stage.network.port;
  await Promise.all([
    storage.set("b:2", "two"),
    storage.set("a:1", "one"),
    storage.set("b%", "percent"),
    storage.set("b:1", ""),
  ]);
  await storage.set("a:1", "another");
  await storage.delete("b:2");
  await stage.stop();
  await stage.start();
  const { storage: after } = stage.network.port;
  expect(await after.keys("")).toEqual(["a:1", "b%", "b:1"]);
  expect(await after.keys("b:")).toEqual(["b:1"]);
  expect(await after.keys("b%")).toEqual(["b%"]);
  expect(await after.get("a:1")).toBe("another");
  expect(await after.get("b:1")).toBe("");
  expect(await after.get("b:2")).toBeUndefined();
  await expect(after.set("large", "x".repeat(64 * 1024 + 1))).rejects.toThrow("64 KiB");
});
