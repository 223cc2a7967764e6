import type { Login, LoginAccount, LoginSession, Network } from "@trestle/core";
import { z } from "zod";
import { authTestSchema, type Installations, type SlackApi, type Token } from "../../link/index.js";
import type { People } from "../people.js";
import { remoteUserOf } from "../remote-user.js";
import { readSecret, writeSecret } from "./account.js";
import type { Accounts } from "./accounts.js";
import type { Authorization } from "./authorization.js";

export interface SignInParts {
  readonly network: Pick<Network, "log" | "logins">;
  readonly api: SlackApi;
  readonly installations: Installations;
  readonly people: People;
  readonly accounts: Accounts;
  /** Without it people paste a token. */
  readonly authorization: Authorization | undefined;
}

const testedSchema = authTestSchema.extend({ user: z.string().optional() });
const revokedSchema = z.looseObject({});

/** Signs Matrix users in to accounts of their own, and out. */
export class SignIn {
  constructor(readonly parts: SignInParts) {}

  /** @throws Error that tells the person what is wrong */
  async login(session: LoginSession): Promise<LoginAccount> {
    const token = await this.#token(session);
    const { api, installations, people } = this.parts;
    const tested = await api.call({ team: "login", token: token.value, method: "auth.test", answer: testedSchema });
    if (!tested.ok) throw new Error(`${tested.reason}.`);
    const { user_id: user, bot_id, team_id, team: teamName = team_id, user: handle = user } = tested.body;
    if (bot_id !== undefined) throw new Error("This is a bot's token: paste your own user token (xoxp-…).");
    const workspace = installations.get(team_id);
    if (!workspace) {
      await this.#revoke(token.value);
      throw new Error(`The bridge is not installed in the workspace ${teamName}.`);
    }
    const person = await people.find(workspace, user, { team: team_id, signal: session.signal });
    const remote = person.ok ? person.body.remote : undefined;
    const remoteUser = remote?.id ?? remoteUserOf({ kind: "user", team: team_id, id: user });
    const others = await this.parts.network.logins();
    if (others.some((other) => other.account.remoteUser === remoteUser && other.user !== session.user))
      throw new Error("Somebody else on Matrix is signed in with this Slack account already.");
    return {
      name: `${remote?.name ?? handle} in ${teamName}`,
      remoteUser,
      secret: writeSecret({ team: team_id, user, token }),
    };
  }

  /** What cannot be revoked now is forgotten all the same. */
  async logout(login: Login): Promise<void> {
    const account = this.parts.accounts.remove(login.id);
    const current = account ? await account.token.current() : undefined;
    const token = current?.ok === true ? current.body : readSecret(login)?.token.value;
    if (token !== undefined) await this.#revoke(token);
  }

  async #token(session: LoginSession): Promise<Token> {
    const { authorization } = this.parts;
    if (!authorization) {
      const { token } = await session.ask([
        { id: "token", type: "token", label: "Your Slack user token", hint: "it begins with xoxp-" },
      ]);
      const value = token.trim();
      if (!/^(?:xoxe\.)?xoxp-\S+$/.test(value)) throw new Error("This is no user token: it begins with xoxp-.");
      return { value };
    }
    const { url, granted } = authorization.begin(session.user, session.signal);
    await session.say(`Open this link in your browser and allow the bridge to act for you in Slack: ${url}`);
    const result = await granted;
    if ("trouble" in result) throw new Error(result.trouble);
    return result.token;
  }

  async #revoke(token: string): Promise<void> {
    const revoked = await this.parts.api.call({
      team: "login",
      token,
      method: "auth.revoke",
      answer: revokedSchema,
    });
    if (!revoked.ok)
      this.parts.network.log.warn(
        { reason: revoked.reason },
        "A token of somebody who signed out could not be revoked",
      );
  }
}
