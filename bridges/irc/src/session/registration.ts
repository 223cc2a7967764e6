import { EventEmitter } from "node:events";
import framework, { type Client, type ClientOptions, type Transport } from "irc-framework";
import type { IrcMessage } from "../wire/message.js";
import { wellFormed, withoutControls } from "../wire/sanitise.js";
import type { Credentials, SignInResult } from "./sasl/credentials.js";
import { SignIn, type WithoutSasl } from "./sasl/sign-in.js";

/** Asked for beyond what irc-framework asks for by itself. */
const CAPABILITIES = [
  "labeled-response",
  "draft/message-redaction",
  "draft/multiline",
  "draft/chathistory",
  "draft/relaymsg",
] as const;
const CAP_END = "CAP END";
/** Those of which the value matters: kept with it as well, as `name=value`. */
const VALUED = ["draft/multiline", "draft/relaymsg"] as const;

export interface RegistrationOptions {
  readonly nick: string;
  readonly username: string;
  readonly realname: string;
  readonly password: string | undefined;
  readonly credentials: Credentials | undefined;
  /** Whether nobody between us and the server can read what is sent. */
  readonly confidential: boolean;
  readonly withoutSasl: WithoutSasl;
  readonly write: (line: string) => void;
  /** What came of signing in. The way in goes on where the answer is `go on`. */
  readonly onSignIn: (result: SignInResult) => "go on" | "stop";
}

/**
 * Lets irc-framework do the way in: capabilities, NICK and USER; signing in to an account is ours. Once the server has welcomed us the client is let
 * go; the connection's state is small and ours, which is what makes it possible to take it over after a restart.
 */
export class Registration {
  readonly #client: Client;
  readonly #transport: BorrowedTransport;
  readonly #signIn: SignIn | undefined;

  constructor(options: RegistrationOptions) {
    const { credentials, confidential, write } = options;
    const signIn =
      credentials &&
      new SignIn(
        {
          credentials,
          confidential,
          write,
          done: (result) => {
            if (options.onSignIn(result) === "go on") write(CAP_END);
          },
        },
        options.withoutSasl,
      );
    const client = new framework.Client();
    let transport: BorrowedTransport | undefined;
    class BoundTransport extends BorrowedTransport {
      constructor() {
        super((line) => {
          if (line !== CAP_END || signIn?.holdsBack() !== true) write(line);
        });
        // eslint-disable-next-line @typescript-eslint/no-this-alias -- the client constructs its transport and keeps it to itself
        transport = this;
      }
    }
    client.requestCap(CAPABILITIES);
    client.connect(clientOptions(options, BoundTransport));
    if (!transport) throw new Error("irc-framework made no transport");
    this.#client = client;
    this.#signIn = signIn;
    this.#transport = transport;
  }

  /** The socket is open. */
  begin(): void {
    this.#transport.emit("open");
  }

  line(text: string, message: IrcMessage): void {
    if (this.#signIn?.take(message) !== true) this.#transport.emit("line", text);
  }

  /** How signing in is still to be done, after the way in. */
  get owedSignIn(): Exclude<WithoutSasl, { reason: unknown }> | undefined {
    return this.#signIn?.owed;
  }

  /** The capabilities that are enabled now. */
  get capabilities(): readonly string[] {
    const { enabled, available } = this.#client.network.cap;
    const valued = VALUED.filter((name) => enabled.includes(name));
    return [...enabled, ...valued.map((name) => `${name}=${available.get(name) ?? ""}`)];
  }

  release(): void {
    this.#signIn?.end();
    this.#client.connection.clearTimers();
    this.#client.connection.removeAllListeners();
    this.#client.command_handler.removeAllListeners();
    this.#client.removeAllListeners();
    this.#transport.removeAllListeners();
  }
}

function clientOptions(options: RegistrationOptions, transport: ClientOptions["transport"]): ClientOptions {
  return {
    nick: options.nick,
    username: options.username,
    gecos: withoutControls(wellFormed(options.realname)).trim() || options.nick,
    ...(options.password === undefined ? {} : { password: options.password }),
    account: {},
    sasl_disconnect_on_fail: false,
    enable_chghost: true,
    enable_setname: true,
    enable_echomessage: true,
    auto_reconnect: false,
    ping_interval: 0,
    ping_timeout: 0,
    version: "Trestle",
    transport,
  };
}

/** What irc-framework takes for a socket: lines go in and out through the holder. */
class BorrowedTransport extends EventEmitter implements Transport {
  constructor(private readonly write: (line: string) => void) {
    super();
  }

  // The holder has connected already.
  connect(): void {}

  writeLine(line: string, done?: () => void): void {
    this.write(withoutControls(line));
    if (done) queueMicrotask(done);
  }

  // Only the connection decides when it ends.
  close(): void {}

  setEncoding(encoding: string): boolean {
    return encoding === "utf8";
  }

  disposeSocket(): void {}
}
