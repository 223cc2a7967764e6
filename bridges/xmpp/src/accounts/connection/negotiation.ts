import { randomUUID } from "node:crypto";
import { bareJidOf } from "../../address/index.js";
import { xml, type Element } from "../../stream/element.js";
import { stanzaErrorOf } from "../../stream/stanza-error.js";
import { Handled } from "./handled.js";
import type { Place } from "./places.js";
import { signIn, SignInError, type Exchange, type Mechanism } from "./sasl.js";

const NS_TLS = "urn:ietf:params:xml:ns:xmpp-tls";
const NS_BIND = "urn:ietf:params:xml:ns:xmpp-bind";
export const NS_SM = "urn:xmpp:sm:3";
/** While the stream is made hardly anything else comes. */
const MOST_SKIPPED = 50;

/** Whose stream it is. */
export interface AccountAddress {
  /** The bare JID. */
  readonly jid: string;
  readonly local: string;
  readonly domain: string;
  readonly password: string;
  /** The server had no need to see the password before, and must not ask for it. */
  readonly neverShow: boolean;
  readonly resource: string;
}

/** A session that outlives its connection (XEP-0198). */
export interface Session {
  readonly id: string;
  /** The address that was bound. */
  readonly jid: string;
  readonly handled: Handled;
}

/** What was made of a stream. */
export interface Bound {
  /** The full JID. */
  readonly jid: string;
  readonly mechanism: Mechanism;
  /** The same session goes on: nothing was lost, and rooms have not noticed. */
  readonly isResumed: boolean;
  /** Absent where the server has no stream management, or keeps no sessions. */
  readonly session?: Session;
}

/** The stream, as it is made. */
export interface Negotiated extends Exchange {
  /** Opens it, or opens it anew; returns the features. */
  open(again: boolean): Promise<Element>;
  /** Encrypts it; rejects where the server is not who it should be. */
  secure(): Promise<void>;
  isSecure(): boolean;
}

export interface NegotiationOptions {
  readonly account: AccountAddress;
  readonly place: Place;
  readonly session: Session | undefined;
}

/**
 * Makes a stream (RFC 6120 §4.3): encrypts it, signs in, goes on with an earlier session or binds a resource. Rejects
 * before the password, or anything made of it, is sent over a connection that is not encrypted to the server of the
 * account, except where the operator allows that on this machine.
 */
export async function negotiate(stream: Negotiated, options: NegotiationOptions): Promise<Bound> {
  const { account, place, session } = options;
  let features = await stream.open(false);
  if (place.security === "starttls") features = await startTls(stream, features, account.domain);
  if (!stream.isSecure() && place.security !== "none") throw new Error("The connection is not encrypted");
  const mechanism = await signIn(stream, features, {
    account: account.local,
    password: account.password,
    mayShow: !account.neverShow,
  });
  const offered = await stream.open(true);
  const isManaged = offered.getChild("sm", NS_SM) !== undefined;
  if (session && isManaged && (await resume(stream, session)))
    return { jid: session.jid, mechanism, isResumed: true, session };
  const jid = await bind(stream, account);
  const begun = isManaged ? await enable(stream, jid) : undefined;
  return { jid, mechanism, isResumed: false, ...(begun && { session: begun }) };
}

async function startTls(stream: Negotiated, features: Element, domain: string): Promise<Element> {
  if (!features.getChild("starttls", NS_TLS))
    throw new SignInError(
      "encryption-required",
      `The server of ${domain} offers no encryption; the password was not shown to it`,
    );
  await stream.send(xml("starttls", { xmlns: NS_TLS }));
  const answer = await stream.next();
  if (!answer.is("proceed", NS_TLS)) throw new Error(`The server of ${domain} cannot encrypt now`);
  await stream.secure();
  return stream.open(true);
}

async function resume(stream: Negotiated, { id, handled }: Session): Promise<boolean> {
  await stream.send(xml("resume", { xmlns: NS_SM, previd: id, h: String(handled.count) }));
  const answer = await stream.next();
  return answer.is("resumed", NS_SM) && answer.attrs["previd"] === id;
}

async function bind(stream: Negotiated, { jid, resource }: AccountAddress): Promise<string> {
  const id = randomUUID();
  await stream.send(xml("iq", { type: "set", id }, xml("bind", { xmlns: NS_BIND }, xml("resource", {}, resource))));
  const answer = await next(stream, (element) => element.name === "iq" && element.attrs["id"] === id);
  if (answer.attrs["type"] !== "result") {
    const { condition, text } = stanzaErrorOf(answer);
    throw new Error(`The server gave no address (${text ?? condition})`);
  }
  const bound = answer.getChild("bind", NS_BIND)?.getChildText("jid") ?? "";
  // Of another account nothing is said in this one's name.
  if (bareJidOf(bound) !== jid) throw new Error(`The server gave the address ${bound.slice(0, 300)} instead of ${jid}`);
  return bound;
}

async function enable(stream: Negotiated, jid: string): Promise<Session | undefined> {
  await stream.send(xml("enable", { xmlns: NS_SM, resume: "true" }));
  const answer = await next(stream, (element) => element.getNS() === NS_SM);
  if (!answer.is("enabled", NS_SM)) return undefined;
  const { id, resume: canResume } = answer.attrs;
  const isKept = id !== undefined && (canResume === "true" || canResume === "1");
  return { id: isKept ? id : "", jid, handled: new Handled() };
}

/** The next element that is waited for. What comes before it says nothing to a client that is not there yet. */
async function next(stream: Exchange, wanted: (element: Element) => boolean): Promise<Element> {
  for (let skipped = 0; skipped < MOST_SKIPPED; skipped++) {
    const element = await stream.next();
    if (wanted(element)) return element;
  }
  throw new Error("The server does not answer");
}
