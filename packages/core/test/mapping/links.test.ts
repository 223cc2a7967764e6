import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ChannelId, RoomId } from "@trestle/core";
import { systemClock } from "../../dist/delivery/clock.js";
import { Links } from "../../dist/mapping/links.js";
import { SqliteStore } from "../../dist/store/sqlite-store.js";
import type { Store } from "../../dist/store/store.js";
import { tempDirectory } from "../support/temp.js";

describe("the links of a room", () => {
  let directory: ReturnType<typeof tempDirectory>;
  let store: SqliteStore;
  beforeEach(async () => {
    directory = tempDirectory();
    store = await SqliteStore.open({ file: join(directory.path, "trestle.db") });
    await store.commit([
      ["addBridge", "one"],
      ["addRoom", "!room"],
    ]);
  });
  afterEach(async () => {
    await store.close();
    directory.remove();
  });

  /** What it commits can be read, and is not said to be on disk yet. */
  function slowly(onDisk: Promise<void>): Store {
    return {
      commit: async (writes, urgency) => {
        const results = await store.commit(writes, urgency);
        await onDisk;
        return results;
      },
      submit: (writes, urgency, settled) => store.submit(writes, urgency, settled),
      all: (sql, ...parameters) => store.all(sql, ...parameters),
      get: (sql, ...parameters) => store.get(sql, ...parameters),
      notIndexed: (by, hash) => store.notIndexed(by, hash),
      hashSeed: store.hashSeed,
      pending: 0,
      close: () => store.close(),
    };
  }

  it("are asked for again where one was being made or removed", async () => {
    let reachDisk: () => void = () => undefined;
    const links = new Links(slowly(new Promise((resolve) => (reachDisk = resolve))), 1, systemClock);
    const room = RoomId("!room");
    expect(await links.ofRoom(room)).toEqual([]);
    await store.commit([["addChannel", 1, "channel", "The channel", null]]);
    const channel = await links.channel(ChannelId("channel"));
    const making = links.add(1, room, channel!, "plumbed", "operator");
    const askedFirst = links.ofRoom(room);
    // It can be read by now.
    while ((await links.all()).length === 0) await new Promise((resolve) => setImmediate(resolve));
    const asked = links.ofRoom(room);
    reachDisk();
    for (const each of [askedFirst, asked]) expect(await each).toMatchObject([{ channel: "channel" }]);
    expect(await making).toBe(true);
    expect(await links.ofRoom(room)).toHaveLength(1);
    const [link] = await links.all();
    await links.remove(link!);
    expect(await links.ofRoom(room)).toEqual([]);
  });
});
