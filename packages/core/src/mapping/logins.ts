import { z } from "zod";
import type { Login, LoginAccount } from "../connector/connector.js";
import { LoginId, UserId } from "../connector/ids.js";
import type { Clock } from "../delivery/clock.js";
import type { Secrets } from "../store/secrets.js";
import type { Store } from "../store/store.js";

interface LoginRow {
  readonly id: string;
  readonly user: string;
  readonly name: string;
  readonly secret: Uint8Array;
}

const secretSchema = z.record(z.string(), z.string());

/** The Matrix users' own accounts on the network of one bridge; one a user. */
export class Logins {
  constructor(
    readonly store: Store,
    readonly bridge: number,
    readonly secrets: Secrets,
    readonly clock: Clock,
  ) {}

  async all(): Promise<readonly Login[]> {
    const rows = await this.store.all<LoginRow>(
      "SELECT id, user, name, secret FROM login WHERE bridge = ? ORDER BY user",
      this.bridge,
    );
    return rows.map((row) => this.#toLogin(row));
  }

  async of(user: string): Promise<Login | undefined> {
    const row = await this.store.get<LoginRow>(
      "SELECT id, user, name, secret FROM login WHERE bridge = ? AND user = ?",
      this.bridge,
      user,
    );
    return row && this.#toLogin(row);
  }

  /** The id alone, for the way of every message: nothing is decrypted. */
  async idOf(user: string): Promise<LoginId | undefined> {
    const row = await this.store.get<{ id: string }>(
      "SELECT id FROM login WHERE bridge = ? AND user = ?",
      this.bridge,
      user,
    );
    return row && LoginId(row.id);
  }

  async save(user: UserId, account: LoginAccount): Promise<Login> {
    const id = LoginId(`${this.bridge}/${user}`);
    const secret = this.secrets.seal(JSON.stringify(account.secret), `login ${id}`);
    await this.store.commit([["setLogin", id, this.bridge, user, account.name, secret, this.clock.now()]]);
    return { id, user, account };
  }

  async remove(login: Login): Promise<void> {
    await this.store.commit([["dropLogin", login.id]]);
  }

  #toLogin(row: LoginRow): Login {
    const secret = secretSchema.parse(JSON.parse(this.secrets.open(row.secret, `login ${row.id}`)));
    return { id: LoginId(row.id), user: UserId(row.user), account: { name: row.name, secret } };
  }
}
