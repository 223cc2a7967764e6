import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { join } from "node:path";
import { Lifecycle } from "../dist/fleet/lifecycle.js";
import { SqliteStore } from "../dist/store/sqlite-store.js";
import { ManualClock } from "./support/manual-clock.js";
import { tempDirectory } from "./support/temp.js";

describe("from start to start", () => {
  let directory: ReturnType<typeof tempDirectory>;
  let store: SqliteStore;
  beforeEach(async () => {
    directory = tempDirectory();
    store = await SqliteStore.open({ file: join(directory.path, "trestle.db") });
  });
  afterEach(async () => {
    await store.close();
    directory.remove();
  });

  const begin = () => Lifecycle.begin(store, new ManualClock());

  it("is nothing in doubt after an end in good order, and is after a death", async () => {
    const first = await begin();
    expect(first).toMatchObject({ clean: true, crashLoop: false });
    await first.end(false);
    expect(await begin()).toMatchObject({ clean: true });
    expect(await begin()).toMatchObject({ clean: false });
  });

  it("stays in doubt what a process that ended in good order had not got to", async () => {
    for (let death = 0; death < 5; death += 1) await begin();
    const after = await begin();
    expect(after).toMatchObject({ clean: false, crashLoop: true });
    await after.end(true);
    const next = await begin();
    expect(next).toMatchObject({ clean: false, crashLoop: false });
    await next.end(false);
    expect(await begin()).toMatchObject({ clean: true });
  });
});
