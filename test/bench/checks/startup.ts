import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../../tools/statistics.js";
import { fillDatabase, type LargeState } from "../database.js";
import { atMost, exactly, information, type Figure, type Pace, type Report } from "../figure.js";
import { Session } from "../session.js";

const seedRooms = 2;

/** Makes a directory with a database that Trestle itself created and that is then filled. */
export async function largeDirectory(
  state: LargeState,
): Promise<{ readonly directory: string; readonly database: string }> {
  const directory = mkdtempSync(join(tmpdir(), "trestle-bench-large-"));
  const session = await Session.open("Trestle", { rooms: seedRooms, directory });
  await session.close();
  const database = join(directory, "data", "trestle.db");
  fillDatabase(database, state);
  return { directory, database };
}

/** From the start of the process until transactions are taken, with a large database. */
export async function checkStartup(pace: Pace, report: Report): Promise<Figure[]> {
  const state = { ghosts: 100_000, pairs: 5_000, messages: pace.mappedMessages };
  const began = performance.now();
  const { directory, database } = await largeDirectory(state);
  try {
    report(
      `startup: a database of ${(statSync(database).size / 1e6).toFixed(0)} MB made in ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
    const session = await Session.open("Trestle", { rooms: seedRooms, directory });
    try {
      const before = await session.counters();
      const starts: number[] = [];
      for (let start = 0; start < pace.starts; start++) starts.push(await session.restart());
      const after = await session.counters();
      const memory = await session.rssMegabytes();
      report(
        `startup: ready after ${starts.map((ms) => ms.toFixed(0)).join(", ")} ms; requests ${JSON.stringify(after.requests)} (before ${JSON.stringify(before.requests)})`,
      );
      const { end } = await session.run(
        { load: { kind: "rate", perSecond: 100 }, rooms: seedRooms, senders: 5 },
        200,
        500,
      );
      return [
        atMost(
          `ready with 100,000 ghosts, 10,000 rooms, ${pace.mappedMessages.toLocaleString("en")} messages`,
          500,
          median(starts),
          " ms",
          0,
        ),
        information("resident memory then", `${memory.toFixed(0)} MB`),
        exactly("messages lost after that start", 0, end.sent - end.arrived),
      ];
    } finally {
      await session.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
