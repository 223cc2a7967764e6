import { longestWire, type NetworkEvent, type RawReceived } from "../connector/events.js";
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
  #opened: () => void = () => undefined;
  #opening: Promise<void> | undefined = new Promise((resolve) => (this.#opened = resolve));

  constructor(readonly runtime: BridgeRuntime) {}

  /** The lanes have taken up what an earlier process left: what came since may follow it. */
  open(): void {
    this.#opening = undefined;
    this.#opened();
  }

  /**
   * Resolves when the event is on disk (or known, or for nobody).
   * @throws TypeError when the connector made a mistake, StoreError when the disk refuses
   */
  async receive(event: NetworkEvent | RawReceived): Promise<void> {
    check(event);
    if (this.#opening) await this.#opening;
    const { runtime } = this;
    if (event.kind === "raw") return this.#raw(event);
    const found = runtime.links.ofChannel(event.channel);
    const links = found instanceof Promise ? await found : found;
    const first = links[0];
    if (!first) {
      if (event.kind === "message" && (event.directTo !== undefined || event.direct !== undefined)) {
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

  async #raw(raw: RawReceived): Promise<void> {
    const { runtime } = this;
    checkRaw(raw, runtime.handlers.interpret !== undefined);
    const fresh = await runtime.journal.append([cause(raw.channel, `raw:${raw.id}`, { via: "raw", raw })], [], "soon");
    if (fresh === 0) runtime.metrics.duplicatesDropped(runtime.name, "toMatrix", 1);
  }
}

function cause(lane: string, source: string, payload: ToMatrixPayload): Cause {
  return { direction: toMatrix, lane, source, payload };
}

function check(event: NetworkEvent | RawReceived): void {
  const { id, channel, kind } = event;
  if (!kinds.has(kind) && kind !== "raw") throw new TypeError(`A network event has the unknown kind ${kind}.`);
  if (typeof id !== "string" || id === "" || id.length > longestId)
    throw new TypeError(
      `A ${kind} event has no usable id: a string of 1 to ${longestId} characters that stays the same when the event is received again.`,
    );
  if (typeof channel !== "string" || channel === "" || channel.length > longestId)
    throw new TypeError(`A ${kind} event names no channel.`);
}

function checkRaw({ id, wire }: RawReceived, canInterpret: boolean): void {
  if (!canInterpret) throw new TypeError(`The raw event ${id} cannot be taken: the connector has no interpret.`);
  const text: unknown = JSON.stringify(wire);
  if (typeof text !== "string") throw new TypeError(`What the raw event ${id} carries is not JSON.`);
  if (text.length > longestWire)
    throw new TypeError(`The raw event ${id} has ${text.length} characters of JSON; at most ${longestWire} are taken.`);
}
