import { rmSync } from "node:fs";
import { median } from "../../tools/statistics.js";
import { exactly, information, type Figure, type Pace, type Report } from "../figure.js";
import { Session } from "../session.js";
import { largeDirectory } from "./startup.js";

const rooms = 20;
const senders = 50;
const few = { pairs: 50, unlinked: 100 };
const many = { pairs: 15_000, unlinked: 30_000 };
/** Cheaper with more rooms is noise, not a fault. */
const limit = 1.2;

/**
 * What an event costs when few rooms were ever seen, and when many were: linked rooms that all had a message, and as
 * many that are linked to nothing. Both systems run side by side and are measured in turn.
 */
export async function checkRooms(pace: Pace, report: Report): Promise<Figure[]> {
  const first = await openSeen(few);
  const second = await openSeen(many).catch(async (error: unknown) => {
    await first.close();
    throw error;
  });
  try {
    const costs: { readonly few: number[]; readonly many: number[] } = { few: [], many: [] };
    const plan = { load: { kind: "closed", outstanding: 400 }, rooms, senders } as const;
    let lost = 0;
    for (let round = 0; round <= pace.rounds; round++) {
      for (const [name, { session }] of [
        ["few", first],
        ["many", second],
      ] as const) {
        const { measure, end } = await session.run(plan, pace.warmMs, pace.measureMs / 2);
        lost += end.sent - end.arrived;
        // The first round warms up the code.
        if (round > 0) costs[name].push(measure.cpuPerEvent);
      }
    }
    const ratio = median(costs.many) / median(costs.few);
    report(
      `rooms: µs/event ${costs.few.map((cost) => cost.toFixed(0)).join(", ")} with few rooms, ${costs.many.map((cost) => cost.toFixed(0)).join(", ")} with many`,
    );
    return [
      {
        name: "cost per event, 30,000 / 100 rooms ever seen",
        limit: `≤ ${limit}`,
        measured: `${ratio.toFixed(2)} (${median(costs.many).toFixed(0)} / ${median(costs.few).toFixed(0)} µs)`,
        ok: ratio <= limit,
      },
      exactly("lost among many rooms", 0, lost),
      information("resident memory with 30,000 rooms", `${(await second.session.rssMegabytes()).toFixed(0)} MB`),
    ];
  } finally {
    await first.close();
    await second.close();
  }
}

async function openSeen({
  pairs,
  unlinked,
}: {
  readonly pairs: number;
  readonly unlinked: number;
}): Promise<{ readonly session: Session; close(): Promise<void> }> {
  const { directory } = await largeDirectory({ ghosts: 1_000, pairs, messages: 1_000 });
  const session = await Session.open("Trestle", { rooms: 1, directory });
  const close = async (): Promise<void> => {
    await session.close();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await session.load.call("touch", { from: 0, to: unlinked });
    // One message through every linked room.
    await session.load.call("start", {
      load: { kind: "closed", outstanding: 400, events: pairs },
      rooms: pairs,
      senders: 50,
    });
    await session.load.call("drain", { timeoutMs: 60_000 });
    return { session, close };
  } catch (error) {
    await close();
    throw error;
  }
}
