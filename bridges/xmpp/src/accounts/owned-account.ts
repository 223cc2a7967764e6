import { readFile } from "node:fs/promises";
import type { LoginAccount } from "@trestle/core";
import { parseJid } from "../address/index.js";
import type { XmppConfig } from "../config.js";
import type { AccountAddress } from "./connection/negotiation.js";
import { findPlaces, type Place } from "./connection/places.js";

/** An account, with what signs it in. */
export interface OwnedAccount {
  /** The bare JID. */
  readonly jid: string;
  readonly password: string;
  /** Its server has no need to see the password. */
  readonly neverShow: boolean;
  /** The last message of its archive when it was signed in, `null` where there was none; absent where nobody knows. */
  readonly lastBefore?: string | null;
}

/** The account of a login; `undefined` where it holds none. */
export function ownedAccountOf({ secret }: LoginAccount): OwnedAccount | undefined {
  const { jid, password, neverShow, lastBefore } = secret;
  if (jid === undefined || password === undefined) return undefined;
  const last = lastBefore === undefined ? {} : { lastBefore: lastBefore === "" ? null : lastBefore };
  return { jid, password, neverShow: neverShow === "yes", ...last };
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
