import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { ConnectorStorage } from "@trestle/core";
import { connectorStorage } from "../../dist/mapping/connector-storage.js";
import { Secrets } from "../../dist/store/secrets.js";
import { SqliteStore } from "../../dist/store/sqlite-store.js";
import { tempDirectory } from "../support/temp.js";

describe("a connector's storage", () => {
  const directory = tempDirectory();
  let store: SqliteStore;
  let storage: ConnectorStorage;
  let other: ConnectorStorage;

  beforeAll(async () => {
    store = await SqliteStore.open({ file: join(directory.path, "trestle.db") });
    for (const name of ["one", "two"]) await store.commit([["addBridge", name]]);
    storage = connectorStorage(store, 1, new Secrets("key"));
    other = connectorStorage(store, 2, new Secrets("key"));
  });
  afterAll(async () => {
    await store.close();
    directory.remove();
  });

  it("keeps what it is given, replaces it, and forgets it", async () => {
    expect(await storage.get("a")).toBeUndefined();
    await storage.set("a", "1");
    await storage.set("a", "2");
    expect(await storage.get("a")).toBe("2");
    await storage.delete("a");
    await storage.delete("a");
    expect(await storage.get("a")).toBeUndefined();
  });

  it("lists the keys of one bridge that begin so, sorted", async () => {
    for (const key of ["room:b", "room:a", "rooms", "room:%", "other"]) await storage.set(key, "x");
    await other.set("room:c", "x");
    expect(await storage.keys("room:")).toEqual(["room:%", "room:a", "room:b"]);
    expect(await storage.keys("")).toEqual(["other", "room:%", "room:a", "room:b", "rooms"]);
    expect(await storage.keys("room:%")).toEqual(["room:%"]);
    expect(await other.keys("room")).toEqual(["room:c"]);
  });

  it("takes 64 KiB and no more", async () => {
    await storage.set("large", "x".repeat(64 * 1024));
    await expect(storage.set("large", "x".repeat(64 * 1024 + 1))).rejects.toThrow("64 KiB");
  });
});
