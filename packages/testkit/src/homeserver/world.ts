import { Accounts } from "./accounts/accounts.js";
import { ServiceClient } from "./appservice/client.js";
import { deviceExtras } from "./appservice/device-extras.js";
import type { ServiceExchange } from "./appservice/client.js";
import { TransactionPusher } from "./appservice/pusher.js";
import { queryUser } from "./appservice/queries.js";
import { asConstruct } from "./appservice/registration.js";
import type { Registration } from "./appservice/registration.js";
import { AppService } from "./appservice/service.js";
import type { Clock } from "./clock.js";
import type { Faults } from "./faults/faults.js";
import { RateLimits } from "./http/rate-limits.js";
import type { TransactionCache } from "./http/transaction-cache.js";
import type { JsonObject } from "./json.js";
import type { MediaStore } from "./media/media-store.js";
import type { StoredEvent } from "./rooms/event.js";
import { strippedEvent } from "./rooms/event.js";
import { previewState } from "./rooms/membership.js";
import type { Profile } from "./profiles/profile.js";
import { TypingClock } from "./rooms/ephemeral.js";
import type { Room } from "./rooms/room.js";
import { RoomStore } from "./rooms/room-store.js";
import { Notifier } from "./sync/notifier.js";

/** An application service with what serves it. */
export interface Service {
  readonly info: AppService;
  readonly client: ServiceClient;
  readonly pusher: TransactionPusher;
}

export interface WorldSettings {
  readonly serverName: string;
  readonly profile: Profile;
  readonly clock: Clock;
  readonly defaultRoomVersion: "11" | "12";
  /** What `/versions` answers; `undefined`: what the switch `latestVersion` says. */
  readonly versions: readonly string[] | undefined;
  readonly faults: Faults;
}

/** Everything the homeserver knows: what the endpoints act upon. */
export class World {
  readonly faults: Faults;
  readonly accounts: Accounts;
  readonly rooms: RoomStore;
  readonly rateLimits: RateLimits;
  readonly notifier = new Notifier();
  readonly typing = new TypingClock(this);
  readonly services = new Map<string, Service>();
  /** Called with every event of every room, in order. */
  readonly eventListeners = new Set<(event: StoredEvent) => void>();
  readonly #servicesByToken = new Map<string, Service>();
  readonly #usersBeingQueried = new Set<string>();
  #position = 0;

  constructor(
    readonly settings: WorldSettings,
    readonly media: MediaStore,
    readonly transactions: TransactionCache,
    private readonly onServiceExchange: ((service: Service, exchange: ServiceExchange) => void) | undefined,
  ) {
    this.faults = settings.faults;
    this.rateLimits = new RateLimits(settings.clock);
    this.accounts = new Accounts(settings.serverName, settings.clock);
    this.rooms = new RoomStore(
      settings.serverName,
      settings.clock,
      () => this.nextPosition(),
      (event, room) => this.#appended(event, room),
    );
  }

  get serverName(): string {
    return this.settings.serverName;
  }

  get profile(): Profile {
    return this.settings.profile;
  }

  get clock(): Clock {
    return this.settings.clock;
  }

  /** Place in the stream of the latest thing that happened. */
  get position(): number {
    return this.#position;
  }

  nextPosition(): number {
    return ++this.#position;
  }

  addService(given: Registration): Service {
    const { profile, clock, faults } = this.settings;
    const registration = profile.constructRegistration ? asConstruct(given) : given;
    if (this.services.has(registration.id)) throw new Error(`application service ${registration.id} is already there`);
    if (this.#servicesByToken.has(registration.as_token)) {
      throw new Error(`the as_token of ${registration.id} belongs to another application service`);
    }
    const info = new AppService(registration, this.serverName, profile.namespaces);
    const onExchange = this.onServiceExchange;
    const client = new ServiceClient(registration, {
      faults,
      clock,
      keepAlive: profile.keepAlive,
      onExchange: onExchange === undefined ? undefined : (exchange) => onExchange(service, exchange),
    });
    const extras = deviceExtras(this.accounts, info);
    const pusher = new TransactionPusher(info, { client, faults, clock, extras });
    const service: Service = { info, client, pusher };
    this.services.set(info.id, service);
    this.#servicesByToken.set(registration.as_token, service);
    for (const room of this.rooms.rooms.values()) info.recount(room);
    return service;
  }

  serviceByToken(token: string): Service | undefined {
    return this.#servicesByToken.get(token);
  }

  /** Pushes an ephemeral event to each application service that `wants` it. */
  pushEphemeral(event: JsonObject, wants: (service: AppService) => boolean): void {
    for (const { info, pusher } of this.services.values()) {
      const { url, receive_ephemeral: stable, "de.sorunome.msc2409.push_ephemeral": unstable } = info.registration;
      if (url === null || (stable !== true && unstable !== true) || !wants(info)) continue;
      pusher.pushEphemeral(event);
    }
  }

  /** Pushes a message to a device to the application service that owns the user, where it asked for such. */
  pushToDevice(userId: string, deviceId: string, event: JsonObject): void {
    for (const { info, pusher } of this.services.values()) {
      const { url, receive_ephemeral: stable, "de.sorunome.msc2409.push_ephemeral": unstable } = info.registration;
      if (url === null || (stable !== true && unstable !== true) || !info.ownsUser(userId)) continue;
      pusher.pushToDevice({ ...event, to_user_id: userId, to_device_id: deviceId });
    }
  }

  /** Tells the application services that asked for it that a user they meet has other devices or keys now. */
  pushDeviceChange(userId: string): void {
    const rooms = this.rooms.joinedRooms(userId);
    for (const { info, pusher } of this.services.values()) {
      if (info.registration.url === null || info.registration["org.matrix.msc3202"] !== true) continue;
      if (info.ownsUser(userId) || rooms.some((room) => info.watches(room))) pusher.pushDeviceChange(userId);
    }
  }

  /** Resolves once every interested application service has accepted `event`; bounded by `timeoutMs`. */
  async pushed(event: StoredEvent, room: Room, timeoutMs: number): Promise<void> {
    const interested = [...this.services.values()].filter(
      ({ info }) => info.registration.url !== null && info.isInterestedIn(event, room),
    );
    await Promise.all(interested.map(({ pusher }) => pusher.delivered(event, timeoutMs)));
  }

  #appended(event: StoredEvent, room: Room): void {
    if (this.services.size > 0) setPreview(event, room);
    for (const service of this.services.values()) {
      const { info, pusher } = service;
      if (event.type === "m.room.member") this.#count(service, event, room);
      if (info.registration.url === null || !info.isInterestedIn(event, room)) continue;
      this.#queryUnknown(service, event.sender);
      if (event.type === "m.room.member" && event.stateKey !== undefined) this.#queryUnknown(service, event.stateKey);
      pusher.push(event);
    }
    for (const listener of this.eventListeners) listener(event);
    this.notifier.wakeRoom(room);
  }

  #count({ info }: Service, event: StoredEvent, room: Room): void {
    const userId = event.stateKey;
    if (userId === undefined || !info.ownsUser(userId)) return;
    const was = event.replaces?.content["membership"] === "join" ? 1 : 0;
    const is = event.content["membership"] === "join" ? 1 : 0;
    if (was !== is) room.interest.set(info.id, (room.interest.get(info.id) ?? 0) + is - was);
  }

  /** Asks the application service for a user of its namespace that nobody has registered. */
  #queryUnknown(service: Service, userId: string): void {
    if (this.accounts.get(userId) !== undefined || this.#usersBeingQueried.has(userId)) return;
    if (userId === service.info.senderId || !service.info.ownsUser(userId)) return;
    this.#usersBeingQueried.add(userId);
    void queryUser(service, this.faults, userId).finally(() => this.#usersBeingQueried.delete(userId));
  }
}

function setPreview(event: StoredEvent, room: Room): void {
  const membership = event.type === "m.room.member" ? event.content["membership"] : undefined;
  if (event.stateKey === undefined || (membership !== "invite" && membership !== "knock")) return;
  const shown = [...previewState(room, event.stateKey)].filter((each) => each !== event);
  event.preview = shown.map(strippedEvent);
}
