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
  /** The channels of events that wait for their room. */
  readonly beginning?: readonly ChannelId[];
}
const nothing: Journaled = { causes: [], writes: [] };

/** Journals what a network says, once for each linked room. */
export class Receiver {
  /** Events that wait for the room of their channel, and are on their way to the disk; by channel. */
  readonly #beginning = new Map<ChannelId, number>();
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
    this.#check(event);
    if (this.#opening) await this.#opening;
    if (event.kind === "raw") return this.#append(journaledRaw(event));
    const found = this.runtime.links.ofChannel(event.channel);
    if (!(found instanceof Promise)) return this.#append(this.#journaled(event, found));
    await this.#withLinks([event], (links) => this.#append(this.#journaled(event, links(event))));
  }

  /**
   * The same for several, in one commit: all of them or none.
   * @throws the same
   */
  async receiveAll(events: readonly (NetworkEvent | RawReceived)[]): Promise<void> {
    for (const event of events) this.#check(event);
    if (this.#opening) await this.#opening;
    await this.#withLinks(events, (links) =>
      this.#append(
        together(
          events.map((event) => (event.kind === "raw" ? journaledRaw(event) : this.#journaled(event, links(event)))),
        ),
      ),
    );
  }

  /**
   * The same for all that was made of something raw, in one commit with what the connector remembers of it.
   * @throws the same
   */
  async receiveMade({ events, remember }: Interpreted): Promise<void> {
    for (const event of events) this.#check(event);
    const remembered = { causes: [], writes: remember ? this.storage.writes(remember()) : [] };
    await this.#withLinks(events, (links) =>
      this.#append(together([...events.map((event) => this.#journaled(event, links(event))), remembered])),
    );
  }

  /**
   * Passes on what waited for the room of its channel. Resolves when it is on disk.
   * @throws StoreError when the disk refuses
   */
  async passOn(event: NetworkEvent): Promise<void> {
    await this.#withLinks([event], async (links) => {
      const { causes, writes } = this.#forRooms(event, links(event));
      await this.runtime.journal.append(causes, writes);
    });
  }

  /** Calls `then` with the links of channels as they are: it must begin its commit before it waits for anything. */
  async #withLinks(
    events: readonly { readonly channel: ChannelId }[],
    then: (linksOf: (event: { readonly channel: ChannelId }) => readonly Link[]) => Promise<void>,
  ): Promise<void> {
    const { links } = this.runtime;
    for (;;) {
      const { version } = links;
      const found = new Map<ChannelId, readonly Link[]>();
      for (const { channel } of events) {
        if (found.has(channel)) continue;
        const known = links.ofChannel(channel);
        found.set(channel, known instanceof Promise ? await known : known);
      }
      if (version === links.version) return then(({ channel }) => found.get(channel) ?? []);
    }
  }

  /** Nothing may be waited for between this and the commit: what comes next goes behind what waits. */
  #journaled(event: NetworkEvent, links: readonly Link[]): Journaled {
    if (!this.#waitsForRoom(event, links)) return this.#forRooms(event, links);
    const { channel, kind, id } = event;
    this.#beginning.set(channel, (this.#beginning.get(channel) ?? 0) + 1);
    const waits = cause(laneOfBeginning(channel), `${kind}:${id}`, { via: "direct", event });
    return { causes: [waits], writes: [], beginning: [channel] };
  }

  /** A conversation begins with this event; or it has begun, and this follows what still waits. */
  #waitsForRoom(event: NetworkEvent, links: readonly Link[]): boolean {
    if (links.length > 0 && !links.some(({ kind }) => kind === "direct")) return false;
    const { channel } = event;
    if (links.length === 0 && isDirectMessage(event)) return true;
    return this.#beginning.has(channel) || this.runtime.journal.flow(toMatrix)?.has(laneOfBeginning(channel)) === true;
  }

  #forRooms(event: NetworkEvent, links: readonly Link[]): Journaled {
    const { runtime } = this;
    const first = links[0];
    if (!first) return nothing;
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

  async #append({ causes, writes, beginning }: Journaled): Promise<void> {
    const { journal, metrics, name } = this.runtime;
    try {
      const fresh = await journal.append(causes, writes, "soon");
      if (fresh < causes.length) metrics.duplicatesDropped(name, "toMatrix", causes.length - fresh);
    } finally {
      if (beginning) for (const channel of beginning) this.#hasBegun(channel);
    }
  }

  #hasBegun(channel: ChannelId): void {
    const left = (this.#beginning.get(channel) ?? 1) - 1;
    if (left > 0) this.#beginning.set(channel, left);
    else this.#beginning.delete(channel);
  }

  #check(event: NetworkEvent | RawReceived): void {
    check(event);
    if (event.kind === "raw") checkRaw(event, this.runtime.handlers.interpret !== undefined);
  }
}

function together(each: readonly Journaled[]): Journaled {
  return {
    causes: each.flatMap(({ causes }) => causes),
    writes: each.flatMap(({ writes }) => writes),
    beginning: each.flatMap(({ beginning = [] }) => beginning),
  };
}

function isDirectMessage(event: NetworkEvent): boolean {
  return event.kind === "message" && (event.directTo !== undefined || event.direct !== undefined);
}

/** What is said in a conversation whose room is not there yet. */
function laneOfBeginning(channel: ChannelId): string {
  return `begin ${channel}`;
}

function journaledRaw(raw: RawReceived): Journaled {
  return { causes: [cause(raw.channel, `raw:${raw.id}`, { via: "raw", raw })], writes: [] };
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
