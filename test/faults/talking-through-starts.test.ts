import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { expectAllOnceInOrder } from "./settled.js";
import { Stage } from "./stage.js";

jest.setTimeout(120_000);

/** After a crash rooms are looked through while people go on talking in them: what was held and what was not must fit together. */
describe("people who talk all the while Trestle ends and starts", () => {
  let stage: Stage;
  let directory: string;
  afterEach(async () => {
    await stage.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** What a process that was killed leaves behind. */
  function markUnclean(): void {
    const database = new Database(join(directory, "trestle.db"));
    const { changes } = database.prepare("UPDATE meta SET value = '1' WHERE key = 'running'").run();
    database.close();
    expect(changes).toBe(1);
  }

  it.each([
    ["each start follows a crash", 0],
    ["each start follows a crash, and histories are slow", 30],
  ])("lose, repeat and reorder nothing where %s", async (_, slowMs) => {
    directory = await mkdtemp(join(tmpdir(), "trestle-starts-"));
    stage = await Stage.open({ places: 3, dataDirectory: directory });
    if (slowMs > 0) stage.homeserver.faults.delay(slowMs, { route: "/messages", probability: 0.7 });
    for (let round = 0; round < 8; round++) {
      await stage.sayOnMatrix(6);
      await stage.stop();
      markUnclean();
      await stage.sayOnMatrix(4);
      const starting = stage.start();
      for (let said = 0; said < 12; said++) await stage.sayOnMatrix(3);
      await starting;
    }
    await expectAllOnceInOrder(stage, 30_000);
  });
});
