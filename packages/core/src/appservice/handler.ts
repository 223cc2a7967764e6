import type { TransactionBody } from "./transaction-body.js";

/** What the homeserver asks of one bridge. */
export interface AppServiceHandler {
  /**
   * Takes a transaction: resolves when it is on disk, rejects (StoreError, `Overloaded`) when the homeserver must keep
   * it. `arrivedAt` is a reading of `performance.now()`; `id` is the homeserver's, and not unique for ever.
   */
  transaction(body: TransactionBody, arrivedAt: number, id: string): Promise<void>;
  /**
   * The homeserver closed a connection that it had just used, though it had said nothing of that; `underWay`: without
   * waiting for the answer to a transaction. Homeservers that end do so.
   */
  hungUp?(underWay: boolean): void;
  /** Whether the user exists; makes it when it can. */
  queryUser(userId: string): Promise<boolean>;
  /** Whether the alias exists; makes its room when it can. */
  queryAlias(alias: string): Promise<boolean>;
  readonly thirdParty: ThirdPartyLookup;
}

/** Third party networks (AS API, "Third-party networks"). An unknown protocol or user is `undefined` or an empty list. */
export interface ThirdPartyLookup {
  protocol(name: string): Promise<ThirdPartyProtocol | undefined>;
  locations(
    protocol: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<readonly ThirdPartyLocation[] | undefined>;
  users(protocol: string, fields: Readonly<Record<string, string>>): Promise<readonly ThirdPartyUser[] | undefined>;
  locationsOf(alias: string): Promise<readonly ThirdPartyLocation[]>;
  usersOf(userId: string): Promise<readonly ThirdPartyUser[]>;
}

export interface ThirdPartyProtocol {
  readonly user_fields: readonly string[];
  readonly location_fields: readonly string[];
  readonly icon: string;
  readonly field_types: Readonly<Record<string, { readonly regexp: string; readonly placeholder: string }>>;
  readonly instances: readonly {
    readonly network_id: string;
    readonly desc: string;
    readonly fields: Readonly<Record<string, string>>;
  }[];
}

export interface ThirdPartyLocation {
  readonly alias: string;
  readonly protocol: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface ThirdPartyUser {
  readonly userid: string;
  readonly protocol: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Too much waits already: the homeserver must keep its events for now. */
export class Overloaded extends Error {
  override readonly name = "Overloaded";
}
