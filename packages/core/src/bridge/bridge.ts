import type { AppServiceHandler } from "../appservice/handler.js";
import type { Registration } from "../appservice/registration.js";
import { Commands } from "../commands/commands.js";
import type { BridgeConfig, Config } from "../config/schema.js";
import type { ConnectionStatus, Connector, NetworkHandlers } from "../connector/connector.js";
import { RoomId, UserId } from "../connector/ids.js";
import type { Clock } from "../delivery/clock.js";
import { done, toMatrix, toNetwork, type Entry, type Verdict } from "../delivery/entry.js";
import { Flow } from "../delivery/flow.js";
import { Journal } from "../delivery/journal.js";
import type { MemoryBudget } from "../delivery/lane.js";
import type { Logger } from "../log/logger.js";
import { connectorStorage, type StorageOfConnector } from "../mapping/connector-storage.js";
import { Links } from "../mapping/links.js";
import { Logins } from "../mapping/logins.js";
import { Members } from "../mapping/members.js";
import { Messages } from "../mapping/messages.js";
import type { Rooms } from "../mapping/rooms.js";
import { MatrixClient } from "../matrix/client.js";
import type { Metrics } from "../metrics/metrics.js";
import type { BridgeStatus, FlowStatus, Services } from "../services/services.js";
import type { Secrets } from "../store/secrets.js";
import type { Store } from "../store/store.js";
import { AwaitedRooms } from "./awaited-rooms.js";
import { bindHandlers } from "./bind-handlers.js";
import { CatchUp } from "./catch-up.js";
import { Deadlines } from "./deadline.js";
import { DirectRooms } from "./direct-rooms.js";
import { EncryptedRooms } from "./encrypted-rooms.js";
import { EphemeralToMatrix, EphemeralToNetwork } from "./ephemeral.js";
import { Ghosts } from "./ghosts.js";
import { Greeting } from "./greeting.js";
import { HomeserverPing } from "./homeserver-health.js";
import { HomeserverWatch } from "./homeserver-watch.js";
import { Intake } from "./intake.js";
import { LinkRequests } from "./link-requests.js";
import { Linker } from "./linker.js";
import { Memberships } from "./memberships.js";
import { MissedEvents } from "./missed-events.js";
import { networkPort } from "./network-port.js";
import { inTime } from "./pause.js";
import { Permissions } from "./permissions.js";
import { Portals } from "./portals.js";
import { PrivateNotices } from "./private-notices.js";
import { Receiver } from "./receive.js";
import { LoginAnswers } from "./login-answers.js";
import { RoomEvents } from "./room-events.js";
import { RoomUpgrades } from "./room-upgrades.js";
import type { BridgeRuntime } from "./runtime.js";
import { Puppets } from "./to-matrix/puppets.js";
import { ToMatrix } from "./to-matrix/deliver.js";
import { interpret } from "./to-matrix/interpret.js";
import { MatrixMedia } from "./to-matrix/media.js";
import type { ToMatrixPayload } from "./to-matrix/payload.js";
import { Authors } from "./to-network/authors.js";
import { ToNetwork } from "./to-network/deliver.js";
import { Undelivered } from "./undelivered.js";
import { deliverNotice } from "./to-network/notice.js";
import type { ToNetworkPayload } from "./to-network/payload.js";

export interface BridgeParts {
  readonly key: number;
  readonly config: BridgeConfig;
  readonly global: Config;
  readonly registration: Registration;
  readonly connector: Connector;
  readonly networkConfig: unknown;
  readonly store: Store;
  readonly rooms: Rooms;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly budget: MemoryBudget;
  readonly mediaLink: BridgeRuntime["mediaLink"];
  readonly avatarLink: BridgeRuntime["avatarLink"];
  readonly revokeMedia: BridgeRuntime["revokeMedia"];
  readonly services: () => Services;
  readonly dataDirectory: string;
  readonly isolate: boolean;
}

/** How many messages of a room may be on their way to the disk's mark at once; each could be in doubt after a crash. */
const unmarkedToMatrix = 16;
const disconnectMs = 5_000;

/** One connector between one registration's rooms and its network: every part, put together. */
export class Bridge implements AppServiceHandler {
  readonly runtime: BridgeRuntime;
  readonly linker: Linker;
  readonly ping: HomeserverPing;
  readonly thirdParty: Portals;
  readonly connections = new Map<string, ConnectionStatus>();
  readonly #parts: BridgeParts;
  readonly #toNetworkFlow: Flow;
  readonly #toMatrixFlow: Flow;
  readonly #memberships: Memberships;
  readonly #intake: Intake;
  readonly #toNetwork: ToNetwork;
  readonly #toMatrix: ToMatrix;
  readonly #roomEvents: RoomEvents;
  readonly #directRooms: DirectRooms;
  readonly #storage: StorageOfConnector;
  readonly #receiver: Receiver;
  readonly #ghosts: Ghosts;
  readonly #logins: Logins;
  readonly #puppets: Puppets | undefined;
  readonly #notices: PrivateNotices;
  readonly #answers: LoginAnswers;
  readonly #catchUp: CatchUp;
  readonly #undelivered: Undelivered;
  readonly #awaited: AwaitedRooms;
  readonly #missed: MissedEvents;
  readonly #upgrades: RoomUpgrades;
  readonly #watch: HomeserverWatch;
  readonly #greeting: Greeting;
  /** A stop was asked for: nothing that waits for the homeserver begins again. */
  readonly #leaving = new AbortController();
  /** The lanes have ended. */
  readonly #stopping = new AbortController();
  #greeted: Promise<void> = Promise.resolve();
  #handlers: NetworkHandlers | undefined;
  #lastTransactionAt: number | null = null;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    const { key, store, clock, registration } = parts;
    const journal = new Journal(key, store, clock);
    this.runtime = this.#makeRuntime(journal);
    const { runtime } = this;
    const permissions = new Permissions(parts.global.permissions);
    const media = new MatrixMedia(runtime);
    this.#memberships = new Memberships(runtime);
    this.#ghosts = new Ghosts(runtime, (avatar, asUser) => media.uploadAvatar(avatar, asUser));
    this.#logins = new Logins(store, key, parts.secrets, clock);
    this.#storage = connectorStorage(store, key, parts.secrets);
    this.#receiver = new Receiver(runtime, this.#storage);
    this.#catchUp = new CatchUp(runtime);
    this.#undelivered = new Undelivered(runtime);
    this.#awaited = new AwaitedRooms(runtime, (room) => this.#noLongerAwaited(room));
    this.#missed = new MissedEvents(runtime, this.#awaited, (events) => this.#intake.take(events));
    this.#watch = new HomeserverWatch({
      restarted: (why, surely) => this.#missed.suspect(why, surely),
      back: (surely) => this.#homeserverBack(surely),
    });
    this.linker = new Linker(runtime, permissions);
    this.#puppets = Puppets.of(runtime, this.#logins);
    const authors = new Authors(runtime, this.#logins);
    const ephemeral = new EphemeralToNetwork(runtime, authors);
    this.#notices = new PrivateNotices(runtime);
    const encrypted = new EncryptedRooms(runtime, this.#notices);
    const toMatrixParts = {
      runtime,
      ghosts: this.#ghosts,
      memberships: this.#memberships,
      media,
      puppets: this.#puppets,
      userOf: (remote: string) => this.#logins.userOf(remote),
      unlink: (room: RoomId, channelKey: number) => this.#endLink(room, channelKey),
    };
    this.#toMatrix = new ToMatrix(toMatrixParts);
    this.#toNetwork = new ToNetwork({
      runtime,
      authors,
      permissions,
      ghosts: this.#ghosts,
      memberships: this.#memberships,
      onEncrypted: (room, sender) => encrypted.explain(room, sender),
    });
    const commands = new Commands({
      runtime,
      permissions,
      linker: this.linker,
      logins: this.#logins,
      sender: this.#toMatrix.sender,
      services: parts.services,
    });
    this.#directRooms = new DirectRooms(
      runtime,
      this.#ghosts,
      this.#memberships,
      this.linker,
      encrypted,
      this.#puppets,
    );
    this.#upgrades = new RoomUpgrades(
      runtime,
      this.#memberships,
      this.#awaited,
      this.#missed,
      (alias) => registration.isOwnAlias(alias),
      (from, to) => this.#toMatrixFlow.relane(from, to),
    );
    this.#roomEvents = new RoomEvents({
      runtime,
      commands,
      upgrades: this.#upgrades,
      directRooms: this.#directRooms,
      encrypted,
      permissions,
    });
    this.thirdParty = new Portals(runtime, this.#ghosts, this.linker, registration.aliasPrefix);
    this.#answers = new LoginAnswers(
      runtime,
      ({ sender, room_id: room }) => commands.awaitsAnswer(UserId(sender), RoomId(room)),
      (entry, event) => this.#roomEvents.handle(entry, event),
    );
    this.#intake = new Intake(runtime, this.#awaited, this.#missed, this.#answers, this.#puppets, (events) =>
      ephemeral.take(events),
    );
    this.ping = new HomeserverPing(runtime.client, registration, clock, runtime.log);
    this.#greeting = new Greeting({
      runtime,
      botLocalpart: registration.senderLocalpart,
      linker: this.linker,
      ping: this.ping,
      missed: this.#missed,
    });
    this.#toNetworkFlow = this.#flow(toNetwork, 0, (entry) => this.#handleToNetwork(entry));
    this.#toMatrixFlow = this.#flow(toMatrix, unmarkedToMatrix, (entry) => this.#handleToMatrix(entry));
    journal.attach(this.#toNetworkFlow, this.#toMatrixFlow);
  }

  // Life

  /** Connects the network and takes up what an earlier process left. */
  async start(clean: boolean): Promise<void> {
    const { connector, networkConfig } = this.#parts;
    const ephemeral = new EphemeralToMatrix(this.runtime, this.#ghosts);
    const network = networkPort({
      runtime: this.runtime,
      receiver: this.#receiver,
      ephemeral,
      storage: this.#storage,
      logins: this.#logins,
      notices: this.#notices,
      linker: this.linker,
      linkRequests: new LinkRequests({ runtime: this.runtime, linker: this.linker, logins: this.#logins }),
      connections: this.connections,
      dataDirectory: this.#parts.dataDirectory,
      onConnected: () => {
        // Before `connect` has returned there is nobody to ask.
        if (this.#handlers) this.#catchUp.start();
      },
    });
    this.#handlers = bindHandlers(
      await connector.connect({ config: networkConfig, network, signal: this.#stopping.signal }),
    );
    for (const link of await this.runtime.links.all()) {
      await this.#handlers.linked?.({ channel: link.channel, room: link.room, kind: link.kind });
    }
    await this.#logins.load();
    if (this.#handlers.signedIn) for (const login of await this.#logins.all()) await this.#handlers.signedIn(login);
    await this.#awaited.load();
    await this.#missed.load(clean);
    await this.#toNetworkFlow.resume(clean);
    await this.#toMatrixFlow.resume(clean);
    this.#receiver.open();
    if ([...this.connections.values()].some(({ state }) => state === "connected")) this.#catchUp.start();
    this.#memberships.hurry();
  }

  /** What needs the homeserver: registers the bot, makes the links of the configuration, asks whether the homeserver reaches us. Tried until it succeeds. */
  greet(): Promise<void> {
    this.#greeted = this.#greeting.say(this.#leaving.signal, () => this.#toMatrixFlow.wake());
    return this.#greeted;
  }

  /** Resolves when the lanes have ended what they can end before `deadline`. Call after the intake has stopped. */
  async stop(deadline: Promise<void>): Promise<void> {
    this.#leaving.abort();
    this.ping.stop();
    this.#missed.stop();
    await Promise.all([this.#toNetworkFlow.drain(deadline), this.#toMatrixFlow.drain(deadline)]);
    this.#stopping.abort();
    await Promise.all([this.#toNetworkFlow.stop(), this.#toMatrixFlow.stop(), this.#memberships.stop()]);
    await this.#disconnect();
    this.runtime.deadlines.close();
    await Promise.all([this.runtime.client.close(), this.#puppets?.close()]);
    // Their requests have ended with the client.
    await inTime(this.runtime.clock, disconnectMs, Promise.allSettled([this.#greeted, this.#missed.ended()]));
  }

  async #endLink(room: RoomId, channelKey: number): Promise<void> {
    const links = await this.runtime.links.ofRoom(room);
    const link = links.find((each) => each.channelKey === channelKey);
    if (link) await this.linker.disconnect(link);
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
    this.#watch.transaction(id);
    await this.#intake.transaction(body);
    this.#missed.taken();
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
    this.#watch.hungUp(underWay);
  }

  queryUser(userId: string): Promise<boolean> {
    return this.thirdParty.queryUser(userId);
  }

  queryAlias(alias: string): Promise<boolean> {
    return this.thirdParty.queryAlias(alias);
  }

  // What others may know

  get lastTransactionAt(): number | null {
    return this.#lastTransactionAt;
  }

  get registered(): boolean {
    return this.#greeting.registered;
  }

  flow(direction: typeof toNetwork | typeof toMatrix): Flow {
    return direction === toNetwork ? this.#toNetworkFlow : this.#toMatrixFlow;
  }

  async status(): Promise<BridgeStatus> {
    const [links, outward, inward] = await Promise.all([
      this.runtime.links.count(),
      this.flowStatus(toNetwork),
      this.flowStatus(toMatrix),
    ]);
    const { name, network } = this.runtime;
    return { name, network, links, connections: [...this.connections.values()], toNetwork: outward, toMatrix: inward };
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
        return this.#toNetwork.deliver(entry, payload.event, payload.channel);
      case "held":
        return this.#missed.deliver(entry, payload.event);
      case "room":
        return this.#roomEvents.handle(entry, payload.event);
      case "sealed":
        return this.#answers.deliver(entry, payload.event);
      case "notice":
        return deliverNotice(this.runtime, entry, payload);
    }
  }

  #handleToMatrix(entry: Entry): Promise<Verdict> {
    const payload = entry.payload as ToMatrixPayload;
    return this.#missed.trusting || payload.via === "direct" || payload.via === "raw"
      ? this.#toMatrixNow(entry, payload)
      : this.#missed
          .beforeWriting(entry, RoomId(entry.lane))
          .then((notYet) => notYet ?? this.#toMatrixNow(entry, payload));
  }

  #toMatrixNow(entry: Entry, payload: ToMatrixPayload): Promise<Verdict> {
    switch (payload.via) {
      case "network":
        return this.#toMatrix.deliver(entry, RoomId(entry.lane), payload.event, payload.channelKey);
      case "notice":
        return this.#toMatrix.notice(entry, RoomId(entry.lane), payload.text, payload.replyTo);
      case "raw":
        return interpret(this.runtime, this.#receiver, entry, payload.raw);
      case "direct":
        return payload.event.kind === "message" ? this.#directRooms.begin(payload.event) : Promise.resolve(done());
    }
  }

  #died(direction: typeof toNetwork | typeof toMatrix, entry: Entry, reason: string): void {
    this.#undelivered.tell(direction, entry, reason);
    const payload = direction === toNetwork ? (entry.payload as ToNetworkPayload | null) : null;
    if (payload?.via === "room" && payload.event.type === "m.room.tombstone") this.#upgrades.givenUp(payload.event);
  }

  /** What waited for the homeserver goes on at once. */
  #homeserverBack(surely: boolean): void {
    this.#missed.back();
    if (!surely) return;
    this.#toMatrixFlow.wake();
    if (this.#missed.held.size > 0) this.#toNetworkFlow.wake();
  }

  #noLongerAwaited(room: RoomId): void {
    if (this.#missed.held.has(room)) this.#toNetworkFlow.wake();
  }

  #flow(
    direction: typeof toNetwork | typeof toMatrix,
    unmarkedLimit: number,
    handle: (entry: Entry) => Promise<Verdict>,
  ): Flow {
    const { key, store, clock, budget, global, isolate, metrics, config } = this.#parts;
    const { concurrency, attempts } = global.delivery;
    const name = direction === toNetwork ? "toNetwork" : "toMatrix";
    return new Flow({
      bridge: key,
      direction,
      store,
      clock,
      budget,
      log: this.runtime.log.child({ flow: name }),
      concurrency,
      attempts,
      backoff: global.delivery,
      unmarkedLimit: () => (direction === toNetwork && this.#handlers?.idempotent ? unmarkedToMatrix : unmarkedLimit),
      isolate,
      handle,
      onDead: (entry, reason) => this.#died(direction, entry, reason),
      observe: {
        delivered: (waitedMs) => metrics.delivered(config.name, name, waitedMs),
        retried: () => metrics.retried(config.name, name),
        died: () => metrics.dead(config.name, name),
      },
    });
  }

  #makeRuntime(journal: Journal): BridgeRuntime {
    const {
      key,
      config,
      global,
      registration,
      connector,
      store,
      clock,
      metrics,
      rooms,
      mediaLink,
      avatarLink,
      revokeMedia,
    } = this.#parts;
    const client = new MatrixClient({
      url: global.homeserver.url,
      asToken: registration.asToken,
      connections: global.homeserver.connections,
      requestTimeoutMs: global.homeserver.requestTimeout,
      maxRetryAfterMs: global.delivery.retryMax,
      onExchange: (exchange) => {
        metrics.exchange(exchange);
        this.#watch.exchange(exchange);
      },
    });
    const handlers = (): NetworkHandlers => {
      if (!this.#handlers) throw new Error("The connector is not connected yet.");
      return this.#handlers;
    };
    return {
      key,
      name: config.name,
      network: connector.network,
      networkName: connector.displayName ?? connector.network,
      bot: registration.bot,
      serverName: registration.serverName,
      ghostPrefix: registration.ghostPrefix,
      isOwn: (userId) => registration.isOwnUser(userId),
      config,
      global,
      log: this.#parts.log.child({ bridge: config.name }),
      clock,
      store,
      journal,
      client,
      metrics,
      rooms,
      links: new Links(store, key, clock),
      messages: new Messages(store),
      members: new Members(store),
      mediaLink,
      avatarLink,
      revokeMedia,
      deadlines: new Deadlines(clock, global.delivery.handlerTimeout),
      get handlers() {
        return handlers();
      },
    };
  }
}
