import { z } from "zod";
import type { Login, LoginAccount } from "../connector/connector.js";
import { LoginId, RemoteUserId, UserId } from "../connector/ids.js";
import type { Clock } from "../delivery/clock.js";
import type { Secrets } from "../store/secrets.js";
import type { Store } from "../store/store.js";

interface LoginRow {
  readonly id: string;
  readonly user: string;
  readonly name: string;
  readonly remote: string | null;
  readonly secret: Uint8Array;
}

const secretSchema = z.record(z.string(), z.string());

/** The Matrix users' own accounts on the network of one bridge; one a user. */
export class Logins {
  /** The ids by user: few, and asked for by every message. */
  #ids: Map<string, LoginId> | undefined;
  readonly #users = new Map<string, UserId>();

  constructor(
    readonly store: Store,
    readonly bridge: number,
    readonly secrets: Secrets,
    readonly clock: Clock,
  ) {}

  /** The ids by user, once they were read. */
  get ids(): ReadonlyMap<string, LoginId> | undefined {
    return this.#ids;
  }

  async all(): Promise<readonly Login[]> {
    const rows = await this.store.all<LoginRow>(
      "SELECT id, user, name, remote, secret FROM login WHERE bridge = ? ORDER BY user",
      this.bridge,
    );
    return rows.map((row) => this.#toLogin(row));
  }

  async of(user: string): Promise<Login | undefined> {
    const row = await this.store.get<LoginRow>(
      "SELECT id, user, name, remote, secret FROM login WHERE bridge = ? AND user = ?",
      this.bridge,
      user,
    );
    return row && this.#toLogin(row);
  }

  /** The id alone, for the way of every message: nothing is decrypted. */
  async idOf(user: string): Promise<LoginId | undefined> {
    this.#ids ??= await this.#readIds();
    return this.#ids.get(user);
  }

  /** Who signed in as this person of the network; known from `load` on. */
  userOf(remote: string): UserId | undefined {
    return this.#users.get(remote);
  }

  async load(): Promise<void> {
    this.#ids ??= await this.#readIds();
  }

  async save(user: UserId, account: LoginAccount): Promise<Login> {
    const id = LoginId(`${this.bridge}/${user}`);
    const secret = this.secrets.seal(JSON.stringify(account.secret), `login ${id}`);
    await this.store.commit([
      ["setLogin", id, this.bridge, user, account.name, account.remoteUser ?? null, secret, this.clock.now()],
    ]);
    await this.load();
    this.#note(id, user, account.remoteUser ?? null);
    return { id, user, account };
  }

  async find(id: LoginId): Promise<Login | undefined> {
    const row = await this.store.get<LoginRow>(
      "SELECT id, user, name, remote, secret FROM login WHERE id = ? AND bridge = ?",
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
    this.#ids?.delete(login.user);
    if (login.account.remoteUser !== undefined) this.#users.delete(login.account.remoteUser);
  }

  async #readIds(): Promise<Map<string, LoginId>> {
    const rows = await this.store.all<Pick<LoginRow, "id" | "user" | "remote">>(
      "SELECT id, user, remote FROM login WHERE bridge = ?",
      this.bridge,
    );
    this.#ids = new Map();
    for (const { id, user, remote } of rows) this.#note(LoginId(id), UserId(user), remote);
    return this.#ids;
  }

  #note(id: LoginId, user: UserId, remote: string | null): void {
    this.#ids?.set(user, id);
    if (remote !== null) this.#users.set(remote, user);
  }

  #toLogin(row: LoginRow): Login {
    const secret = secretSchema.parse(JSON.parse(this.secrets.open(row.secret, `login ${row.id}`)));
    return {
      id: LoginId(row.id),
      user: UserId(row.user),
      account: { name: row.name, secret, ...(row.remote !== null && { remoteUser: RemoteUserId(row.remote) }) },
    };
  }
}
