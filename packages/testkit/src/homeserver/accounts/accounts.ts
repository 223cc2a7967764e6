import type { Clock } from "../clock.js";
import { MatrixError } from "../errors.js";
import type { PushRules } from "./push-rules.js";
import { defaultPushRules } from "./push-rules.js";
import { domainOf, MAX_ID_BYTES, randomId, randomLetters } from "../ids.js";
import type { Json, JsonObject } from "../json.js";

export interface Device {
  readonly deviceId: string;
  displayName: string | undefined;
  lastSeen: number;
  readonly keys: {
    device: JsonObject | undefined;
    oneTime: Map<string, Json>;
    fallback: Map<string, Json>;
    /** Ids of fallback keys that were claimed. */
    usedFallback: Set<string>;
  };
  /** To-device messages not yet acknowledged by a sync, each with its place in the stream. */
  inbox: { readonly position: number; readonly event: JsonObject }[];
}

export interface AccountData {
  readonly content: JsonObject;
  readonly position: number;
}

export interface Account {
  readonly userId: string;
  password: string | undefined;
  /** The application service that registered it. */
  readonly appServiceId: string | undefined;
  /** `displayname`, `avatar_url` and every other profile field. */
  readonly profile: Map<string, Json>;
  readonly devices: Map<string, Device>;
  readonly accountData: Map<string, AccountData>;
  readonly roomAccountData: Map<string, Map<string, AccountData>>;
  readonly filters: JsonObject[];
  readonly pushRules: PushRules;
  /** Pushers by app id and push key. */
  readonly pushers: Map<string, JsonObject>;
  /** `master_key`, `self_signing_key`, `user_signing_key`. */
  readonly crossSigning: Map<string, JsonObject>;
  /** Place in the stream of the latest change of its devices or keys. */
  deviceListPosition: number;
  deactivated: boolean;
  presence: Presence;
}

export interface Presence {
  readonly presence: "online" | "offline" | "unavailable";
  readonly statusMessage: string | undefined;
  readonly lastActive: number;
  readonly position: number;
}

/** What an access token stands for. */
export interface TokenOwner {
  readonly userId: string;
  readonly deviceId: string;
}

/** The users of the server, their devices and their access tokens. */
export class Accounts {
  readonly #accounts = new Map<string, Account>();
  readonly #tokens = new Map<string, TokenOwner>();

  constructor(
    private readonly serverName: string,
    private readonly clock: Clock,
  ) {}

  userId(localpart: string): string {
    return `@${localpart}:${this.serverName}`;
  }

  isLocal(userId: string): boolean {
    return userId.startsWith("@") && domainOf(userId) === this.serverName;
  }

  get(userId: string): Account | undefined {
    return this.#accounts.get(userId);
  }

  all(): Iterable<Account> {
    return this.#accounts.values();
  }

  /** @throws MatrixError 400 `M_USER_IN_USE`; 413 for a user id that fits into no event, where `strict` */
  create(userId: string, options: { password?: string; appServiceId?: string; strict?: boolean } = {}): Account {
    if (this.#accounts.has(userId)) throw new MatrixError(400, "M_USER_IN_USE", "User ID already taken.");
    if (options.strict === true && Buffer.byteLength(userId) > MAX_ID_BYTES) {
      throw new MatrixError(400, "M_INVALID_USERNAME", `User ID may not be longer than ${MAX_ID_BYTES} bytes`);
    }
    const account: Account = {
      userId,
      password: options.password,
      appServiceId: options.appServiceId,
      profile: new Map<string, Json>([["displayname", userId.slice(1, userId.indexOf(":"))]]),
      devices: new Map(),
      accountData: new Map(),
      roomAccountData: new Map(),
      filters: [],
      pushRules: defaultPushRules(userId),
      pushers: new Map(),
      crossSigning: new Map(),
      deviceListPosition: 0,
      deactivated: false,
      presence: { presence: "offline", statusMessage: undefined, lastActive: 0, position: 0 },
    };
    this.#accounts.set(userId, account);
    return account;
  }

  /** Makes the device where it is new. @returns whether it was */
  putDevice(account: Account, deviceId: string, displayName: string | undefined): boolean {
    const known = account.devices.get(deviceId);
    if (known !== undefined) {
      if (displayName !== undefined) known.displayName = displayName;
      return false;
    }
    account.devices.set(deviceId, {
      deviceId,
      displayName,
      lastSeen: this.clock.now(),
      keys: { device: undefined, oneTime: new Map(), fallback: new Map(), usedFallback: new Set() },
      inbox: [],
    });
    return true;
  }

  /** Logs in on a device, made where needed; earlier tokens of that device end. */
  login(
    account: Account,
    deviceId = randomLetters(10).toUpperCase(),
    displayName?: string,
  ): { token: string; deviceId: string } {
    this.putDevice(account, deviceId, displayName);
    this.#dropTokens((owner) => owner.userId === account.userId && owner.deviceId === deviceId);
    const token = `syt_${randomId(24)}`;
    this.#tokens.set(token, { userId: account.userId, deviceId });
    return { token, deviceId };
  }

  tokenOwner(token: string): TokenOwner | undefined {
    return this.#tokens.get(token);
  }

  deleteDevice(account: Account, deviceId: string): void {
    account.devices.delete(deviceId);
    this.#dropTokens((owner) => owner.userId === account.userId && owner.deviceId === deviceId);
  }

  deleteAllDevices(account: Account): void {
    account.devices.clear();
    this.#dropTokens((owner) => owner.userId === account.userId);
  }

  #dropTokens(matches: (owner: TokenOwner) => boolean): void {
    for (const [token, owner] of this.#tokens) if (matches(owner)) this.#tokens.delete(token);
  }
}

/** The profile as the specification returns it: known fields only where they are set. */
export function profileOf(account: Account): JsonObject {
  return Object.fromEntries(account.profile);
}
