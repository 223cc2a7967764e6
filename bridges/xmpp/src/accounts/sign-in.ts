import { readFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { RemoteUserId, type LoginAccount, type LoginSession } from "@trestle/core";
import { bareOf, parseJid } from "../address/index.js";
import type { XmppConfig } from "../config.js";
import { defaultTuning, type Ended, type StreamTuning } from "../stream/index.js";
import { ClientConnection } from "./connection/client-connection.js";
import type { AccountAddress, Bound } from "./connection/negotiation.js";
import { findPlaces, type Place } from "./connection/places.js";

/** An account, with what signs it in. */
export interface OwnedAccount {
  /** The bare JID. */
  readonly jid: string;
  readonly password: string;
  /** Its server has no need to see the password. */
  readonly neverShow: boolean;
}

export interface SignInOptions {
  readonly config: XmppConfig;
  readonly tuning: Partial<StreamTuning>;
  /** Whether somebody else has signed in with this account. */
  readonly isTaken: (jid: string) => boolean;
}

/** The account of a login; `undefined` where it holds none. */
export function ownedAccountOf({ secret }: LoginAccount): OwnedAccount | undefined {
  const { jid, password, neverShow } = secret;
  return jid === undefined || password === undefined ? undefined : { jid, password, neverShow: neverShow === "yes" };
}

/** An account as a stream takes it. */
export function accountIn({ jid, password, neverShow }: OwnedAccount, resource: string): AccountAddress {
  const { local = "", domain } = parseJid(jid) ?? { domain: jid };
  return { jid, local, domain, password, neverShow, resource };
}

/** Where the server of an account is: as the operator says, otherwise as DNS says. */
export async function placesOf({ servers }: XmppConfig["accounts"], jid: string): Promise<readonly Place[]> {
  const domain = parseJid(jid)?.domain ?? jid;
  const named = Object.hasOwn(servers, domain) ? servers[domain] : undefined;
  if (!named) return findPlaces(domain);
  const { host, port, security, ca } = named;
  return [{ host, port, security, isNamed: true, ...(ca !== undefined && { ca: await readFile(ca, "utf8") }) }];
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
  const owned = { jid: bare, password: typed.password, neverShow: false };
  const { mechanism } = await tryAccount(owned, options, session.signal);
  return {
    name: bare,
    remoteUser: RemoteUserId(bare),
    // Who has proved the password once without showing it never has to show it.
    secret: { jid: bare, password: typed.password, ...(mechanism !== "PLAIN" && { neverShow: "yes" }) },
  };
}

/** Signs in once, and out again. Rejects with an `Error` that says why that was not possible. */
export async function tryAccount(
  owned: OwnedAccount,
  options: Pick<SignInOptions, "config" | "tuning">,
  signal: AbortSignal,
): Promise<Bound> {
  const places = await placesOf(options.config.accounts, owned.jid).catch((error: unknown) => {
    throw new Error(`the server of ${owned.jid} could not be found`, { cause: error });
  });
  let last: Ended = { reason: "nobody knows where its server is" };
  for (const place of places) {
    signal.throwIfAborted();
    const tried = await tryAt(owned, place, options.tuning, signal);
    if ("mechanism" in tried) return tried;
    last = tried;
    // It was the server who said so, and will say so anywhere.
    if (tried.condition !== undefined) break;
  }
  if (last.condition === "not-authorized")
    throw new Error(`the server does not take this password for ${owned.jid} (${last.reason})`);
  throw new Error(`signing in as ${owned.jid} was not possible: ${last.reason}`);
}

function tryAt(
  owned: OwnedAccount,
  place: Place,
  tuning: Partial<StreamTuning>,
  signal: AbortSignal,
): Promise<Bound | Ended> {
  return new Promise((resolve) => {
    const givenUp = () => connection.destroy("it was given up");
    const done = (outcome: Bound | Ended) => {
      signal.removeEventListener("abort", givenUp);
      resolve(outcome);
    };
    const connection = new ClientConnection(
      {
        account: accountIn(owned, `trestle-try-${randomUUID().slice(0, 8)}`),
        place: () => Promise.resolve(place),
        session: undefined,
        tuning: { ...defaultTuning, ...tuning },
      },
      {
        online: () => connection.close("it was only tried"),
        alive: () => undefined,
        stanza: () => undefined,
        ended: done,
      },
      done,
    );
    signal.addEventListener("abort", givenUp, { once: true });
  });
}
