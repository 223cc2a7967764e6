import type { NetworkEvent } from "../connector/events.js";
import { toMatrix } from "../delivery/entry.js";
import type { Cause } from "../delivery/journal.js";
import type { Write } from "../store/writes.js";
import type { BridgeRuntime } from "./runtime.js";
import type { ToMatrixPayload } from "./to-matrix/payload.js";

const kinds: ReadonlySet<string> = new Set<NetworkEvent["kind"]>([
  "message",
  "edit",
  "redaction",
  "reaction",
  "reactionRemoved",
  "membership",
  "profile",
  "channel",
]);
const longestId = 1024;

/** Journals what a network says, once for each linked room. */
export class Receiver {
  constructor(readonly runtime: BridgeRuntime) {}

  /**
   * Resolves when the event is on disk (or known, or for nobody).
   * @throws TypeError when the connector made a mistake, StoreError when the disk refuses
   */
  async receive(event: NetworkEvent): Promise<void> {
    check(event);
    const { runtime } = this;
    const found = runtime.links.ofChannel(event.channel);
    const links = found instanceof Promise ? await found : found;
    const first = links[0];
    if (!first) {
      if (event.kind === "message" && event.directTo !== undefined) {
        await runtime.journal.append([cause(event.channel, `message:${event.id}`, { via: "direct", event })]);
      }
      return;
    }
    const causes = links.map((link) =>
      cause(link.room, `${link.channelKey}:${event.kind}:${event.id}`, {
        via: "network",
        event,
        channelKey: link.channelKey,
      }),
    );
    const remember = runtime.handlers.catchUp && event.kind === "message";
    const writes: Write[] = remember ? [["setCursor", event.id, first.channelKey]] : [];
    const fresh = await runtime.journal.append(causes, writes, "soon");
    if (fresh < causes.length) runtime.metrics.duplicatesDropped(runtime.name, "toMatrix", causes.length - fresh);
  }
}

function cause(lane: string, source: string, payload: ToMatrixPayload): Cause {
  return { direction: toMatrix, lane, source, payload };
}

function check(event: NetworkEvent): void {
  const { id, channel, kind } = event;
  if (!kinds.has(kind)) throw new TypeError(`A network event has the unknown kind ${kind}.`);
  if (typeof id !== "string" || id === "" || id.length > longestId)
    throw new TypeError(
      `A ${kind} event has no usable id: a string of 1 to ${longestId} characters that stays the same when the event is received again.`,
    );
  if (typeof channel !== "string" || channel === "" || channel.length > longestId)
    throw new TypeError(`A ${kind} event names no channel.`);
}
