import { connect, type Socket } from "node:net";

/** An IRC client over a bare socket: it must cost less than what is measured with it. */
export class IrcSocket {
  readonly #socket: Socket;
  #rest = "";
  #awaited = new Map<string, () => void>();

  /** @param onLine called with every line but PING */
  constructor(
    port: number,
    readonly nick: string,
    capabilities: readonly string[],
    private readonly onLine: (line: string) => void,
    onClose: () => void = () => undefined,
  ) {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => this.#receive(chunk));
    // The close that follows says it all.
    socket.on("error", () => undefined);
    socket.on("close", onClose);
    const wanted = capabilities.length > 0 ? `CAP REQ :${capabilities.join(" ")}\r\nCAP END\r\n` : "";
    this.write(`${wanted}NICK ${nick}\r\nUSER bench 0 * :${nick}\r\n`);
  }

  write(lines: string): void {
    this.#socket.write(lines);
  }

  /** Resolves when the server has answered with this numeric, for the channel where one is given. */
  async numeric(code: string, channel = ""): Promise<void> {
    await new Promise<void>((resolve) => this.#awaited.set(`${code} ${channel}`, resolve));
  }

  async register(): Promise<void> {
    await this.numeric("001");
  }

  async join(channel: string): Promise<void> {
    const joined = this.numeric("366", channel);
    this.write(`JOIN ${channel}\r\n`);
    await joined;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: string): void {
    const lines = (this.#rest + chunk).split("\r\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("PING ")) this.write(`PONG ${line.slice(5)}\r\n`);
      else {
        if (this.#awaited.size > 0) this.#note(line);
        this.onLine(line);
      }
    }
  }

  #note(line: string): void {
    const [, code = "", , channel = ""] = line.split(" ");
    const key = code === "001" ? "001 " : `${code} ${channel}`;
    this.#awaited.get(key)?.();
    this.#awaited.delete(key);
  }
}
