import type { AppServiceHandler } from "../appservice/handler.js";
import type { ConnectionStatus } from "../connector/connector.js";
import type { NetworkHandlers } from "../connector/handlers.js";
import { RoomId } from "../connector/ids.js";
import { toMatrix, toNetwork, type Entry, type Verdict } from "../delivery/entry.js";
import { Flow } from "../delivery/flow.js";
import { Journal } from "../delivery/journal.js";
import type { BudgetShare } from "../delivery/lane.js";
import type { BridgeStatus, FlowStatus } from "../services/services.js";
import { assemble, type Assembly } from "./assembly.js";
import { bindHandlers } from "./bind-handlers.js";
import type { BridgeParts } from "./bridge-parts.js";
import type { HomeserverPing } from "./homeserver-health.js";
import { LinkRequests } from "./link-requests.js";
import type { Linker } from "./linker.js";
import { makeRuntime } from "./make-runtime.js";
import { networkPort } from "./network-port.js";
import { inTime } from "./pause.js";
import { deliverAbsence, deliverSettled } from "./policy/deliver.js";
import type { Portals } from "./portals.js";
import type { BridgeRuntime } from "./runtime.js";
import { interpret } from "./to-matrix/interpret.js";
import type { ToMatrixPayload } from "./to-matrix/payload.js";
import { deliverNotice } from "./to-network/notice.js";
import type { ToNetworkPayload } from "./to-network/payload.js";

/** How many messages of a room may be on their way to the disk's mark at once; each could be in doubt after a crash. */
const unmarkedToMatrix = 16;
const disconnectMs = 5_000;

/** One connector between one registration's rooms and its network: every part, put together. */
export class Bridge implements AppServiceHandler {
  readonly runtime: BridgeRuntime;
  readonly connections = new Map<string, ConnectionStatus>();
  readonly #parts: BridgeParts;
  readonly #budget: BudgetShare;
  readonly #all: Assembly;
  readonly #toNetworkFlow: Flow;
  readonly #toMatrixFlow: Flow;
  /** A stop was asked for: nothing that waits for the homeserver begins again. */
  readonly #leaving = new AbortController();
  /** The lanes have ended. */
  readonly #stopping = new AbortController();
  #greeted: Promise<void> = Promise.resolve();
  #handlers: NetworkHandlers | undefined;
  #lastTransactionAt: number | null = null;
  /** A stop did not wait for something that was under way. */
  #leftBehind = false;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    this.#budget = parts.budget.share();
    const journal = new Journal(parts.key, parts.store, parts.clock);
    this.runtime = makeRuntime(
      parts,
      journal,
      (exchange) => this.#all.watch.exchange(exchange),
      () => this.#handlers,
    );
    this.#all = assemble(this.runtime, parts, {
      noLongerAwaited: (room) => this.#noLongerAwaited(room),
      homeserverBack: (surely) => this.#homeserverBack(surely),
      beforeWriting: (entry, room) => this.#all.missed.beforeWriting(entry, room),
    });
    this.#toNetworkFlow = this.#flow(toNetwork, 0, (entry) => this.#handleToNetwork(entry));
    this.#toMatrixFlow = this.#flow(toMatrix, unmarkedToMatrix, (entry) => this.#handleToMatrix(entry));
    journal.attach(this.#toNetworkFlow, this.#toMatrixFlow);
  }

  // Life

  /** Connects the network and takes up what an earlier process left. */
  async start(clean: boolean): Promise<void> {
    const { connector, networkConfig } = this.#parts;
    const network = networkPort({
      runtime: this.runtime,
      permissions: this.#all.permissions,
      receiver: this.#all.receiver,
      ephemeral: this.#all.typing,
      storage: this.#all.storage,
      logins: this.#all.logins,
      notices: this.#all.notices,
      linker: this.#all.linker,
      linkRequests: new LinkRequests({ runtime: this.runtime, linker: this.#all.linker, logins: this.#all.logins }),
      connections: this.connections,
      stopped: this.#stopping.signal,
      dataDirectory: this.#parts.dataDirectory,
      spacesChanged: () => this.#all.spaces.hurry(),
      pictures: this.#all.pictures,
      ghosts: this.#all.ghosts,
      status: () => this.status(),
      onConnected: () => {
        // Before `connect` has returned there is nobody to ask.
        if (this.#handlers) this.#all.catchUp.start();
      },
    });
    await this.#all.policies.load();
    this.#handlers = bindHandlers(
      await connector.connect({ config: networkConfig, network, signal: this.#stopping.signal }),
    );
    const { linked } = this.#handlers;
    // There may be ten thousand links: they are read for a network that wants to hear of them.
    if (linked)
      for (const { channel, room, kind } of await this.runtime.links.all()) await linked({ channel, room, kind });
    await this.#loadLogins();
    await this.#all.awaited.load();
    await this.#all.missed.load(clean);
    // What is said about a message must find that it may still be on its way to Matrix.
    await this.#toMatrixFlow.resume(clean);
    await this.#toNetworkFlow.resume(clean);
    this.#all.receiver.open();
    await this.#all.commands.tellInterrupted();
    if ([...this.connections.values()].some(({ state }) => state === "connected")) this.#all.catchUp.start();
    this.#all.memberships.hurry();
    this.#all.absences.sweep();
  }

  async #loadLogins(): Promise<void> {
    const { logins, permissions } = this.#all;
    const { signedIn, accountNetworks } = this.#handlers ?? {};
    await logins.load();
    await this.#all.commands.load();
    if (accountNetworks) await logins.place((account) => accountNetworks.of(account));
    if (!signedIn) return;
    for (const login of await logins.all()) if (!permissions.bans(login.user)) await signedIn(login);
  }

  /** What needs the homeserver: registers the bot, makes the links of the configuration, asks whether the homeserver reaches us. Tried until it succeeds. */
  greet(): Promise<void> {
    this.#greeted = this.#all.greeting.say(this.#leaving.signal, () => {
      this.#toMatrixFlow.wake();
      this.#all.spaces.begin();
    });
    return this.#greeted;
  }

  /**
   * Resolves when the lanes have ended what they can end before `deadline`. Call after the intake has stopped.
   *
   * @param isReplaced another follows at once and takes up what waits: only what is under way is ended here
   */
  async stop(deadline: Promise<void>, isReplaced = false): Promise<void> {
    this.#leaving.abort();
    this.#all.ping.stop();
    this.#all.missed.stop();
    const spacesKept = this.#all.spaces.stop();
    const swept = this.#all.absences.stop();
    await inTime(this.runtime.clock, disconnectMs, this.#all.commands.stop());
    if (!isReplaced) await Promise.all([this.#toNetworkFlow.drain(deadline), this.#toMatrixFlow.drain(deadline)]);
    this.#stopping.abort();
    await this.#endWork(deadline);
    await this.#disconnect();
    this.runtime.deadlines.close();
    await this.#closeClients();
    // Their requests have ended with the client.
    await inTime(
      this.runtime.clock,
      disconnectMs,
      Promise.allSettled([
        this.#greeted,
        this.#all.missed.ended(),
        spacesKept,
        swept,
        this.#all.policies.ended(),
        this.runtime.journal.close(),
      ]),
    );
    this.#budget.end();
    this.#forgetConnections();
  }

  /** What they were says nothing of those that the next bridge of this name makes. */
  #forgetConnections(): void {
    const { metrics, name } = this.runtime;
    for (const connection of this.connections.keys()) metrics.connection(name, { connection, state: "closed" });
    this.connections.clear();
  }

  /** What is under way ends; at `deadline` without its answer, which the next start then asks for. */
  async #endWork(deadline: Promise<void>): Promise<void> {
    const { clock, deadlines, log } = this.runtime;
    const flows = [this.#toNetworkFlow.stop(), this.#toMatrixFlow.stop(), this.#all.memberships.stop()];
    const ended = Promise.all(flows).then(() => "ended" as const);
    if ((await Promise.race([ended, deadline])) === "ended") return;
    deadlines.end();
    await this.#closeClients();
    this.#leftBehind = true;
    await inTime(
      clock,
      disconnectMs,
      ended.then(() => (this.#leftBehind = false)),
    );
    if (this.inDoubt) log.warn("What was under way had to be left without an answer; the next start asks for it");
  }

  async #closeClients(): Promise<void> {
    await Promise.all([this.runtime.client.close(), this.#all.puppets?.close()]);
  }

  /** A network that does not let go in time is left behind. */
  async #disconnect(): Promise<void> {
    try {
      await inTime(this.runtime.clock, disconnectMs, this.#handlers?.close?.() ?? Promise.resolve());
    } catch (error) {
      this.runtime.log.warn({ err: error }, "The network was not left in good order");
    }
  }

  // The homeserver's requests

  async transaction(...[body, arrivedAt, id]: Parameters<AppServiceHandler["transaction"]>): Promise<void> {
    const { metrics, name, journal } = this.runtime;
    const duplicates = journal.duplicates;
    this.#all.watch.transaction(id);
    await this.#all.intake.transaction(body);
    this.#all.missed.taken();
    this.#lastTransactionAt = this.runtime.clock.now();
    if (journal.duplicates > duplicates) metrics.duplicatesDropped(name, "toNetwork", journal.duplicates - duplicates);
    metrics.transaction({
      bridge: name,
      events: body.events.length,
      ephemeral: body.ephemeral.length,
      commitMs: performance.now() - arrivedAt,
    });
  }

  hungUp(underWay: boolean): void {
    this.#all.watch.hungUp(underWay);
  }

  queryUser(userId: string): Promise<boolean> {
    return this.#all.thirdParty.queryUser(userId);
  }

  queryAlias(alias: string): Promise<boolean> {
    return this.#all.thirdParty.queryAlias(alias);
  }

  // What others may know

  get linker(): Linker {
    return this.#all.linker;
  }

  get ping(): HomeserverPing {
    return this.#all.ping;
  }

  get thirdParty(): Portals {
    return this.#all.thirdParty;
  }

  get lastTransactionAt(): number | null {
    return this.#lastTransactionAt;
  }

  get registered(): boolean {
    return this.#all.greeting.registered;
  }

  flow(direction: typeof toNetwork | typeof toMatrix): Flow {
    return direction === toNetwork ? this.#toNetworkFlow : this.#toMatrixFlow;
  }

  /** Whether something waits that may have been sent when an earlier process died. */
  get inDoubt(): boolean {
    return this.#leftBehind || this.#toNetworkFlow.inDoubt || this.#toMatrixFlow.inDoubt;
  }

  async status(): Promise<BridgeStatus> {
    const [links, outward, inward] = await Promise.all([
      this.runtime.links.count(),
      this.flowStatus(toNetwork),
      this.flowStatus(toMatrix),
    ]);
    const { name, network } = this.runtime;
    const connections = [...this.connections.values()];
    const policyLists = this.#all.policies.status;
    return { name, network, links, connections, toNetwork: outward, toMatrix: inward, policyLists };
  }

  async flowStatus(direction: typeof toNetwork | typeof toMatrix): Promise<FlowStatus> {
    const flow = this.flow(direction);
    const oldest = await flow.oldestAt();
    const oldestMs = oldest === undefined ? 0 : Math.max(0, this.runtime.clock.now() - oldest);
    return { queued: flow.open, dead: flow.deadCount, oldestMs, delivered: flow.delivered };
  }

  // Inside

  #handleToNetwork(entry: Entry): Promise<Verdict> {
    const payload = entry.payload as ToNetworkPayload;
    switch (payload.via) {
      case "channel":
        return this.#all.toNetwork.deliver(entry, payload.event);
      case "held":
        return this.#all.missed.deliver(entry, payload.event);
      case "room":
        return this.#all.roomEvents.handle(entry, payload.event);
      case "sealed":
        return this.#all.answers.deliver(entry, payload.event);
      case "notice":
        return deliverNotice(this.runtime, entry, payload);
      case "absence":
        return deliverAbsence(this.runtime, entry, payload);
      case "settled":
        return deliverSettled(this.runtime, this.#all.permissions, this.#all.logins, payload);
    }
  }

  #handleToMatrix(entry: Entry): Promise<Verdict> {
    const payload = entry.payload as ToMatrixPayload;
    const room = roomWritten(payload, entry);
    const looked = room === undefined ? undefined : this.#all.missed.beforeWriting(entry, room);
    return looked
      ? looked.then((notYet) => notYet ?? this.#toMatrixNow(entry, payload))
      : this.#toMatrixNow(entry, payload);
  }

  #toMatrixNow(entry: Entry, payload: ToMatrixPayload): Promise<Verdict> {
    switch (payload.via) {
      case "network":
        return this.#all.toMatrix.deliver(entry, RoomId(entry.lane), payload.event, payload.channelKey);
      case "notice":
        return this.#all.toMatrix.notice(entry, RoomId(entry.lane), payload.text, payload.replyTo);
      case "raw":
        return interpret(this.runtime, this.#all.receiver, this.#all.directRooms, entry, payload.raw);
      case "direct":
        return this.#all.directRooms.begin(entry, payload.event);
      case "portal":
        return this.#all.portalRooms.deliver(payload.alias, payload.channel);
    }
  }

  #died(direction: typeof toNetwork | typeof toMatrix, entry: Entry, reason: string): void {
    this.#all.undelivered.tell(direction, entry, reason);
    const payload = direction === toNetwork ? (entry.payload as ToNetworkPayload | null) : null;
    if (payload?.via === "room" && payload.event.type === "m.room.tombstone") this.#all.upgrades.givenUp(payload.event);
  }

  /** What waited for the homeserver goes on at once. */
  #homeserverBack(surely: boolean): void {
    this.#all.missed.back();
    if (!surely) return;
    this.#toMatrixFlow.wake();
    if (this.#all.missed.held.size > 0) this.#toNetworkFlow.wake();
  }

  #noLongerAwaited(room: RoomId): void {
    if (this.#all.missed.held.has(room)) this.#toNetworkFlow.wake();
  }

  #flow(
    direction: typeof toNetwork | typeof toMatrix,
    unmarkedLimit: number,
    handle: (entry: Entry) => Promise<Verdict>,
  ): Flow {
    const { key, store, clock, global, isolate, metrics, config } = this.#parts;
    const { concurrency, attempts } = global.delivery;
    const name = direction === toNetwork ? "toNetwork" : "toMatrix";
    return new Flow({
      bridge: key,
      direction,
      store,
      clock,
      budget: this.#budget,
      log: this.runtime.log.child({ flow: name }),
      concurrency,
      attempts,
      backoff: global.delivery,
      unmarkedLimit: () => (direction === toNetwork && this.#handlers?.idempotent ? unmarkedToMatrix : unmarkedLimit),
      isolate,
      handle,
      ready: async (entry) => {
        const room = direction === toMatrix ? roomWritten(entry.payload as ToMatrixPayload, entry) : roomHeld(entry);
        return room && this.#all.missed.beforeWriting(entry, room);
      },
      onDead: (entry, reason) => this.#died(direction, entry, reason),
      observe: {
        delivered: (waitedMs) => metrics.delivered(config.name, name, waitedMs),
        retried: () => metrics.retried(config.name, name),
        died: () => metrics.dead(config.name, name),
      },
    });
  }
}

/** The room that an entry writes into, where that is known before anything is done. */
function roomWritten({ via }: ToMatrixPayload, { lane }: Entry): RoomId | undefined {
  return via === "network" || via === "notice" ? RoomId(lane) : undefined;
}

/** The room on which a held event waits. */
function roomHeld(entry: Entry): RoomId | undefined {
  const payload = entry.payload as ToNetworkPayload;
  return payload.via === "held" ? RoomId(payload.event.room_id) : undefined;
}
