import { randomBytes } from "node:crypto";
import type { Network, UserId } from "@trestle/core";
import type { Connection, ConnectionOwner } from "../../session/connection.js";
import type { Credentials, SignInResult } from "../../session/sasl/credentials.js";
import type { Role } from "../../session/state.js";
import type { Puppets } from "../connections/puppets.js";
import { type Account, Accounts } from "./accounts.js";
import { tryAccount } from "./trial.js";

export interface OwnAccountsOptions {
  readonly network: string;
  readonly core: Network;
  readonly puppets: () => Puppets;
  /** Opens a connection that signs in. */
  readonly open: (role: Role, nick: string, credentials: Credentials, owner: ConnectionOwner) => Connection;
  readonly forget: (connection: Connection) => void;
}

/** What becomes of the accounts that Matrix users have on one network: tried, used, given up. */
export class OwnAccounts {
  readonly known = new Accounts();

  constructor(private readonly options: OwnAccountsOptions) {}

  /** Signs in once, seen by nobody, to find out whether the network takes the credentials. */
  async try(
    user: UserId,
    credentials: Credentials,
    signal: AbortSignal,
  ): Promise<Extract<SignInResult, { signedIn: true }>> {
    const { network, open, forget } = this.options;
    const nick = () => `m${randomBytes(4).toString("hex")}`;
    const role: Role = { network, kind: "puppet", user };
    return await tryAccount({
      signal,
      nick,
      open: (owner) => open(role, nick(), credentials, owner),
      ended: forget,
    });
  }

  /** A Matrix user has an account of their own: their puppet signs in to it. */
  signedIn(account: Account): void {
    const { user, credentials } = account;
    this.known.set(account);
    const puppets = this.options.puppets();
    const current = puppets.get(user)?.seat.current;
    if (current && current.role.account !== credentials.account) puppets.renew(user, "Signing in");
  }

  signedOut(user: UserId): void {
    this.known.delete(user);
    this.options.puppets().renew(user, "Signed out");
  }

  /** The network does not take it any more: its user is told. */
  rejected(user: UserId, reason: string): void {
    const account = this.known.of(user);
    if (!account) return;
    this.known.delete(user);
    const { core, network } = this.options;
    core.endLogin(account.login, `${network} does not take it any more: ${reason}`).catch((error: unknown) => {
      core.log.error({ err: error, user }, "a login that IRC does not take any more could not be ended");
    });
  }
}
