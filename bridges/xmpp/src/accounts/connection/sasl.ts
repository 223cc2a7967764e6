import { saslPrep, Scram, type ScramName } from "@trestle/core";
import { xml, type Element } from "../../stream/element.js";
import { messageOf } from "../../stream/errors.js";

const NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl";

export type Mechanism = ScramName | "PLAIN";

/** A sign-in that came to nothing. */
export class SignInError extends Error {
  override readonly name = "SignInError";

  /** `condition` is one of RFC 6120 §6.5, or `unproven`: the server is not who it says. */
  constructor(
    readonly condition: string,
    message: string,
  ) {
    super(message);
  }
}

export interface SignIn {
  /** The local part of the address. */
  readonly account: string;
  readonly password: string;
  /** The password may be shown to this server: the connection is encrypted to whom it should be, or stays on this machine. */
  readonly mayShow: boolean;
}

/** How a sign-in talks to the server. */
export interface Exchange {
  send(element: Element): Promise<void>;
  /** The next element that the server sends. */
  next(): Promise<Element>;
}

/** Signs in with the best mechanism (RFC 6120 §6) that the server offers; returns it. Throws a {@link SignInError}. */
export async function signIn(exchange: Exchange, features: Element, how: SignIn): Promise<Mechanism> {
  const offered = features.getChild("mechanisms", NS_SASL)?.getChildren("mechanism") ?? [];
  const names = new Set(offered.map((mechanism) => mechanism.getText().trim()));
  for (const name of ["SCRAM-SHA-256", "SCRAM-SHA-1"] as const) {
    if (!names.has(name)) continue;
    await scram(exchange, new Scram(name, how.account, how.password));
    return name;
  }
  if (names.has("PLAIN") && how.mayShow) {
    await plain(exchange, how);
    return "PLAIN";
  }
  const list = [...names].map((name) => name.slice(0, 40)).slice(0, 10);
  throw new SignInError(
    "mechanism-too-weak",
    `the server offers no way to sign in that is safe here: ${list.length === 0 ? "none at all" : list.join(", ")}`,
  );
}

async function scram(exchange: Exchange, mechanism: Scram): Promise<void> {
  await exchange.send(auth(mechanism.name, mechanism.begin()));
  const challenge = answered(await exchange.next(), "challenge");
  let proof: string;
  try {
    proof = await mechanism.prove(challenge);
  } catch (error) {
    throw new SignInError("unproven", messageOf(error));
  }
  await exchange.send(xml("response", { xmlns: NS_SASL }, encoded(proof)));
  let answer = await exchange.next();
  // The server's proof comes with the success, or before it (RFC 6120 §6.4.6).
  const early = answer.is("challenge", NS_SASL) ? answered(answer, "challenge") : undefined;
  if (early !== undefined) {
    await exchange.send(xml("response", { xmlns: NS_SASL }));
    answer = await exchange.next();
  }
  const last = answered(answer, "success");
  try {
    mechanism.verify(early ?? last);
  } catch (error) {
    throw new SignInError("unproven", messageOf(error));
  }
}

/** RFC 4616 */
async function plain(exchange: Exchange, { account, password }: SignIn): Promise<void> {
  await exchange.send(auth("PLAIN", `\0${saslPrep(account)}\0${saslPrep(password)}`));
  answered(await exchange.next(), "success");
}

function auth(mechanism: Mechanism, first: string): Element {
  return xml("auth", { xmlns: NS_SASL, mechanism }, encoded(first));
}

function encoded(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** What stands in the element that must come now. */
function answered(element: Element, expected: "challenge" | "success"): string {
  if (element.is(expected, NS_SASL)) return Buffer.from(element.getText(), "base64").toString("utf8");
  if (!element.is("failure", NS_SASL))
    throw new SignInError("undefined-condition", `the server answered with <${element.getName()}/>`);
  const condition = element
    .getChildElements()
    .find((child) => child.getName() !== "text")
    ?.getName();
  const text = element.getChildText("text", NS_SASL);
  const name = condition ?? "undefined-condition";
  throw new SignInError(name, text === null || text === "" ? name : `${name}: ${text.slice(0, 300)}`);
}
