import type { IrcMessage } from "../../wire/message.js";
import { Authentication, type AuthenticationOptions } from "./authentication.js";
import type { SignInResult } from "./credentials.js";

/** Where signing in stands: held back until the other capabilities are settled, then asked for, then under way. */
type Phase = "negotiating" | "requested" | "authenticating" | "over";

/** Puts signing in between the capabilities and the end of their negotiation. */
export class SignIn {
  readonly #options: Omit<AuthenticationOptions, "offered">;
  #phase: Phase = "negotiating";
  #offered: string | undefined;
  #authentication: Authentication | undefined;

  constructor(options: Omit<AuthenticationOptions, "offered">) {
    this.#options = { ...options, done: (result) => this.#finish(result) };
    this.#done = options.done;
  }

  readonly #done: (result: SignInResult) => void;

  /** The negotiation is about to end; returns whether it has to wait. */
  holdsBack(): boolean {
    if (this.#phase !== "negotiating") return this.#phase !== "over";
    if (this.#offered === undefined) {
      this.#finish({ signedIn: false, rejected: false, reason: "the network's accounts are not available now" });
      return true;
    }
    this.#phase = "requested";
    this.#options.write("CAP REQ :sasl");
    return true;
  }

  /** Takes a line of the way in; returns whether nobody else needs it. */
  take(message: IrcMessage): boolean {
    const { verb, params } = message;
    if (verb === "CAP") return this.#capabilities(params);
    if (verb === "001" && this.#phase !== "over") {
      this.#finish({ signedIn: false, rejected: false, reason: "the server offers no accounts" });
      return true;
    }
    return this.#authentication?.take(message) ?? false;
  }

  end(): void {
    this.#phase = "over";
    this.#authentication?.end();
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
