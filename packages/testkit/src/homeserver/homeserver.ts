import { parseRegistration } from "./appservice/registration.js";
import type { Registration } from "./appservice/registration.js";
import { TestClient } from "./client/test-client.js";
import { RoomDoor } from "./door/room-door.js";
import { EventWaiters } from "./door/waiters.js";
import type { EventWaitOptions } from "./door/waiters.js";
import { ManualClock } from "./clock.js";
import type { Faults } from "./faults/faults.js";
import { RequestLog } from "./http/request-log.js";
import type { Exchange } from "./http/server.js";
import { HttpServer } from "./http/server.js";
import type { JsonObject } from "./json.js";
import type { HomeserverOptions } from "./options.js";
import { clientEvent } from "./rooms/event.js";
import { createRouter } from "./routes/all.js";
import { defaultValidator, observeClientExchange, observeServiceExchange } from "./specification.js";
import { SpecDeviationError } from "../spec/deviations.js";
import type { SpecDeviation } from "../spec/deviations.js";
import type { SpecValidator } from "../spec/validator.js";
import { createWorld } from "./create-world.js";
import { patience, usualPatienceMs } from "../patience.js";
import type { World } from "./world.js";

const MAX_DEVIATIONS = 1_000;

/** A user made through the door. */
export interface CreatedUser {
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
}

/** What {@link Homeserver.restart} does beside closing every connection. */
export interface RestartOptions {
  /** Forgets the client transactions and restarts the numbering of transactions at 1, as Synapse on SQLite does. */
  readonly forgetTransactions?: boolean;
}

/** How the pushes to an application service stand. */
export interface PushState {
  /** Transactions not yet accepted. */
  readonly pending: number;
  readonly pendingEvents: number;
  readonly accepted: number;
  /** The last transaction failed. */
  readonly down: boolean;
  /** Milliseconds to the retry, while a pause before one runs. */
  readonly retryInMs?: number;
}

/**
 * A strict Matrix homeserver on a loopback port, for tests: the Client-Server API of a bridge and of ordinary
 * clients, the pusher of application services, and switches for everything that goes wrong with real servers.
 * Everything is in memory and outlives `stop()` and `restart()`.
 */
export class Homeserver {
  /** Requests the server answered. */
  readonly requests: RequestLog;
  readonly #world: World;
  readonly #http: HttpServer;
  readonly #waiters: EventWaiters;
  readonly #options: HomeserverOptions;
  readonly #deviations: SpecDeviation[] = [];
  #running = false;

  private constructor(options: HomeserverOptions, validator: SpecValidator | undefined) {
    this.#options = options;
    this.requests = new RequestLog(options.requestLogSize ?? 1_000);
    const record = (deviation: SpecDeviation): void => {
      if (this.#deviations.length < MAX_DEVIATIONS) this.#deviations.push(deviation);
    };
    this.#world = createWorld(options, validator === undefined ? undefined : observeServiceExchange(validator, record));
    const observer: ((exchange: Exchange) => void) | undefined =
      validator === undefined ? undefined : observeClientExchange(validator, record);
    const settings = { host: options.host ?? "127.0.0.1", port: options.port ?? 0 };
    this.#http = new HttpServer(this.#world, createRouter(), this.requests, settings, observer);
    this.#waiters = new EventWaiters(this.#world);
    for (const registration of options.registrations ?? []) this.addAppService(registration);
  }

  /**
   * Starts a homeserver; resolves once it listens.
   * @throws Error for an unknown profile, a registration that it would refuse, or a port that is taken
   */
  static async start(options: HomeserverOptions = {}): Promise<Homeserver> {
    const homeserver = new Homeserver(options, defaultValidator(options.validate ?? true));
    await homeserver.#http.listen();
    homeserver.#running = true;
    return homeserver;
  }

  /** Base URL, without a slash at the end. The port stays the same over restarts. */
  get url(): string {
    return `http://${this.#options.host ?? "127.0.0.1"}:${this.#http.port}`;
  }

  get serverName(): string {
    return this.#world.serverName;
  }

  /** The switches for everything that goes wrong. */
  get faults(): Faults {
    return this.#world.faults;
  }

  /** Exchanges that did not follow the specification, oldest first (at most 1 000 are kept). */
  get specDeviations(): readonly SpecDeviation[] {
    return this.#deviations;
  }

  /** Forgets the deviations so far, for a test that provokes them. */
  clearSpecDeviations(): SpecDeviation[] {
    return this.#deviations.splice(0);
  }

  /** Registers an application service while running. @throws Error for a registration that Synapse would refuse */
  addAppService(registration: unknown): Registration {
    const parsed = parseRegistration(registration);
    this.#world.addService(parsed);
    return parsed;
  }

  /** Makes a user with one device. The password, if any, serves `POST /login`. */
  createUser(localpart: string, password?: string): CreatedUser {
    const { accounts } = this.#world;
    const account = accounts.create(accounts.userId(localpart), password === undefined ? {} : { password });
    const { token, deviceId } = accounts.login(account);
    return { userId: account.userId, accessToken: token, deviceId };
  }

  /** A user with a client that speaks to this server over HTTP. */
  createClient(localpart: string, password?: string): TestClient {
    const user = this.createUser(localpart, password);
    return new TestClient(this.url, user.accessToken, user.userId);
  }

  /**
   * Sends an event without HTTP, as a member of the room; the authorisation rules hold. With `stateKey` a state event.
   * @returns the event
   */
  sendEvent(
    roomId: string,
    event: { sender: string; type: string; content: JsonObject; stateKey?: string },
  ): JsonObject {
    return clientEvent(this.#world.rooms.send(this.#world.rooms.require(roomId), event));
  }

  /** Looks into a room. @throws Error where there is none */
  room(roomId: string): RoomDoor {
    const room = this.#world.rooms.rooms.get(roomId);
    if (room === undefined) throw new Error(`the homeserver has no room ${roomId}`);
    return new RoomDoor(room);
  }

  /** Ids of all rooms. */
  roomIds(): string[] {
    return [...this.#world.rooms.rooms.keys()];
  }

  /** Ids of all users that were registered. */
  userIds(): string[] {
    return [...this.#world.accounts.all()].map((account) => account.userId);
  }

  /** The room behind an alias, if any. */
  roomIdOfAlias(alias: string): string | undefined {
    return this.#world.rooms.aliases.get(alias)?.roomId;
  }

  /**
   * Resolves with the first event, of those so far and those to come, for which `predicate` holds.
   * Rejects after `timeoutMs` (5000, times `TRESTLE_PATIENCE`).
   */
  waitFor(predicate: (event: JsonObject) => boolean, options: EventWaitOptions = {}): Promise<JsonObject> {
    return this.#waiters.waitFor(predicate, options);
  }

  /** Calls `listener` with every event to come; returns what ends that. */
  onEvent(listener: (event: JsonObject) => void): () => void {
    const wrapped = (event: Parameters<typeof clientEvent>[0]): void => listener(clientEvent(event));
    this.#world.eventListeners.add(wrapped);
    return () => this.#world.eventListeners.delete(wrapped);
  }

  /** Transactions that the application service has not accepted yet. @throws Error for an unknown id */
  pendingTransactions(appServiceId: string): number {
    return this.#service(appServiceId).pusher.pending;
  }

  /**
   * Resolves once the application service has accepted every transaction, repeats by faults included.
   * Rejects after `timeoutMs` (5000, times `TRESTLE_PATIENCE`).
   */
  delivered(appServiceId: string, timeoutMs = usualPatienceMs): Promise<void> {
    return this.#service(appServiceId).pusher.idle(timeoutMs);
  }

  /** State of the pushes to an application service. */
  pushState(appServiceId: string): PushState {
    const { pending, pendingEvents, accepted, isDown: down, retryAt } = this.#service(appServiceId).pusher;
    const pause = retryAt === undefined ? {} : { retryInMs: Math.max(0, retryAt - this.#world.clock.now()) };
    return { pending, pendingEvents, accepted, down, ...pause };
  }

  /**
   * Moves the {@link ManualClock} on by `ms` milliseconds, step by step: what falls due is done, and transactions that it
   * starts are answered, before the time goes on. An application service that has not answered after a second of real
   * time (times `TRESTLE_PATIENCE`) counts as one that does not answer.
   * @throws Error where the homeserver runs by another clock
   */
  async advance(ms: number): Promise<void> {
    const { clock } = this.#world;
    if (!(clock instanceof ManualClock)) throw new Error("only a homeserver with a ManualClock can be advanced");
    const until = clock.now() + ms;
    await this.settled();
    for (let due = clock.nextDue; due !== undefined && due <= until; due = clock.nextDue) {
      clock.advance(Math.max(0, due - clock.now()));
      await this.settled();
    }
    clock.advance(until - clock.now());
  }

  /**
   * Resolves once no transaction is on its way: all were accepted, or what failed waits for its retry. Or after
   * `timeoutMs` (1000, times `TRESTLE_PATIENCE`).
   */
  async settled(timeoutMs = 1_000 * patience): Promise<void> {
    await Promise.all([...this.#world.services.values()].map(({ pusher }) => pusher.settled(timeoutMs)));
  }

  /** The next transaction to every application service is number 1 again. */
  resetTransactionIds(): void {
    for (const { pusher } of this.#world.services.values()) pusher.resetTransactionIds();
  }

  /** Retries failed transactions at once, as a successful ping does. */
  retryTransactions(): void {
    for (const { pusher } of this.#world.services.values()) pusher.retryNow();
  }

  /** Closes every connection, keeps the rooms, and listens on the same port again. */
  async restart(options: RestartOptions = {}): Promise<void> {
    await this.#halt();
    await this.#resume(options.forgetTransactions === true);
  }

  /** An outage: stops listening and delivering until {@link start}; says nothing about deviations. */
  pause(): Promise<void> {
    return this.#halt();
  }

  /**
   * Ends at once, as by SIGKILL: like {@link pause}, but events that wait for an application service and are in no
   * transaction yet are never handed over, which is what Synapse makes of them. The rooms keep them.
   * @returns how many events were forgotten
   */
  async kill(): Promise<number> {
    let forgotten = 0;
    for (const { pusher } of this.#world.services.values()) forgotten += pusher.forgetQueued();
    await this.#halt();
    return forgotten;
  }

  /** Listens again after {@link stop}, {@link pause} or {@link kill}. */
  async start(options: RestartOptions = {}): Promise<void> {
    if (!this.#running) await this.#resume(options.forgetTransactions === true);
  }

  /**
   * Stops listening, closes every connection and every delivery.
   * @throws SpecDeviationError where exchanges did not follow the specification and `expectDeviations` is not set
   */
  async stop(): Promise<void> {
    await this.#halt();
    this.#waiters.close();
    if (this.#deviations.length === 0 || this.#options.expectDeviations === true) return;
    throw new SpecDeviationError(this.clearSpecDeviations());
  }

  async #halt(): Promise<void> {
    this.#running = false;
    await this.#http.close();
    this.#world.typing.stop();
    this.#world.notifier.wakeAll();
    await Promise.all([...this.#world.services.values()].map(({ pusher }) => pusher.stop()));
  }

  async #resume(forgetTransactions: boolean): Promise<void> {
    if (forgetTransactions) this.#world.transactions.clear();
    await this.#http.listen();
    this.#running = true;
    for (const { pusher } of this.#world.services.values()) pusher.start(forgetTransactions);
  }

  #service(id: string): ReturnType<World["addService"]> {
    const service = this.#world.services.get(id);
    if (service === undefined) throw new Error(`the homeserver has no application service ${id}`);
    return service;
  }
}
