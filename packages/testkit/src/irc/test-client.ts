import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type IrcLine, parseLine } from "./line.js";
import { Observers, type WaitOptions } from "./observers.js";
import { usualPatienceMs } from "../patience.js";

export interface IrcTestClientOptions {
  readonly port: number;
  readonly host?: string;
  readonly nick: string;
  readonly user?: string;
  readonly realname?: string;
  /** Sent by PASS. */
  readonly password?: string;
  /** Capabilities to ask for. */
  readonly caps?: readonly string[];
  /** SASL PLAIN; `sasl` is asked for as well. */
  readonly account?: { readonly name: string; readonly password: string };
  /** Speaks TLS and trusts this certificate alone, and shows its own where it has one (all PEM). */
  readonly tls?: { readonly ca: string; readonly key?: string; readonly cert?: string };
  readonly timeoutMs?: number;
  /** How many received lines are kept, the newest; 100000 where absent. */
  readonly remember?: number;
  /** Called with every line received, in order, before anybody who waits for it. */
  readonly onLine?: (line: IrcLine) => void;
  /** Called once, when the connection is over, whoever ended it. */
  readonly onClose?: () => void;
}

/** What a line is recognised by: a part of its text, a pattern, or a test of the parsed line. */
export type LineMatch = string | RegExp | ((line: IrcLine, text: string) => boolean);

export interface WaitForLineOptions extends WaitOptions {
  /** Only lines after this mark, which `mark()` gave. */
  readonly since?: number;
}

/** A person with an IRC client: raw sockets, and nothing shared with the bridge. */
export class IrcTestClient {
  /** Every line received, without CR LF. */
  readonly lines: string[] = [];
  readonly #observers = new Observers();
  readonly #socket: Socket;
  readonly #remember: number;
  readonly #onLine: ((line: IrcLine) => void) | undefined;
  #partial = "";
  #dropped = 0;
  #pings = 0;
  #nick: string;
  #closed = false;
  #error: Error | undefined;

  private constructor(socket: Socket, options: IrcTestClientOptions) {
    this.#socket = socket;
    this.#nick = options.nick;
    this.#remember = options.remember ?? 100_000;
    this.#onLine = options.onLine;
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => this.#take(chunk));
    // Told by whatever waits for a line.
    socket.on("error", (error) => (this.#error = error));
    socket.on("close", () => {
      this.#closed = true;
      options.onClose?.();
      this.#observers.changed();
    });
  }

  /** Connects and registers; rejects when the server refuses. */
  static async connect(options: IrcTestClientOptions): Promise<IrcTestClient> {
    const where = { host: options.host ?? "127.0.0.1", port: options.port };
    const socket = options.tls === undefined ? connectTcp(where) : connectTls({ ...where, ...options.tls });
    const client = new IrcTestClient(socket, options);
    try {
      await client.#register(options);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return client;
  }

  get nick(): string {
    return this.#nick;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Writes a line as it is. */
  raw(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }

  /** Writes bytes as they are, without an end of line. */
  rawBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Resolves when the server has let this client in; rejects when it has not. */
  async join(channel: string, key?: string): Promise<void> {
    const since = this.mark();
    this.raw(key === undefined ? `JOIN ${channel}` : `JOIN ${channel} ${key}`);
    const line = await this.waitForLine(
      ({ command, params }) => command === "366" || (/^4\d\d$/.test(command) && params.includes(channel)),
      { since },
    );
    if (!line.includes(" 366 ")) throw new Error(`The server does not let ${this.#nick} into ${channel}: ${line}`);
  }

  part(channel: string, reason?: string): void {
    this.raw(reason === undefined ? `PART ${channel}` : `PART ${channel} :${reason}`);
  }

  say(target: string, text: string): void {
    this.raw(`PRIVMSG ${target} :${text}`);
  }

  notice(target: string, text: string): void {
    this.raw(`NOTICE ${target} :${text}`);
  }

  action(target: string, text: string): void {
    this.raw(`PRIVMSG ${target} :\x01ACTION ${text}\x01`);
  }

  topic(channel: string, text: string): void {
    this.raw(`TOPIC ${channel} :${text}`);
  }

  mode(target: string, ...words: readonly string[]): void {
    this.raw(["MODE", target, ...words].join(" "));
  }

  kick(channel: string, nick: string, reason?: string): void {
    this.raw(reason === undefined ? `KICK ${channel} ${nick}` : `KICK ${channel} ${nick} :${reason}`);
  }

  /** Resolves when the server confirms the new nick; rejects when it refuses. */
  async changeNick(nick: string): Promise<void> {
    const since = this.mark();
    this.raw(`NICK ${nick}`);
    const line = await this.waitForLine(({ command }) => command === "NICK" || /^43\d$/.test(command), { since });
    if (!/ NICK /.test(line)) throw new Error(`The server does not let ${this.#nick} be ${nick}: ${line}`);
  }

  /** Where the list of lines ends now. */
  mark(): number {
    return this.#dropped + this.lines.length;
  }

  /** The first line that matches, of those received and those to come. */
  waitForLine(match: LineMatch, { since = 0, ...wait }: WaitForLineOptions = {}): Promise<string> {
    let next = since;
    const what = `a line to ${this.#nick} like ${String(match)}`;
    return this.#observers.wait(
      () => {
        for (next = Math.max(next, this.#dropped); next < this.mark(); next += 1) {
          const text = this.lines[next - this.#dropped] ?? "";
          if (matches(match, text)) return text;
        }
        if (this.#closed) throw new Error(this.#whyClosed(what));
        return undefined;
      },
      { what, ...wait },
    );
  }

  /** Resolves when the server has handled everything sent so far. */
  async sync(timeoutMs = usualPatienceMs): Promise<void> {
    this.#pings += 1;
    const token = `sync-${this.#pings}`;
    this.raw(`PING ${token}`);
    await this.waitForLine(({ command, params }) => command === "PONG" && params.at(-1) === token, { timeoutMs });
  }

  /** Says QUIT and resolves when the connection is closed. */
  async quit(reason = "bye"): Promise<void> {
    if (!this.#closed) this.raw(`QUIT :${reason}`);
    await this.#observers
      .wait(() => this.#closed, { what: `the connection of ${this.#nick} to close` })
      .catch(() => this.close());
  }

  /** Breaks the connection off. */
  close(): void {
    this.#socket.destroy();
  }

  async #register(options: IrcTestClientOptions): Promise<void> {
    const wait = { timeoutMs: options.timeoutMs ?? usualPatienceMs };
    const caps = [...(options.caps ?? []), ...(options.account === undefined ? [] : ["sasl"])];
    if (options.password !== undefined) this.raw(`PASS :${options.password}`);
    if (caps.length > 0) this.raw(`CAP REQ :${caps.join(" ")}`);
    this.raw(`NICK ${options.nick}`);
    this.raw(`USER ${options.user ?? options.nick} 0 * :${options.realname ?? options.nick}`);
    if (caps.length > 0) {
      const answer = await this.waitForLine(/ CAP \S+ (ACK|NAK) /, wait);
      if (answer.includes(" NAK ")) throw new Error(`The server does not offer all of ${caps.join(" ")}: ${answer}`);
      if (options.account !== undefined) await this.#signIn(options.account, wait);
      this.raw("CAP END");
    }
    const line = await this.waitForLine(
      ({ command }) => command === "001" || /^4[36]\d$/.test(command) || command === "ERROR",
      wait,
    );
    if (!/ 001 /.test(line)) throw new Error(`The server does not register ${options.nick}: ${line}`);
    await this.waitForLine(/ (376|422) /, wait);
  }

  async #signIn({ name, password }: { name: string; password: string }, wait: WaitOptions): Promise<void> {
    this.raw("AUTHENTICATE PLAIN");
    await this.waitForLine(/^(@\S+ )?AUTHENTICATE \+$/, wait);
    const blob = Buffer.from(`${name}\0${name}\0${password}`).toString("base64");
    for (let start = 0; start <= blob.length; start += 400)
      this.raw(`AUTHENTICATE ${blob.slice(start, start + 400) || "+"}`);
    const line = await this.waitForLine(/ 90[34578] /, wait);
    if (!line.includes(" 903 ")) throw new Error(`The server does not take the password of ${name}: ${line}`);
  }

  #whyClosed(missing: string): string {
    const why = this.#error === undefined ? "" : ` (${this.#error.message})`;
    return `The connection of ${this.#nick} closed${why} before ${missing}. Last line: ${this.lines.at(-1) ?? "none"}`;
  }

  #take(chunk: string): void {
    const pieces = (this.#partial + chunk).split("\r\n");
    this.#partial = pieces.pop() ?? "";
    for (const piece of pieces) this.#received(piece);
    this.#observers.changed();
  }

  #received(text: string): void {
    this.lines.push(text);
    if (this.lines.length > this.#remember) {
      const surplus = Math.ceil(this.#remember / 10);
      this.lines.splice(0, surplus);
      this.#dropped += surplus;
    }
    const line = parseLine(text);
    if (line !== undefined) this.#onLine?.(line);
    if (line?.command === "PING") this.raw(`PONG :${line.params.at(-1) ?? ""}`);
    if (line?.command === "NICK" && line.source?.startsWith(`${this.#nick}!`) === true)
      this.#nick = line.params[0] ?? this.#nick;
  }
}

function matches(match: LineMatch, text: string): boolean {
  if (typeof match === "string") return text.includes(match);
  if (match instanceof RegExp) return match.test(text);
  const line = parseLine(text);
  return line !== undefined && match(line, text);
}
