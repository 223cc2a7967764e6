import { exactly, information, type Figure, type Report } from "../figure.js";
import { difference, Session } from "../session.js";

const rooms = 20;
const senders = 50;
const messages = 1_000;

/** What a message of a known ghost costs the homeserver, also after a restart, and what is written when nothing changed. */
export async function checkRequests(report: Report): Promise<Figure[]> {
  const session = await Session.open("Trestle", { rooms });
  try {
    await backlog(session);
    const first = await session.counters();
    await backlog(session);
    const second = await session.counters();
    const steady = difference(second.requests, first.requests);
    await session.restart();
    await session.greeted();
    const restarted = await session.counters();
    const atStart = difference(restarted.requests, second.requests);
    await backlog(session);
    const end = await session.counters();
    const afterRestart = difference(end.requests, restarted.requests);
    report(
      `requests: first ${JSON.stringify(first.requests)}, then ${JSON.stringify(steady)}, at start ${JSON.stringify(atStart)}, after it ${JSON.stringify(afterRestart)}`,
    );
    return [
      exactly(`requests for ${messages} messages of known ghosts`, messages, total(steady)),
      exactly("the same after a restart", messages, total(afterRestart)),
      exactly("state, membership or profile written at a restart", 0, writes(atStart) + writes(afterRestart)),
      information("requests at a start with nothing new", String(total(atStart))),
      exactly("lost", 0, end.sent - end.arrived),
    ];
  } finally {
    await session.close();
  }
}

async function backlog(session: Session): Promise<void> {
  await session.load.call("start", { load: { kind: "backlog", events: messages }, rooms, senders });
  await session.load.call("drain", { timeoutMs: 20_000 });
}

function total(requests: Readonly<Record<string, number>>): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

/** What changes the state of a room or a profile. */
function writes(requests: Readonly<Record<string, number>>): number {
  const changes = (route: string): boolean =>
    route.startsWith("PUT state") ||
    route.startsWith("PUT profile") ||
    /^POST (join|invite|leave|kick|ban)/.test(route);
  return total(Object.fromEntries(Object.entries(requests).filter(([route]) => changes(route))));
}
