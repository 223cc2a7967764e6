import { RemoteUserId, type LoginAccount, type LoginSession } from "@trestle/core";
import { bareOf, parseJid } from "../address/index.js";
import type { OwnedAccount } from "./owned-account.js";
import { tryWithArchive, type TryOptions } from "./try-account.js";

export interface SignInOptions extends TryOptions {
  /** Whether somebody else has signed in with this account. */
  readonly isTaken: (jid: string) => boolean;
}

/** Asks somebody for their account, and tries it. Rejects with an `Error` that says what is wrong. */
export async function askForAccount(session: LoginSession, options: SignInOptions): Promise<LoginAccount> {
  const { accounts, domain } = options.config;
  const typed = await session.ask([
    { id: "jid", type: "username", label: "Your XMPP address", hint: "like alice@example.org" },
    { id: "password", type: "password", label: "Its password" },
  ]);
  const jid = parseJid(typed.jid.trim().replace(/^xmpp:/i, ""));
  if (jid?.local === undefined)
    throw new Error(`“${typed.jid.slice(0, 200)}” is no XMPP address: it is like alice@example.org`);
  const bare = bareOf(jid);
  if (accounts.domains !== undefined && !accounts.domains.includes(jid.domain))
    throw new Error(`only accounts of these servers can be used here: ${accounts.domains.join(", ")}`);
  if (jid.domain === domain) throw new Error(`${bare} is an address of this bridge, and no account`);
  if (options.isTaken(bare)) throw new Error(`somebody else has signed in as ${bare}`);
  if (typed.password === "") throw new Error("a password is needed");
  const owned: OwnedAccount = { jid: bare, password: typed.password, neverShow: false };
  const { mechanism, last } = await tryWithArchive(owned, options, session.signal);
  return {
    name: bare,
    remoteUser: RemoteUserId(bare),
    // Who has proved the password once without showing it never has to show it.
    secret: {
      ...{ jid: bare, password: typed.password },
      ...(mechanism !== "PLAIN" && { neverShow: "yes" }),
      // What is said from now on is taken, also before the account is there for the first time.
      ...(last !== undefined && { lastBefore: last ?? "" }),
    },
  };
}
