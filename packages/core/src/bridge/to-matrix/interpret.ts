import type { Interpreted } from "../../connector/effects.js";
import type { NetworkEvent, RawReceived } from "../../connector/events.js";
import type { Failure } from "../../connector/outcome.js";
import { dead, done, wasTried, type Entry, type Verdict } from "../../delivery/entry.js";
import type { DirectRooms } from "../direct-rooms.js";
import type { Receiver } from "../receive.js";
import type { BridgeRuntime } from "../runtime.js";

/**
 * Has the connector make events of what it received raw, and takes them as if they had just been received. The raw event
 * is done with when all of them are on disk; after a crash before that it is interpreted again, and what was taken is
 * known by its id.
 */
export async function interpret(
  runtime: BridgeRuntime,
  receiver: Receiver,
  direct: DirectRooms,
  entry: Entry,
  raw: RawReceived,
): Promise<Verdict> {
  for (let attempt = entry.attempts + 1; ; attempt += 1) {
    const made = await ask(runtime, entry, raw, attempt);
    if ("failed" in made) return verdictOf(made);
    const whole: Interpreted = "events" in made ? made : { events: made };
    const failed = await openRooms(runtime, direct, whole, wasTried(entry));
    if (failed) return failed;
    try {
      await receiver.receiveMade(whole);
    } catch (error) {
      // A mistake stays one; the disk is waited for.
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      return { verdict: "retry", reason: `what was made of it could not be kept: ${reason}`, transport: "source" };
    }
    whole.kept?.();
    if (whole.more !== true) return done();
  }
}

/**
 * A conversation that begins gets its room before anything of it is journaled: what is interpreted next would otherwise
 * find the room, and come before what waits for it.
 */
async function openRooms(
  runtime: BridgeRuntime,
  direct: DirectRooms,
  { events }: Interpreted,
  again: boolean,
): Promise<Verdict | undefined> {
  for (const event of events) {
    if (event.kind !== "message" || (event.directTo === undefined && event.direct === undefined)) continue;
    if ((await runtime.links.ofChannel(event.channel)).length > 0) continue;
    const failed = await direct.open(event, again);
    // What can never be delivered is kept as such when it is journaled.
    if (failed?.verdict === "retry") return failed;
  }
  return undefined;
}

function ask(
  { handlers, deadlines, log, networkName }: BridgeRuntime,
  entry: Entry,
  raw: RawReceived,
  attempt: number,
): Promise<readonly NetworkEvent[] | Interpreted | Failure> {
  if (!handlers.interpret)
    return Promise.resolve({ failed: "permanent", reason: `the ${networkName} connector no longer interprets it` });
  const asked = handlers.interpret;
  const { id, channel, wire } = raw;
  return deadlines.run(
    (running) => asked({ id, channel, wire, attempt, receivedAt: entry.at, signal: running.signal }),
    (error) => log.warn({ err: error, raw: id }, "A connector failed after Trestle had stopped waiting for it"),
  );
}

function verdictOf({ failed, reason, afterMs }: Failure): Verdict {
  if (failed === "permanent") return dead(reason);
  const wait = afterMs !== undefined && { afterMs };
  return { verdict: "retry", reason, ...wait, ...(failed === "retry" && { transport: "source" }) };
}
