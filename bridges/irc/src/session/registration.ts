import { EventEmitter } from "node:events";
import framework, { type Client, type ClientOptions, type Transport } from "irc-framework";
import { wellFormed, withoutControls } from "../wire/sanitise.js";

/** Asked for beyond what irc-framework asks for by itself. */
const CAPABILITIES = ["labeled-response", "draft/message-redaction", "draft/multiline"] as const;
/** Those of which the value matters: kept with it as well, as `name=value`. */
const VALUED = ["draft/multiline"] as const;

export interface RegistrationOptions {
  readonly nick: string;
  readonly username: string;
  readonly realname: string;
  readonly password: string | undefined;
  readonly sasl: { readonly account: string; readonly password: string } | undefined;
  readonly write: (line: string) => void;
  /** SASL did not succeed: the connection is of no use. */
  readonly onSaslFailed: (reason: string) => void;
}

/**
 * Lets irc-framework do the way in: capabilities, SASL, NICK and USER. Once the server has welcomed us the client is let
 * go; the connection's state is small and ours, which is what makes it possible to take it over after a restart.
 */
export class Registration {
  readonly #client: Client;
  readonly #transport: BorrowedTransport;

  constructor(options: RegistrationOptions) {
    const client = new framework.Client();
    let transport: BorrowedTransport | undefined;
    class BoundTransport extends BorrowedTransport {
      constructor() {
        super(options.write);
        // eslint-disable-next-line @typescript-eslint/no-this-alias -- the client constructs its transport and keeps it to itself
        transport = this;
      }
    }
    client.requestCap(CAPABILITIES);
    client.on("sasl failed", ({ reason, message }) => options.onSaslFailed(message ?? reason.replaceAll("_", " ")));
    client.connect(clientOptions(options, BoundTransport));
    if (!transport) throw new Error("irc-framework made no transport");
    this.#client = client;
    this.#transport = transport;
  }

  /** The socket is open. */
  begin(): void {
    this.#transport.emit("open");
  }

  line(text: string): void {
    this.#transport.emit("line", text);
  }

  /** The capabilities that are enabled now. */
  get capabilities(): readonly string[] {
    const { enabled, available } = this.#client.network.cap;
    const valued = VALUED.filter((name) => enabled.includes(name));
    return [...enabled, ...valued.map((name) => `${name}=${available.get(name) ?? ""}`)];
  }

  release(): void {
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
    account: options.sasl ?? {},
    sasl_disconnect_on_fail: options.sasl !== undefined,
    enable_chghost: true,
    enable_setname: false,
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
