import type { IrcMessage } from "../../wire/message.js";
import { Authentication, type AuthenticationOptions } from "./authentication.js";
import type { Credentials, PasswordCredentials, SignInResult } from "./credentials.js";

/** What is done where the server has no SASL: signing in follows the way in, or is given up, with a reason for a person. */
export type WithoutSasl =
  { readonly through: string; readonly credentials: PasswordCredentials } | { readonly reason: string };

/** `through` is the command or service that the operator has named for it. */
export function withoutSaslOf(
  through: string | undefined,
  credentials: Credentials | undefined,
  confidential: boolean,
): WithoutSasl {
  if (through === undefined || credentials?.method !== "password")
    return { reason: "the network's accounts are not available now" };
  if (credentials.mechanism === "SCRAM-SHA-256")
    return { reason: "the network's accounts are not available now without showing it the password" };
  if (!confidential)
    return { reason: "the connection is not encrypted and the server offers no way to prove a password" };
  return { through, credentials };
}

/** Where signing in stands: held back until the other capabilities are settled, then asked for, then under way. */
type Phase = "negotiating" | "requested" | "authenticating" | "over";

/** Puts signing in between the capabilities and the end of their negotiation. */
export class SignIn {
  readonly #options: Omit<AuthenticationOptions, "offered">;
  #owed: Exclude<WithoutSasl, { reason: unknown }> | undefined;
  #phase: Phase = "negotiating";
  #offered: string | undefined;
  #authentication: Authentication | undefined;

  constructor(
    options: Omit<AuthenticationOptions, "offered">,
    private readonly withoutSasl: WithoutSasl,
  ) {
    this.#options = { ...options, done: (result) => this.#finish(result) };
    this.#done = options.done;
  }

  readonly #done: (result: SignInResult) => void;

  /** The negotiation is about to end; returns whether it has to wait. */
  holdsBack(): boolean {
    if (this.#phase !== "negotiating") return this.#phase !== "over";
    if (this.#offered === undefined) return !this.#goesOnWithout();
    this.#phase = "requested";
    this.#options.write("CAP REQ :sasl");
    return true;
  }

  /** Takes a line of the way in; returns whether nobody else needs it. */
  take(message: IrcMessage): boolean {
    const { verb, params } = message;
    if (verb === "CAP") return this.#capabilities(params);
    if (verb === "001" && this.#phase === "negotiating") return !this.#goesOnWithout();
    if (verb === "001" && this.#phase !== "over") {
      this.#finish({ signedIn: false, rejected: false, reason: "the server let us in before we had signed in" });
      return true;
    }
    return this.#authentication?.take(message) ?? false;
  }

  /** How signing in is still to be done after the way in, where the server had no SASL. */
  get owed(): Exclude<WithoutSasl, { reason: unknown }> | undefined {
    return this.#owed;
  }

  end(): void {
    this.#phase = "over";
    this.#authentication?.end();
  }

  /** The server has no SASL. */
  #goesOnWithout(): boolean {
    if ("reason" in this.withoutSasl) {
      this.#finish({ signedIn: false, rejected: false, reason: this.withoutSasl.reason });
      return false;
    }
    this.#owed = this.withoutSasl;
    this.#phase = "over";
    return true;
  }

  #capabilities(params: readonly string[]): boolean {
    const names = (params.at(-1) ?? "").trim().split(" ");
    const verb = params[1]?.toUpperCase();
    if (verb === "LS") {
      const sasl = names.find((name) => /^sasl(?:=|$)/.test(name));
      if (sasl !== undefined) this.#offered = sasl.slice("sasl=".length);
    }
    if (this.#phase !== "requested" || !names.includes("sasl")) return false;
    if (verb === "NAK")
      this.#finish({ signedIn: false, rejected: false, reason: "the server does not let us sign in now" });
    if (verb !== "ACK") return verb === "NAK";
    this.#phase = "authenticating";
    this.#authentication = new Authentication({ ...this.#options, offered: this.#offered ?? "" });
    this.#authentication.begin();
    return true;
  }

  #finish(result: SignInResult): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#done(result);
  }
}
