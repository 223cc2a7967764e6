import type { Author, Login, LoginId, Network } from "@trestle/core";
import { authTestSchema, deadTokenCodes, RotatingToken, type Installations, type SlackApi } from "../../link/index.js";
import { AccountWorkspace, readSecret, writeSecret, type Account } from "./account.js";

export interface AccountsParts {
  readonly network: Pick<Network, "log" | "report" | "renewLogin" | "endLogin">;
  readonly api: SlackApi;
  readonly installations: Installations;
  readonly credentials?: { readonly clientId: string; readonly clientSecret: string };
}

/** The Matrix users who signed in, each with their account in one workspace. */
export class Accounts {
  readonly #byLogin = new Map<LoginId, Account>();
  readonly #bySlackUser = new Map<string, Account>();
  readonly #byMatrixUser = new Map<string, Account>();
  /** Whose token is being asked about. */
  readonly #doubted = new Set<LoginId>();

  constructor(readonly parts: AccountsParts) {}

  /** `since`: when they signed in, in milliseconds since 1970; 0 where that was before the start. */
  add(login: Login, since = 0): void {
    const { network, api, credentials } = this.parts;
    const secret = readSecret(login);
    if (!secret) {
      network.log.error({ login: login.id }, "A login was written by another version; sign in again");
      return;
    }
    const { team, user } = secret;
    const known = this.remove(login.id);
    const token = new RotatingToken(secret.token, {
      api,
      team,
      credentials,
      log: network.log,
      store: (fresh) => network.renewLogin(login.id, writeSecret({ team, user, token: fresh })),
    });
    const account: Account = {
      login: login.id,
      matrixUser: login.user,
      name: login.account.name,
      team,
      user,
      token,
      since: known?.since ?? since,
    };
    this.#byLogin.set(login.id, account);
    this.#bySlackUser.set(keyOf(team, user), account);
    this.#byMatrixUser.set(keyOf(team, login.user), account);
    // If it ended before, that is over.
    network.report({ connection: connectionOf(account), state: "closed" });
  }

  remove(login: LoginId): Account | undefined {
    const account = this.#byLogin.get(login);
    if (!account) return undefined;
    this.#byLogin.delete(login);
    this.#bySlackUser.delete(keyOf(account.team, account.user));
    this.#byMatrixUser.delete(keyOf(account.team, account.matrixUser));
    return account;
  }

  /** Nothing is done with their accounts until they are added again; the tokens stay good. */
  suspend(user: string): void {
    for (const { login, matrixUser } of [...this.#byLogin.values()]) if (matrixUser === user) this.remove(login);
  }

  /** Whom somebody in Slack is in Matrix. */
  ofSlackUser(team: string, user: string): Account | undefined {
    return this.#bySlackUser.get(keyOf(team, user));
  }

  ofMatrixUser(team: string, user: string): Account | undefined {
    return this.#byMatrixUser.get(keyOf(team, user));
  }

  /** An account of a Matrix user in whichever workspace. */
  anyOf(user: string): Account | undefined {
    return [...this.#byLogin.values()].find(({ matrixUser }) => matrixUser === user);
  }

  all(): readonly Account[] {
    return [...this.#byLogin.values()];
  }

  inTeam(team: string): readonly Account[] {
    return [...this.#byLogin.values()].filter((account) => account.team === team);
  }

  /** Through whom an author speaks; `undefined` where the relay does. */
  puppet({ login }: Author, team: string): { readonly workspace: AccountWorkspace; readonly user: string } | undefined {
    const account = login === undefined ? undefined : this.#byLogin.get(login);
    if (account?.team !== team) return undefined;
    const workspace = this.workspaceOf(account);
    return workspace && { workspace, user: account.user };
  }

  /** Its workspace through its eyes. `undefined` while the app's own installation there is not known. */
  workspaceOf(account: Account): AccountWorkspace | undefined {
    const installation = this.parts.installations.get(account.team)?.installation;
    return (
      installation && new AccountWorkspace(installation, this.parts.api, account, (code) => this.#doubt(account, code))
    );
  }

  /** Slack says that tokens of these people were revoked; which is told only by trying them. */
  async revoked(team: string, users: readonly string[]): Promise<void> {
    for (const user of users) {
      const account = this.ofSlackUser(team, user);
      if (account) await this.#check(account, "token_revoked");
    }
  }

  /** The app was removed from the workspace, and the tokens with it. */
  async removedFrom(team: string): Promise<void> {
    for (const account of this.inTeam(team)) await this.#end(account, "the app was removed from the workspace.");
  }

  #doubt(account: Account, code: string): void {
    if (this.#doubted.has(account.login)) return;
    this.#doubted.add(account.login);
    this.#check(account, code)
      .catch((error: unknown) => this.parts.network.log.error({ err: error }, "A sign-in could not be ended"))
      .finally(() => this.#doubted.delete(account.login));
  }

  /** A sign-in that was ended must be made again by a person: Slack is asked once more before. */
  async #check(account: Account, code: string): Promise<void> {
    const token = await account.token.current();
    const tested = token.ok
      ? await this.parts.api.call({
          team: account.team,
          token: token.body,
          method: "auth.test",
          answer: authTestSchema,
        })
      : token;
    if (tested.ok) return;
    const isOver = deadTokenCodes.has(tested.code ?? "") || tested.code === "invalid_refresh_token";
    if (isOver)
      await this.#end(
        account,
        `Slack no longer accepts the sign-in (${tested.code ?? code}). Sign in again with: login`,
      );
  }

  async #end(account: Account, why: string): Promise<void> {
    const { network } = this.parts;
    // Somebody signed in anew, or out, meanwhile.
    if (this.#byLogin.get(account.login) !== account) return;
    this.remove(account.login);
    network.report({ connection: connectionOf(account), state: "failed", detail: why });
    await network.endLogin(account.login, why);
  }
}

function connectionOf({ name, matrixUser }: Account): string {
  return `sign-in of ${matrixUser} as ${name}`;
}

function keyOf(team: string, user: string): string {
  return `${team} ${user}`;
}
