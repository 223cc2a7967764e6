import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { type NetworkOptions, networkOn, RunningBridge } from "./running-bridge.js";

export type ServerOptions = NonNullable<Parameters<typeof IrcServer.start>[0]>;

export interface RoomWithCarol {
  readonly irc: IrcServer;
  readonly carol: IrcTestClient;
  readonly bridge: RunningBridge;
}

export interface RoomOptions {
  readonly server?: ServerOptions;
  /** What is configured of the network beside the usual. */
  readonly network?: NetworkOptions;
  /** The capabilities of carol's client. */
  readonly caps: readonly string[];
  /** Whether carol is in the room from the beginning; so where absent. */
  readonly isIn?: boolean;
}

/** A server with `#room` on it and carol in that, and a bridge whose bot is there. */
export async function roomWithCarol({ server, network, caps, isIn = true }: RoomOptions): Promise<RoomWithCarol> {
  const irc = await IrcServer.start(server);
  const carol = await IrcTestClient.connect({ port: irc.port, nick: "carol", caps });
  if (isIn) await carol.join("#room");
  const bridge = await RunningBridge.start({
    networks: [networkOn(irc.port, network)],
    channels: ["net/#room"],
    config: { onStop: "quit" },
  });
  return { irc, carol, bridge: await bridge.ready() };
}
