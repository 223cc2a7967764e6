import { freePort } from "../tools/free-port.js";
import { waitFor } from "../tools/wait.js";
import { findInspircd, startInspircd } from "../support/servers/inspircd.js";
import type { LaunchedServer } from "../support/servers/launched-server.js";
import { IrcClient, type IrcLine } from "./irc-client.js";
import type { ChannelLine, ChannelView, IrcServer } from "./irc-server.js";

/** The module that offers a capability. */
const modules: Readonly<Record<string, string>> = {
  "echo-message": "ircv3_echomessage",
  "labeled-response": "ircv3_labeledresponse",
};
const namesWithinMs = 10_000;

/**
 * InspIRCd with a witness in every channel, since it keeps no record itself: it delivers what is said in a channel to
 * all in it in one order. The bridge has a port of its own that opens only when the witness is in all channels, so that
 * nothing is said behind its back.
 */
export class InspircdWitnessed implements IrcServer {
  readonly #logs = new Map<string, ChannelLine[]>();
  readonly #asking = new Map<string, string[]>();
  readonly #listed = new Map<string, readonly string[]>();
  readonly #witness: IrcClient;

  private constructor(
    private readonly server: LaunchedServer,
    readonly bridgePort: number,
    channels: readonly string[],
  ) {
    for (const channel of channels) this.#logs.set(channel, []);
    this.#witness = new IrcClient(server.port, "witness", channels, (line) => this.#hear(line));
  }

  static async start(channels: readonly string[], without: readonly string[]): Promise<InspircdWitnessed> {
    const found = findInspircd();
    if (!found.found) throw new Error(`${found.reason}; ${found.cure} installs it`);
    const left = without.map((capability) => modules[capability] ?? capability);
    const server = await startInspircd(found.install, { without: left });
    const witnessed = new InspircdWitnessed(server, await freePort(), channels);
    await witnessed.#openForBridge();
    return witnessed;
  }

  get port(): number {
    return this.server.port;
  }

  async channel(name: string, after: number): Promise<ChannelView> {
    const members = await this.#members(name);
    return { log: (this.#logs.get(name) ?? []).slice(after), members: [...members] };
  }

  /** With SIGTERM: what it has taken it still sends to the witness too. */
  async halt(): Promise<void> {
    await this.server.shutdown();
  }

  async resume(): Promise<void> {
    await this.server.configure("");
    await this.server.start();
    await this.#openForBridge();
  }

  async stop(): Promise<void> {
    this.#witness.close();
    await this.server.stop();
  }

  async #openForBridge(): Promise<void> {
    await this.#witness.whenPresent();
    await this.server.configure(`<bind address="127.0.0.1" port="${this.bridgePort}" type="clients">\n`);
    await this.server.reload(this.bridgePort);
  }

  /** Asks who is in a channel; all that was said before the answer has been heard by then. Nobody while it is down. */
  async #members(channel: string): Promise<readonly string[]> {
    this.#listed.delete(channel);
    if (!this.#witness.present) return [];
    this.#witness.ask(`NAMES ${channel}`);
    const listed = () => (this.#witness.present ? this.#listed.get(channel) : []);
    return waitFor(`the names of ${channel}`, namesWithinMs, listed, 2);
  }

  #hear({ nick, command, parameters }: IrcLine): void {
    if (command === "PRIVMSG" || command === "NOTICE")
      this.#logs.get(parameters[0] ?? "")?.push({ from: nick, command, text: parameters.at(-1) ?? "", at: Date.now() });
    else if (command === "353") {
      const channel = parameters[2] ?? "";
      const names = (parameters.at(-1) ?? "").split(" ").map((name) => name.replace(/^[~&@%+!]+/, ""));
      this.#asking.set(channel, [...(this.#asking.get(channel) ?? []), ...names]);
    } else if (command === "366") {
      const channel = parameters[1] ?? "";
      this.#listed.set(channel, this.#asking.get(channel) ?? []);
      this.#asking.delete(channel);
    }
  }
}
