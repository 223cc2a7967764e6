import { z } from "zod";
import type { Login, LoginAccount } from "../connector/connector.js";
import { LoginId, RemoteUserId, UserId } from "../connector/ids.js";
import type { Clock } from "../delivery/clock.js";
import type { Secrets } from "../store/secrets.js";
import type { Store } from "../store/store.js";

interface LoginRow {
  readonly id: string;
  readonly user: string;
  readonly network: string;
  readonly name: string;
  readonly remote: string | null;
  readonly secret: Uint8Array;
}

const columns = "id, user, network, name, remote, secret";
/** Of the logins of a bridge to one network. */
const theOne = "";

const secretSchema = z.record(z.string(), z.string());

/** The Matrix users' own accounts on what one bridge is to; one for each user and network. */
export class Logins {
  /** The ids by user and network: few, and asked for by every message. */
  #ids: Map<string, Map<string, LoginId>> | undefined;
  /** By who they are on the network: several may have signed in as one and the same. */
  readonly #users = new Map<string, readonly UserId[]>();

  constructor(
    readonly store: Store,
    readonly bridge: number,
    readonly secrets: Secrets,
    readonly clock: Clock,
  ) {}

  /** Whether what is kept in memory was read. */
  get loaded(): boolean {
    return this.#ids !== undefined;
  }

  /** Whether somebody has signed in, to any network; known from `load` on. */
  has(user: string): boolean {
    return this.#ids?.has(user) === true;
  }

  /** Those who have signed in; known from `load` on. */
  users(): readonly string[] {
    return [...(this.#ids?.keys() ?? [])];
  }

  /** The id of the login of a bridge to one network; known from `load` on. */
  knownIdOf(user: string): LoginId | undefined {
    return this.#ids?.get(user)?.get(theOne);
  }

  async all(): Promise<readonly Login[]> {
    const rows = await this.store.all<LoginRow>(
      `SELECT ${columns} FROM login WHERE bridge = ? ORDER BY user, network`,
      this.bridge,
    );
    return rows.map((row) => this.#toLogin(row));
  }

  /** Those of one user, by network. */
  async of(user: string): Promise<readonly Login[]> {
    const rows = await this.store.all<LoginRow>(
      `SELECT ${columns} FROM login WHERE bridge = ? AND user = ? ORDER BY network`,
      this.bridge,
      user,
    );
    return rows.map((row) => this.#toLogin(row));
  }

  /** The id alone, for the way of every message: nothing is decrypted. Of a bridge to one network. */
  async idOf(user: string): Promise<LoginId | undefined> {
    await this.load();
    return this.knownIdOf(user);
  }

  /** Who signed in as this person of the network, the last of several; known from `load` on. */
  userOf(remote: string): UserId | undefined {
    return this.#users.get(remote)?.at(-1);
  }

  async load(): Promise<void> {
    if (!this.#ids) await this.#readIds();
  }

  async save(user: UserId, account: LoginAccount, network = theOne): Promise<Login> {
    await this.load();
    const id = this.#ids?.get(user)?.get(network) ?? LoginId(loginIdOf(this.bridge, user, network));
    const secret = this.secrets.seal(JSON.stringify(account.secret), `login ${id}`);
    await this.store.commit([
      ["setLogin", id, this.bridge, user, network, account.name, account.remoteUser ?? null, secret, this.clock.now()],
    ]);
    this.#note(id, user, network, account.remoteUser ?? null);
    return { id, user, account, ...(network !== theOne && { network }) };
  }

  /** Says for which network the logins are that do not say it: those of versions that knew one account alone. */
  async place(networkOf: (account: LoginAccount) => string | undefined): Promise<void> {
    for (const { id, user, network, account } of await this.all()) {
      const found = network === undefined ? networkOf(account) : undefined;
      if (found === undefined || this.#ids?.get(user)?.has(found) === true) continue;
      await this.store.commit([["setLoginNetwork", found, id]]);
      this.#ids?.get(user)?.delete(theOne);
      this.#note(id, user, found, account.remoteUser ?? null);
    }
  }

  async find(id: LoginId): Promise<Login | undefined> {
    const row = await this.store.get<LoginRow>(
      `SELECT ${columns} FROM login WHERE id = ? AND bridge = ?`,
      id,
      this.bridge,
    );
    return row && this.#toLogin(row);
  }

  /** Nothing where the login is gone. */
  async renew(id: LoginId, secret: LoginAccount["secret"]): Promise<void> {
    const sealed = this.secrets.seal(JSON.stringify(secret), `login ${id}`);
    await this.store.commit([["setLoginSecret", sealed, id]]);
  }

  async remove(login: Login): Promise<void> {
    await this.store.commit([["dropLogin", login.id]]);
    const own = this.#ids?.get(login.user);
    own?.delete(login.network ?? theOne);
    if (own?.size === 0) this.#ids?.delete(login.user);
    const { remoteUser } = login.account;
    if (remoteUser === undefined) return;
    const others = this.#othersAs(remoteUser, login.user);
    if (others.length === 0) this.#users.delete(remoteUser);
    else this.#users.set(remoteUser, others);
  }

  async #readIds(): Promise<void> {
    const rows = await this.store.all<Pick<LoginRow, "id" | "user" | "network" | "remote">>(
      "SELECT id, user, network, remote FROM login WHERE bridge = ?",
      this.bridge,
    );
    this.#ids = new Map();
    for (const { id, user, network, remote } of rows) this.#note(LoginId(id), UserId(user), network, remote);
  }

  #note(id: LoginId, user: UserId, network: string, remote: string | null): void {
    const own = this.#ids?.get(user) ?? new Map<string, LoginId>();
    this.#ids?.set(user, own.set(network, id));
    if (remote !== null) this.#users.set(remote, [...this.#othersAs(remote, user), user]);
  }

  #othersAs(remote: string, user: UserId): readonly UserId[] {
    return (this.#users.get(remote) ?? []).filter((each) => each !== user);
  }

  #toLogin(row: LoginRow): Login {
    const secret = secretSchema.parse(JSON.parse(this.secrets.open(row.secret, `login ${row.id}`)));
    return {
      id: LoginId(row.id),
      user: UserId(row.user),
      ...(row.network !== theOne && { network: row.network }),
      account: { name: row.name, secret, ...(row.remote !== null && { remoteUser: RemoteUserId(row.remote) }) },
    };
  }
}

/** Under which a login is kept; its secret is sealed for it, so that it never changes. */
export function loginIdOf(bridge: number, user: string, network: string): string {
  return network === theOne ? `${bridge}/${user}` : `${bridge}/${user}/${network}`;
}
