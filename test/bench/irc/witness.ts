import { channelName, puppetSuffix } from "./api.js";
import { IrcSocket } from "./irc-socket.js";

/** Somebody in every channel, who sees which puppets are there and what they say. */
export class Witness {
  #socket: IrcSocket | undefined;
  /** `channel nick` of every puppet in a channel. */
  readonly #seen = new Set<string>();

  constructor(
    private readonly port: number,
    private readonly channels: number,
    /** Called with the channel and the text of what puppets say. */
    private readonly onText: (channel: string, text: string) => void,
  ) {}

  get puppets(): number {
    return this.#seen.size;
  }

  /** Enters every channel, also after the server was away. */
  async enter(): Promise<void> {
    this.#seen.clear();
    const socket = new IrcSocket(this.port, "witness", [], (line) => this.#take(line));
    this.#socket = socket;
    await socket.register();
    await Promise.all(Array.from({ length: this.channels }, (_, channel) => socket.join(channelName(channel))));
  }

  close(): void {
    this.#socket?.close();
  }

  #take(line: string): void {
    const [source = "", command = "", target = "", second = "", third = ""] = line.split(" ", 5);
    const nick = source.slice(1, source.indexOf("!"));
    if (command === "353") {
      const names = line.slice(line.indexOf(" :", 1) + 2).split(" ");
      for (const name of names) this.#note(third === "" ? second : third, name.replace(/^[~&@%+!]+/, ""));
    } else if (command === "JOIN") this.#note(target.replace(/^:/, ""), nick);
    else if (command === "PART") this.#seen.delete(`${target} ${nick}`);
    else if (command === "QUIT") {
      for (let channel = 0; channel < this.channels; channel++) this.#seen.delete(`${channelName(channel)} ${nick}`);
    } else if (command === "PRIVMSG" && nick.endsWith(puppetSuffix))
      this.onText(target, line.slice(line.indexOf(" :", 1) + 2));
  }

  #note(channel: string, nick: string): void {
    if (nick.endsWith(puppetSuffix)) this.#seen.add(`${channel} ${nick}`);
  }
}
