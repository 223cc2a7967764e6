import { formatMessage, type IrcMessage } from "../../wire/message.js";
import { parseSource } from "../../wire/source.js";
import type { PasswordCredentials, SignInResult } from "./credentials.js";

/** How long the network may take to confirm an account. */
const CONFIRMED_WITHIN_MS = 15_000;
const BARRIER = "trestle-identify";
/** The command, or the service behind it, is not there: nobody has got the password. */
const NOT_THERE: ReadonlySet<string> = new Set(["401", "402", "403", "404", "408", "412", "421", "440", "461", "481"]);
/** What services say of a password that is wrong, and of an account that does not exist. */
const REFUSED =
  /(?:invalid|incorrect|wrong|bad)\W.*\bpass(?:word|phrase)|\bpass(?:word|phrase)\b.*\b(?:invalid|incorrect|wrong|bad|not match)|(?:\bnot|n['’]t|not been|never been) (?:a )?registered|no such account/i;

export interface IdentificationOptions {
  readonly credentials: PasswordCredentials;
  /** A command of the server (`NICKSERV`, `NS`), or a service with its server (`NickServ@services.example.net`). */
  readonly through: string;
  /** Whether a line is about ourselves. */
  readonly isOwn: (nick: string) => boolean;
  readonly fold: (text: string) => string;
  readonly write: (line: string) => void;
  readonly done: (result: SignInResult) => void;
}

/**
 * Signs in with the network's services where the server has no SASL: by a command that reaches them alone. A message to
 * a nick would give the password to whoever has that nick. Success is what the server itself says (900, `ACCOUNT`, the
 * user mode `r`); what a service says is believed only after the server has taken the command, for then the service is
 * there, and nobody else can be called as it is.
 */
export class Identification {
  #timer: NodeJS.Timeout | undefined;
  /** The server has taken the command. */
  #taken = false;
  #refusal: string | undefined;
  #lastSaid: string | undefined;
  #over = false;

  constructor(private readonly options: IdentificationOptions) {}

  begin(): void {
    const { credentials, through, write } = this.options;
    const { account, password } = credentials;
    if (!isWord(account) || !isWord(password)) {
      this.#fail(
        "this network takes passwords only by a command, in which account and password cannot have spaces nor begin " +
          "with a colon: give the account another password",
      );
      return;
    }
    const text = `IDENTIFY ${account} ${password}`;
    this.#timer = setTimeout(() => this.#timedOut(), CONFIRMED_WITHIN_MS);
    // Without a colon, as people type it: some servers hand on what follows the command as it is written.
    write(through.includes("@") ? formatMessage("PRIVMSG", [through, text]) : `${through} ${text}`);
    write(formatMessage("PING", [BARRIER]));
  }

  /** Takes a line that came after the welcome. */
  take(message: IrcMessage): void {
    const { verb, params } = message;
    if (this.#over) return;
    const own = this.options.isOwn(parseSource(message.source).nick);
    if (verb === "900") this.#succeeded(params[2]);
    else if (verb === "ACCOUNT" && own && params[0] !== "*") this.#succeeded(params[0]);
    else if (verb === "MODE" && this.options.isOwn(params[0] ?? "") && sets(params[1] ?? "", "r"))
      this.#succeeded(undefined);
    else if (verb === "NOTICE") this.#said(parseSource(message.source).nick, params[1] ?? "");
    else if (verb === "PONG" && params.at(-1) === BARRIER) this.#wasTaken();
    else if (NOT_THERE.has(verb) && !this.#taken)
      this.#fail(`the network's services cannot be asked now: ${params.at(-1) ?? verb}`);
  }

  /** The connection is over. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #said(nick: string, text: string): void {
    const { through, fold } = this.options;
    const service = through.includes("@") ? through.slice(0, through.indexOf("@")) : "NickServ";
    if (fold(nick) !== fold(service)) return;
    // eslint-disable-next-line no-control-regex -- services write names in bold
    this.#lastSaid = this.#withoutPassword(text.replace(/[\0-\x1f]/g, ""));
    if (!REFUSED.test(this.#lastSaid)) return;
    this.#refusal ??= this.#lastSaid;
    if (this.#taken) this.#finish({ signedIn: false, rejected: true, reason: this.#refusal });
  }

  #wasTaken(): void {
    this.#taken = true;
    if (this.#refusal !== undefined) this.#finish({ signedIn: false, rejected: true, reason: this.#refusal });
  }

  #timedOut(): void {
    const said = this.#lastSaid === undefined ? "" : `; the service said: ${this.#lastSaid}`;
    this.#fail(`the network did not confirm the account within ${CONFIRMED_WITHIN_MS / 1000} seconds${said}`);
  }

  #succeeded(account: string | undefined): void {
    this.#finish({ signedIn: true, account: account ?? this.options.credentials.account, mechanism: "IDENTIFY" });
  }

  #fail(reason: string): void {
    this.#finish({ signedIn: false, rejected: false, reason });
  }

  /** A service that repeats what it was told must not bring the password into a log. */
  #withoutPassword(text: string): string {
    return text.replaceAll(this.options.credentials.password, "***");
  }

  #finish(result: SignInResult): void {
    if (this.#over) return;
    this.end();
    this.options.done(result);
  }
}

/** What stays one parameter, whoever takes the line apart. */
function isWord(text: string): boolean {
  return text !== "" && !/[\s\0]|^:/.test(text);
}

/** Whether a change of modes sets `letter`. */
function sets(modes: string, letter: string): boolean {
  let on = true;
  for (const each of modes) {
    if (each === "+" || each === "-") on = each === "+";
    else if (each === letter) return on;
  }
  return false;
}
