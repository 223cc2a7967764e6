import { ScramError } from "@trestle/core";
import type { IrcMessage } from "../../wire/message.js";
import { type Credentials, PASSWORD_MECHANISMS, type SignInResult } from "./credentials.js";
import { external, type Mechanism, plain, SaslError } from "./mechanism.js";
import { ScramSha256 } from "./scram.js";

/** IRCv3 SASL: so much base64 a line. */
const CHUNK = 400;
/** The longest challenge, in characters of base64. */
const LONGEST_CHALLENGE = 16 * CHUNK;
/** The service behind the server is away: nothing is said of the credentials. */
const TEMPORARY = /time|unavailable|not available|offline|later|try again/i;

export interface AuthenticationOptions {
  readonly credentials: Credentials;
  /** The value of the `sasl` capability: the mechanisms, or empty where the server does not say. */
  readonly offered: string;
  /** Whether nobody in between can read what is sent. */
  readonly confidential: boolean;
  readonly write: (line: string) => void;
  readonly done: (result: SignInResult) => void;
}

/** The exchange of AUTHENTICATE with a server, mechanism after mechanism. IRCv3 SASL 3.2. */
export class Authentication {
  readonly #candidates: Mechanism[];
  #current: Mechanism | undefined;
  #challenge = "";
  #account: string;
  #over = false;

  constructor(private readonly options: AuthenticationOptions) {
    this.#account = options.credentials.account;
    this.#candidates = candidates(options);
  }

  begin(): void {
    if (this.#candidates.length > 0) {
      this.#next();
      return;
    }
    const { credentials, offered, confidential } = this.options;
    const lacks = !confidential && credentials.method === "password" && /\bPLAIN\b/i.test(offered);
    this.#fail(
      lacks
        ? "the connection is not encrypted and the server offers no way to prove a password without showing it"
        : `the server offers no way to sign in with a ${credentials.method} (it offers ${offered})`,
    );
  }

  /** Takes a line of the way in; returns whether it was about signing in. */
  take({ verb, params }: IrcMessage): boolean {
    const text = params.at(-1) ?? verb;
    switch (verb) {
      case "AUTHENTICATE":
        this.#challenged(params[0] ?? "+");
        return true;
      case "900":
        this.#account = params[2] ?? this.#account;
        return true;
      case "903":
        this.#succeeded();
        return true;
      case "902":
      case "904":
        this.#refused(text);
        return true;
      case "905":
      case "906":
        this.#fail(text);
        return true;
      // 908 lists mechanisms; the 904 that follows decides. 907: we have signed in already.
      case "907":
      case "908":
        return true;
      default:
        return false;
    }
  }

  /** The connection is over. */
  end(): void {
    this.#over = true;
  }

  #next(): void {
    this.#current = this.#candidates.shift();
    this.#challenge = "";
    if (this.#current) this.options.write(`AUTHENTICATE ${this.#current.name}`);
  }

  #challenged(chunk: string): void {
    const current = this.#current;
    if (!current || this.#over) return;
    if (chunk !== "+") this.#challenge += chunk;
    if (this.#challenge.length > LONGEST_CHALLENGE) {
      this.#abort("the server's challenge is too long");
      return;
    }
    if (chunk.length === CHUNK) return;
    const challenge = Buffer.from(this.#challenge, "base64");
    this.#challenge = "";
    void this.#respond(current, challenge);
  }

  async #respond(mechanism: Mechanism, challenge: Buffer): Promise<void> {
    try {
      const response = await mechanism.respond(challenge);
      if (!this.#over && mechanism === this.#current) this.#send(response.toString("base64"));
    } catch (error) {
      const expected = error instanceof SaslError || error instanceof ScramError;
      this.#abort(expected ? error.message : `signing in failed: ${String(error)}`);
    }
  }

  #send(base64: string): void {
    for (let start = 0; start < base64.length; start += CHUNK)
      this.options.write(`AUTHENTICATE ${base64.slice(start, start + CHUNK)}`);
    if (base64.length % CHUNK === 0) this.options.write("AUTHENTICATE +");
  }

  #succeeded(): void {
    const current = this.#current;
    if (!current?.complete) {
      this.#abort("the server claims success without having proved that it knows the password");
      return;
    }
    this.#finish({ signedIn: true, account: this.#account, mechanism: current.name });
  }

  #refused(reason: string): void {
    if (TEMPORARY.test(reason)) this.#fail(reason);
    else if (this.#candidates.length > 0) this.#next();
    else this.#finish({ signedIn: false, rejected: true, reason });
  }

  /** We do not go on: also not with another mechanism, which would show the password to whoever that is. */
  #abort(reason: string): void {
    if (this.#over) return;
    this.options.write("AUTHENTICATE *");
    this.#fail(reason);
  }

  #fail(reason: string): void {
    this.#finish({ signedIn: false, rejected: false, reason });
  }

  #finish(result: SignInResult): void {
    if (this.#over) return;
    this.#over = true;
    this.options.done(result);
  }
}

/** What can be tried, best first. */
function candidates({ credentials, offered, confidential }: AuthenticationOptions): Mechanism[] {
  const names = offered.toUpperCase().split(",");
  const isOffered = (name: string) => offered === "" || names.includes(name);
  if (credentials.method === "certificate") return isOffered("EXTERNAL") ? [external()] : [];
  const { account, password, mechanism } = credentials;
  return PASSWORD_MECHANISMS.filter(isOffered)
    .filter((name) => mechanism === undefined || name === mechanism)
    .filter((name) => name !== "PLAIN" || confidential)
    .map((name) => (name === "PLAIN" ? plain(account, password) : new ScramSha256(account, password)));
}
