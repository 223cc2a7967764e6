import { waitFor } from "../../tools/wait.js";
import { atMost, exactly, information, type Figure, type Pace, type Report } from "../figure.js";
import { Session } from "../session.js";

const people = 600;
const rooms = 20;
const perSecond = 20;
/** A homeserver that works on one request at a time. */
const cost = { join: 10, other: 2 };

/** Messages go on while many people of the network enter one channel at once. */
export async function checkStorm(pace: Pace, report: Report): Promise<Figure[]> {
  const session = await Session.open("Trestle", { rooms, membership: "full" });
  try {
    // Every ghost that speaks is known before the storm.
    await session.run({ load: { kind: "rate", perSecond: 100 }, rooms, senders: 50 }, 1_500, 500);
    const joinsBefore = await joins(session);
    await session.load.call("cost", cost);
    await session.load.call("start", { load: { kind: "rate", perSecond }, rooms, senders: 50 });
    const quiet = await session.measure(2_000);
    await session.storm(people);
    const storm = await session.measure(pace.stormMs);
    const end = await session.finish();
    // The homeserver is quick again, so that the rest does not take its time.
    await session.load.call("cost", {});
    const joined = await waitFor(
      "the last join",
      10_000,
      async () => (await joins(session)) - joinsBefore >= people,
      100,
    ).then(
      async () => (await joins(session)) - joinsBefore,
      async () => (await joins(session)) - joinsBefore,
    );
    report(
      `storm: quiet p99 ${quiet.p99.toFixed(1)} ms, during p50 ${storm.p50.toFixed(1)} p99 ${storm.p99.toFixed(1)} ms, ${JSON.stringify(storm.requests)}`,
    );
    return [
      atMost(`message p99 during a storm of ${people} joins`, 50, storm.p99, " ms"),
      information("joins done while that was measured", String(storm.requests["POST join"] ?? 0)),
      exactly("people of the storm who joined in the end", people, joined),
      exactly("messages lost in the storm", 0, end.sent - end.arrived),
    ];
  } finally {
    await session.close();
  }
}

async function joins(session: Session): Promise<number> {
  return (await session.counters()).requests["POST join"] ?? 0;
}
