import { IrcServer } from "@trestle/testkit";
import { onFreePort } from "../free-port.js";
import { IrcSide } from "../irc-side.js";
import type { NetworkSide, NetworkStage, PlaygroundNetwork } from "../network.js";

const CHANNEL = "#trestle";
const NETWORK = "playground";
const PERSON = "bob";
const FRIEND = "dave";

/** IRC, with the test kit's server. */
export const irc: PlaygroundNetwork = {
  connector: "irc",
  name: "IRC",
  place: "an IRC channel",
  markup: "irc",
  person: PERSON,
  friend: FRIEND,
  open,
};

async function open({ port, topic, tell, heard }: NetworkStage): Promise<NetworkSide> {
  const server = await onFreePort(port, (free) =>
    IrcServer.start({
      port: free,
      network: "Playground",
      name: "irc.playground.localhost",
      motd: ["Welcome to the playground. /join #trestle"],
    }),
  );
  const { host } = server;
  const people = { host, port: server.port, person: PERSON, friend: FRIEND, channel: CHANNEL, topic, tell, heard };
  const side = await IrcSide.start(people).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  return {
    channel: CHANNEL,
    link: `${NETWORK}/${CHANNEL}`,
    access: [`/connect ${host} ${server.port}`, `/join ${CHANNEL}`],
    bridge: { membership: "full" },
    settings: {
      networks: [
        {
          name: NETWORK,
          host,
          port: server.port,
          tls: false,
          // The playground's own server takes any number of lines at once.
          flood: { burst: 1_000, linesPerSecond: 1_000 },
          connects: { burst: 100, perSecond: 100 },
        },
      ],
      grace: 30,
      onStop: "quit",
    },
    get state() {
      return side.state;
    },
    say: (text, { emote } = {}) => side.say(text, emote),
    setTopic: (words) => side.setTopic(words),
    toggleReaction: (id, key) => side.toggleReaction(id, key),
    remove: (id) => side.remove(id),
    setFriend: (here) => side.setFriend(here),
    close: async () => {
      await side.close();
      await server.stop();
    },
  };
}
