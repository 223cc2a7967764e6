import type { NetworkSide, NetworkStage, PlaygroundNetwork } from "../network.js";
import { XmppSide } from "../xmpp-side.js";
import { domains, Prosody, secret } from "./prosody.js";

const ROOM = `trestle@${domains.rooms}`;
const PERSON = "bob";
const FRIEND = "dave";
/** Whoever joins in with a client of their own. */
const VISITOR = "visitor";

/** XMPP, with a Prosody from the machine: the bridge is a component of it. */
export const xmpp: PlaygroundNetwork = {
  connector: "xmpp",
  name: "XMPP",
  place: "an XMPP room",
  person: PERSON,
  friend: FRIEND,
  next: {
    command: "npx trestle init --bridge xmpp",
    text: "With a server of your own: bridges/xmpp/README.md has the lines for the configuration of Prosody and of ejabberd.",
  },
  open,
};

async function open({ port, directory, topic, tell, heard }: NetworkStage): Promise<NetworkSide> {
  const prosody = await Prosody.start({ port, directory, visitor: VISITOR });
  const { componentPort, clientPort } = prosody;
  const side = await XmppSide.start({
    componentPort,
    secret,
    domain: domains.page,
    bridgeDomain: domains.bridge,
    room: ROOM,
    person: PERSON,
    friend: FRIEND,
    topic,
    tell,
    heard,
  }).catch(async (error: unknown) => {
    await prosody.close();
    throw error;
  });
  return {
    channel: ROOM,
    link: ROOM,
    access: [
      `profanity: /connect ${VISITOR}@${domains.people} server 127.0.0.1 port ${clientPort} tls disable`,
      `profanity: /join ${ROOM}   (the password is ${VISITOR})`,
    ],
    bridge: { membership: "full" },
    settings: {
      port: componentPort,
      domain: domains.bridge,
      secret,
      reconnect: { min: 0.1, max: 2 },
    },
    get state() {
      return side.state;
    },
    say: (text, { emote } = {}) => side.say(text, emote),
    setTopic: (words) => side.setTopic(words),
    setFriend: (here) => side.setFriend(here),
    close: async () => {
      await side.close();
      await prosody.close();
    },
  };
}
