import { join } from "node:path";
import { z } from "zod";
import { inRepository } from "../tools/paths.js";
import { InspircdWitnessed } from "./inspircd-witnessed.js";
import { ServerProcess } from "./server-process.js";

export const ircServers = ["kit", "inspircd"] as const;
export type IrcServerName = (typeof ircServers)[number];

const channelView = z.object({
  log: z.array(z.object({ from: z.string(), command: z.string(), text: z.string(), at: z.number() })),
  members: z.array(z.string()),
});
export type ChannelView = z.output<typeof channelView>;
export type ChannelLine = ChannelView["log"][number];

/** An IRC server without flood rules, and what was said in its channels, in their order. */
export interface IrcServer {
  /** Where people connect. */
  readonly port: number;
  /** Where the bridge connects: nothing that it says there is missed. */
  readonly bridgePort: number;
  /** What was said in a channel, without the first `after` lines, and who is in it. */
  channel(name: string, after: number): Promise<ChannelView>;
  /** Ends the server; everybody's connection is closed. */
  halt(): Promise<void>;
  /** Starts it again on the same ports; resolves when the bridge can connect. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** @param without capabilities that it does not offer */
export function startIrcServer(
  name: IrcServerName,
  channels: readonly string[],
  without: readonly string[],
  directory: string,
): Promise<IrcServer> {
  return name === "kit" ? KitServer.start(without, directory) : InspircdWitnessed.start(channels, without);
}

/** The test kit's server, which tells what it saw itself. */
class KitServer implements IrcServer {
  private constructor(private readonly process: ServerProcess) {}

  static async start(without: readonly string[], directory: string): Promise<KitServer> {
    const args = without.flatMap((capability) => ["--without", capability]);
    const log = join(directory, "irc.log");
    return new KitServer(await ServerProcess.start(inRepository("packages/testkit/dist/irc/main.js"), args, log));
  }

  get port(): number {
    return this.process.port;
  }

  get bridgePort(): number {
    return this.process.port;
  }

  async channel(name: string, after: number): Promise<ChannelView> {
    return channelView.parse(
      await this.process.control("GET", `channel?name=${encodeURIComponent(name)}&after=${after}`),
    );
  }

  async halt(): Promise<void> {
    await this.process.control("POST", "stop");
  }

  async resume(): Promise<void> {
    await this.process.control("POST", "start");
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}
