import { longestWire, type NetworkEvent, type RawReceived } from "../connector/events.js";
import type { Interpreted } from "../connector/effects.js";
import type { ChannelId } from "../connector/ids.js";
import { toMatrix } from "../delivery/entry.js";
import type { Cause } from "../delivery/journal.js";
import type { StorageOfConnector } from "../mapping/connector-storage.js";
import type { Link } from "../mapping/links.js";
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
  "roles",
  "expulsion",
  "invitation",
  "declined",
  "channel",
]);
const longestId = 1024;

interface Journaled {
  readonly causes: readonly Cause[];
  readonly writes: readonly Write[];
}
const nothing: Journaled = { causes: [], writes: [] };

/** Journals what a network says, once for each linked room. */
export class Receiver {
  #opened: () => void = () => undefined;
  #opening: Promise<void> | undefined = new Promise((resolve) => (this.#opened = resolve));

  constructor(
    readonly runtime: BridgeRuntime,
    readonly storage: StorageOfConnector,
  ) {}

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
    if (event.kind === "raw") return this.#append(this.#raw(event));
    const found = runtime.links.ofChannel(event.channel);
    await this.#append(this.#journaled(event, found instanceof Promise ? await found : found));
  }

  /**
   * The same for several, in one commit: all of them or none.
   * @throws the same
   */
  async receiveAll(events: readonly (NetworkEvent | RawReceived)[]): Promise<void> {
    for (const event of events) check(event);
    if (this.#opening) await this.#opening;
    const each: Journaled[] = [];
    for (const event of events) {
      if (event.kind === "raw") each.push(this.#raw(event));
      else {
        const found = this.runtime.links.ofChannel(event.channel);
        each.push(this.#journaled(event, found instanceof Promise ? await found : found));
      }
    }
    await this.#append(together(each));
  }

  /**
   * The same for all that was made of something raw, in one commit with what the connector remembers of it.
   * @throws the same
   */
  async receiveMade({ events, remember }: Interpreted): Promise<void> {
    for (const event of events) check(event);
    const links = new Map<ChannelId, readonly Link[]>();
    for (const { channel } of events)
      if (!links.has(channel)) links.set(channel, await this.runtime.links.ofChannel(channel));
    const each = events.map((event) => this.#journaled(event, links.get(event.channel) ?? []));
    const remembered = remember ? this.storage.writes(remember()) : [];
    await this.#append(together([...each, { causes: [], writes: remembered }]));
  }

  #journaled(event: NetworkEvent, links: readonly Link[]): Journaled {
    const { runtime } = this;
    const first = links[0];
    if (!first) {
      const isDirect = event.kind === "message" && (event.directTo !== undefined || event.direct !== undefined);
      if (!isDirect) return nothing;
      return { causes: [cause(event.channel, `message:${event.id}`, { via: "direct", event })], writes: [] };
    }
    const causes = links.map((link) =>
      cause(link.room, `${link.channelKey}:${event.kind}:${event.id}`, {
        via: "network",
        event,
        channelKey: link.channelKey,
      }),
    );
    const remember = runtime.handlers.catchUp && event.kind === "message";
    return { causes, writes: remember ? [["setCursor", event.id, first.channelKey]] : [] };
  }

  async #append({ causes, writes }: Journaled): Promise<void> {
    const { journal, metrics, name } = this.runtime;
    const fresh = await journal.append(causes, writes, "soon");
    if (fresh < causes.length) metrics.duplicatesDropped(name, "toMatrix", causes.length - fresh);
  }

  #raw(raw: RawReceived): Journaled {
    checkRaw(raw, this.runtime.handlers.interpret !== undefined);
    return { causes: [cause(raw.channel, `raw:${raw.id}`, { via: "raw", raw })], writes: [] };
  }
}

function together(each: readonly Journaled[]): Journaled {
  return { causes: each.flatMap(({ causes }) => causes), writes: each.flatMap(({ writes }) => writes) };
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
