import { type Login, type LoginAccount, type LoginId, RemoteUserId, type UserId } from "@trestle/core";
import { z } from "zod";
import type { Credentials } from "../../session/sasl/credentials.js";

/** An account that a Matrix user has signed in to. */
export interface Account {
  readonly login: LoginId;
  readonly user: UserId;
  readonly credentials: Credentials;
}

const secretSchema = z.discriminatedUnion("method", [
  z.object({
    network: z.string(),
    method: z.literal("password"),
    account: z.string(),
    password: z.string(),
    mechanism: z.enum(["PLAIN", "SCRAM-SHA-256"]).optional(),
  }),
  z.object({
    network: z.string(),
    method: z.literal("certificate"),
    account: z.string(),
    certificate: z.string(),
    key: z.string(),
  }),
]);

/** What the core keeps of an account; `account` is the spelling of the network. */
export function loginAccountOf(network: string, credentials: Credentials, remoteUser: RemoteUserId): LoginAccount {
  return { name: `${credentials.account} on ${network}`, remoteUser, secret: { network, ...credentials } };
}

/** The network and credentials of a login; `undefined` where this version cannot read it. */
export function readLogin({
  account,
}: Pick<Login, "account">): { readonly network: string; readonly credentials: Credentials } | undefined {
  const parsed = secretSchema.safeParse(account.secret);
  if (!parsed.success) return undefined;
  const { network, ...secret } = parsed.data;
  if (secret.method === "certificate") return { network, credentials: secret };
  const { method, account: name, password, mechanism } = secret;
  return {
    network,
    credentials: { method, account: name, password, ...(mechanism === "SCRAM-SHA-256" && { mechanism }) },
  };
}

/** The accounts of the Matrix users who are signed in to one network. */
export class Accounts {
  readonly #accounts = new Map<UserId, Account>();

  of(user: UserId): Account | undefined {
    return this.#accounts.get(user);
  }

  set(account: Account): void {
    this.#accounts.set(account.user, account);
  }

  delete(user: UserId): void {
    this.#accounts.delete(user);
  }
}
