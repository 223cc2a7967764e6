import { connect, type Socket } from "node:net";
import { waitFor } from "../tools/wait.js";

const reconnectMs = 50;

/** A person on IRC over a bare socket: comes back when the connection is lost, and remembers every line. */
export class IrcClient {
  #socket: Socket | undefined;
  #rest = "";
  #joined = new Set<string>();
  #closed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly port: number,
    readonly nick: string,
    private readonly channels: readonly string[],
    private readonly onLine: (line: IrcLine) => void = () => undefined,
  ) {
    this.#connect();
  }

  get present(): boolean {
    return this.#joined.size === this.channels.length;
  }

  async whenPresent(timeoutMs = 10_000): Promise<void> {
    await waitFor(`${this.nick} to be in ${this.channels.join(", ")}`, timeoutMs, () => this.present, 10);
  }

  /** Whether the line was handed to the connection. */
  say(channel: string, text: string, action = false): boolean {
    if (!this.present) return false;
    this.#write(`PRIVMSG ${channel} :${action ? `\u0001ACTION ${text}\u0001` : text}`);
    return true;
  }

  /** Sends a line as it is. */
  ask(line: string): void {
    this.#write(line);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  #connect(): void {
    const socket = connect({ port: this.port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    this.#rest = "";
    this.#joined = new Set();
    socket.setEncoding("utf8");
    socket.on("connect", () => {
      this.#write(`NICK ${this.nick}`);
      this.#write(`USER ${this.nick} 0 * :${this.nick}`);
    });
    socket.on("data", (chunk: string) => this.#receive(chunk));
    // The close that follows says it all.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#joined = new Set();
      if (!this.#closed) this.#retry = setTimeout(() => this.#connect(), reconnectMs);
    });
  }

  #write(line: string): void {
    this.#socket?.write(`${line}\r\n`);
  }

  #receive(chunk: string): void {
    const lines = (this.#rest + chunk).split("\r\n");
    this.#rest = lines.pop() ?? "";
    for (const text of lines) this.#take(parseLine(text));
  }

  #take(line: IrcLine): void {
    if (line.command === "PING") this.#write(`PONG :${line.parameters.at(-1) ?? ""}`);
    else if (line.command === "001") for (const channel of this.channels) this.#write(`JOIN ${channel}`);
    else if (line.command === "366") this.#joined.add(line.parameters[1] ?? "");
    else if (line.command === "433") this.#socket?.destroy();
    this.onLine(line);
  }
}

export interface IrcLine {
  readonly nick: string;
  readonly command: string;
  readonly parameters: readonly string[];
}

function parseLine(text: string): IrcLine {
  const match = /^(?:@\S+ +)?(?::(\S+) +)?(\S+)(.*)$/.exec(text);
  const [, source = "", command = "", tail = ""] = match ?? [];
  const colon = tail.indexOf(" :");
  const middle = (colon < 0 ? tail : tail.slice(0, colon)).split(" ").filter((part) => part !== "");
  return {
    nick: source.split("!")[0] ?? "",
    command,
    parameters: colon < 0 ? middle : [...middle, tail.slice(colon + 2)],
  };
}
