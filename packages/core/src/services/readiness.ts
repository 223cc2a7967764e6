import type { BridgeSlot } from "../fleet/bridge-slot.js";
import type { Bridge } from "../bridge/bridge.js";
import { toMatrix, toNetwork } from "../delivery/entry.js";
import type { JournalReading } from "../metrics/metrics.js";
import type { Readiness, ReadinessCheck } from "./operations-server.js";
import type { Services } from "./services.js";

/** Ready is: the homeserver lets us in, it reaches us, and what waits in the journal moves. */
export async function readiness(services: Services, slots: readonly BridgeSlot[]): Promise<Readiness> {
  const status = await services.status();
  const { ping, reachable } = status.homeserver;
  const checks = [
    {
      name: "homeserver",
      ok: reachable,
      detail: reachable ? "the homeserver answers" : `the homeserver at ${status.homeserver.url} does not answer`,
    },
    { name: "ping", ok: ping?.ok ?? false, detail: ping?.detail ?? "the homeserver was not asked yet" },
    ...slots.map(checkOf),
  ];
  return { ready: checks.every((check) => check.ok), checks };
}

function checkOf({ name, running, isOpen, refusal }: BridgeSlot): ReadinessCheck {
  if (!running || !isOpen) return { name, ok: false, detail: refusal ?? "the bridge is being started anew" };
  const stuck = running.bridge.flow(toNetwork).unreachable;
  return { name, ok: !stuck, detail: stuck ? "the network does not take what waits for it" : "events flow" };
}

/** What waits in the journal, of all bridges and both ways. */
export async function readJournal(bridges: readonly Bridge[]): Promise<readonly JournalReading[]> {
  const readings = bridges.flatMap((bridge) =>
    ([toNetwork, toMatrix] as const).map(async (direction): Promise<JournalReading> => {
      const status = await bridge.flowStatus(direction);
      const waiting = bridge.flow(direction).waitingLanes;
      return {
        bridge: bridge.runtime.name,
        direction: direction === toNetwork ? "toNetwork" : "toMatrix",
        queued: Math.max(0, status.queued - waiting),
        waiting,
        dead: status.dead,
        oldestMs: status.oldestMs,
      };
    }),
  );
  return Promise.all(readings);
}
