import { done, toMatrix, toNetwork, type DirectionCode, type Verdict } from "../delivery/entry.js";
import type { BridgeRuntime } from "./runtime.js";

/** Half a minute in all: longer than a homeserver takes to answer, and less than people wait. */
const mostTries = 150;
const pauseMs = 200;

const goals = { [toMatrix]: "Matrix", [toNetwork]: "the network" } as const;

/**
 * What becomes of something that is about a message of which the other side knows nothing: it is for nobody; unless the
 * message is just being brought there (`lane`, in that `direction`), and what it has become is not on disk yet.
 */
export function unlessOnItsWay(
  { journal }: Pick<BridgeRuntime, "journal">,
  { direction, lane }: { readonly direction: DirectionCode; readonly lane: string },
  { seq, attempts }: { readonly seq: number; readonly attempts: number },
): Verdict {
  const isBusy = journal.flow(direction)?.isBusyBefore(lane, seq) === true;
  if (attempts >= mostTries || !isBusy) return done();
  const reason = `the message that it is about may still be on its way to ${goals[direction]}`;
  return { verdict: "retry", reason, afterMs: pauseMs, transport: "source" };
}
