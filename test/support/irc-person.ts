import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { within } from "./bounded.js";
import { Inbox } from "./inbox.js";
import { parseIrcLine, type IrcLine } from "./irc-line.js";

export interface IrcPersonOptions {
  readonly host?: string;
  readonly port: number;
  readonly nick: string;
  /** The authority that the server's certificate must come from; with it the connection uses TLS. */
  readonly ca?: string;
  /** Capabilities that are requested where the server offers them. */
  readonly capabilities?: readonly string[];
}

/** Something said in a channel or to a person. */
export interface IrcUtterance {
  readonly kind: "text" | "action" | "notice" | "tags";
  readonly from: string;
  readonly target: string;
  /** With formatting codes; empty for `tags`. */
  readonly text: string;
  readonly tags: ReadonlyMap<string, string>;
}

const WAIT = 15_000;

/** A person on a real IRC server, speaking the protocol over a socket of their own: nothing of the bridge's client is in it. */
export class IrcPerson {
  readonly #socket: Socket;
  readonly #inbox: Inbox<IrcLine>;
  #buffer = "";
  #barriers = 0;
  #nick: string;

  private constructor(socket: Socket, nick: string) {
    this.#socket = socket;
    this.#nick = nick;
    this.#inbox = new Inbox(
      `${nick} on IRC`,
      (line) => `${line.nick} ${line.command} ${line.params.map((param) => JSON.stringify(param)).join(" ")}`,
    );
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => this.#read(chunk.toString()));
    socket.on("error", (error) => this.#inbox.close(error.message));
    socket.on("close", () => this.#inbox.close("the server closed the connection"));
  }

  /** Resolves when registered. */
  static async connect(options: IrcPersonOptions): Promise<IrcPerson> {
    const {
      host = "127.0.0.1",
      port,
      nick,
      ca,
      capabilities = ["message-tags", "server-time", "echo-message"],
    } = options;
    const socket =
      ca === undefined ? connectTcp({ host, port }) : connectTls({ host, port, ca, servername: "localhost" });
    const person = new IrcPerson(socket, nick);
    try {
      await within(
        WAIT,
        `a connection to IRC on port ${port}`,
        new Promise<void>((resolve, reject) => {
          socket.once(ca === undefined ? "connect" : "secureConnect", () => resolve());
          socket.once("error", reject);
        }),
      );
      await person.#register(capabilities);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return person;
  }

  get nick(): string {
    return this.#nick;
  }

  /** What keeps the connection from being used, while it is closed. */
  get closed(): string | undefined {
    return this.#inbox.closed;
  }

  /** Sends a line as it is. */
  send(line: string): void {
    if (/[\r\n\0]/.test(line)) throw new Error(`An IRC line may not contain a line break: ${JSON.stringify(line)}`);
    this.#socket.write(`${line}\r\n`);
  }

  say(target: string, text: string): void {
    this.send(`PRIVMSG ${target} :${text}`);
  }

  notice(target: string, text: string): void {
    this.send(`NOTICE ${target} :${text}`);
  }

  action(target: string, text: string): void {
    this.send(`PRIVMSG ${target} :\u0001ACTION ${text}\u0001`);
  }

  /** Resolves when all names of the channel have come. */
  async join(channel: string): Promise<void> {
    this.send(`JOIN ${channel}`);
    await this.waitForLine(
      `the names of ${channel}`,
      (line) => line.command === "366" && same(line.params[1], channel),
    );
  }

  async part(channel: string, reason = ""): Promise<void> {
    this.send(`PART ${channel} :${reason}`);
    await this.waitForLine(
      `the own part of ${channel}`,
      (line) => line.command === "PART" && line.nick === this.#nick && same(line.params[0], channel),
    );
  }

  async topic(channel: string, topic: string): Promise<void> {
    this.send(`TOPIC ${channel} :${topic}`);
    await this.waitForLine(
      `the topic of ${channel}`,
      (line) => line.command === "TOPIC" && line.nick === this.#nick && line.params[1] === topic,
    );
  }

  async rename(nick: string): Promise<void> {
    this.send(`NICK ${nick}`);
    await this.waitForLine(`the own change to ${nick}`, (line) => line.command === "NICK" && line.params[0] === nick);
  }

  kick(channel: string, nick: string, reason: string): void {
    this.send(`KICK ${channel} ${nick} :${reason}`);
  }

  /** Who is in a channel now, without the signs of their rank. */
  async names(channel: string): Promise<readonly string[]> {
    const from = this.#inbox.items.length;
    this.send(`NAMES ${channel}`);
    await this.#inbox.wait(`the names of ${channel}`, WAIT, () =>
      this.#inbox.items.slice(from).find((line) => line.command === "366"),
    );
    const listed = this.#inbox.items
      .slice(from)
      .filter((line) => line.command === "353" && same(line.params[2], channel));
    return listed
      .flatMap((line) => (line.params[3] ?? "").split(" "))
      .filter((name) => name !== "")
      .map((name) => name.replace(/^[~&@%+!]+/, ""));
  }

  /** The first line, already there or to come, that was not waited for before and for which `accepts` is true. */
  async waitForLine(what: string, accepts: (line: IrcLine) => boolean, milliseconds = WAIT): Promise<IrcLine> {
    return this.#inbox.take(what, milliseconds, accepts);
  }

  /** The same for what somebody said. */
  async waitForUtterance(
    what: string,
    accepts: (utterance: IrcUtterance) => boolean,
    milliseconds = WAIT,
  ): Promise<IrcUtterance> {
    const line = await this.waitForLine(
      what,
      (candidate) => {
        const said = utterance(candidate);
        return said !== undefined && said.from !== this.#nick && accepts(said);
      },
      milliseconds,
    );
    const said = utterance(line);
    if (said === undefined) throw new Error("A line that was an utterance is none any more.");
    return said;
  }

  /** Waits until `count` utterances of others for which `accepts` is true have come; all that have. */
  async waitForCount(
    count: number,
    what: string,
    accepts: (utterance: IrcUtterance) => boolean,
    milliseconds = WAIT,
  ): Promise<readonly IrcUtterance[]> {
    return this.#inbox.wait(`${count} of ${what}`, milliseconds, () => {
      const all = this.utterances().filter(accepts);
      return all.length >= count ? all : undefined;
    });
  }

  /** All lines so far that are like this, in order. */
  lines(accepts: (line: IrcLine) => boolean): readonly IrcLine[] {
    return this.#inbox.items.filter(accepts);
  }

  /** All that others said since the connection began, in order. */
  utterances(): readonly IrcUtterance[] {
    return this.#inbox.items.flatMap((line) => utterance(line) ?? []).filter((said) => said.from !== this.#nick);
  }

  /** Asks the server for a sign of life: when it answers, all that was sent before has been taken. */
  async barrier(): Promise<void> {
    const token = `barrier-${++this.#barriers}`;
    this.send(`PING ${token}`);
    await this.waitForLine("an answer to PING", (line) => line.command === "PONG" && line.params.includes(token));
  }

  /** Leaves and waits for the end of the connection. */
  async quit(reason = "bye"): Promise<void> {
    if (this.closed !== undefined) return;
    this.send(`QUIT :${reason}`);
    try {
      await this.#inbox.wait("the end of the connection", 3_000, () => (this.closed === undefined ? undefined : true));
    } finally {
      this.#socket.destroy();
    }
  }

  async #register(capabilities: readonly string[]): Promise<void> {
    this.send("CAP LS 302");
    this.send(`NICK ${this.#nick}`);
    this.send(`USER ${this.#nick.replace(/[^A-Za-z0-9]/g, "").slice(0, 9) || "person"} 0 * :${this.#nick}`);
    // A server without CAP answers 421, or goes on to 001 by itself.
    const answer = await this.waitForLine(
      "an answer to CAP LS",
      (line) =>
        (line.command === "CAP" && line.params[1] === "LS" && line.params[2] !== "*") ||
        line.command === "421" ||
        line.command === "001",
    );
    if (answer.command === "CAP") {
      const offered = new Set(
        this.#inbox.items
          .filter((line) => line.command === "CAP")
          .flatMap((line) => (line.params.at(-1) ?? "").split(" ").map((word) => word.split("=")[0])),
      );
      const wanted = capabilities.filter((capability) => offered.has(capability));
      if (wanted.length > 0) {
        this.send(`CAP REQ :${wanted.join(" ")}`);
        await this.waitForLine(
          "an answer to CAP REQ",
          (line) => line.command === "CAP" && (line.params[1] === "ACK" || line.params[1] === "NAK"),
        );
      }
      this.send("CAP END");
    }
    if (answer.command === "001") return;
    const welcome = await this.waitForLine("the welcome", (line) =>
      ["001", "433", "432", "ERROR"].includes(line.command),
    );
    if (welcome.command !== "001") throw new Error(`IRC refused the nick ${this.#nick}: ${welcome.params.join(" ")}`);
  }

  #read(chunk: string): void {
    const parts = (this.#buffer + chunk).split("\n");
    this.#buffer = parts.pop() ?? "";
    for (const part of parts) this.#take(parseIrcLine(part.replace(/\r$/, "")));
  }

  #take(line: IrcLine): void {
    if (line.command === "PING") this.send(`PONG :${line.params[0] ?? ""}`);
    if (line.command === "NICK" && line.nick === this.#nick) this.#nick = line.params[0] ?? this.#nick;
    this.#inbox.push(line);
    if (line.command === "ERROR") this.#inbox.close(line.params.join(" "));
  }
}

function utterance(line: IrcLine): IrcUtterance | undefined {
  const [target = "", body = ""] = line.params;
  const base = { from: line.nick, target, tags: line.tags };
  if (line.command === "TAGMSG") return { ...base, kind: "tags", text: "" };
  if (line.command === "NOTICE") return line.nick.includes(".") ? undefined : { ...base, kind: "notice", text: body };
  if (line.command !== "PRIVMSG") return undefined;
  // eslint-disable-next-line no-control-regex -- CTCP is delimited by this character.
  const action = /^\u0001ACTION ?([^\u0001]*)\u0001?$/.exec(body);
  return action ? { ...base, kind: "action", text: action[1] ?? "" } : { ...base, kind: "text", text: body };
}

function same(left: string | undefined, right: string): boolean {
  return left?.toLowerCase() === right.toLowerCase();
}
