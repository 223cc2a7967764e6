import { SlackEmulator, type SlackEmulatorOptions } from "@trestle/slack-emulator";
import { onFreePort } from "../free-port.js";
import type { NetworkSide, NetworkStage, PlaygroundNetwork } from "../network.js";
import { SlackSide } from "../slack-side.js";

const WORKSPACE = "playground";
const CHANNEL = "trestle";
const PERSON = "bob";
const FRIEND = "dave";
/** Somebody for whom a person at a terminal posts. */
const VISITOR = "eve";
const BRIDGE_APP = "Trestle";
const VISITOR_APP = "Terminal";

/** Slack, with the emulator: one workspace, and the bridge's app in it over Socket Mode. */
export const slack: PlaygroundNetwork = {
  connector: "slack",
  name: "Slack",
  place: "a Slack channel",
  markup: "slack",
  person: PERSON,
  friend: FRIEND,
  // Slack takes one message a second in a channel, and the bridge keeps to that here too.
  runTotal: 30,
  next: {
    command: "npx trestle init --bridge slack",
    text: "With a workspace of your own: make the app from bridges/slack/manifest.yaml; bridges/slack/README.md has every step.",
  },
  open,
};

async function open({ port, topic, tell, heard }: NetworkStage): Promise<NetworkSide> {
  const slack = await onFreePort(port, (free) => SlackEmulator.start({ port: free, ...emulated(topic) }));
  const workspace = slack.workspace(WORKSPACE);
  const app = slack.app(BRIDGE_APP);
  const side = new SlackSide({
    workspace,
    channel: CHANNEL,
    person: PERSON,
    friend: FRIEND,
    app: app.id,
    tell,
    heard,
  });
  const { id } = workspace.channel(CHANNEL);
  return {
    channel: `#${CHANNEL}`,
    link: `${workspace.id}/${id}`,
    threads: true,
    access: [
      `curl ${slack.apiUrl}chat.postMessage -H 'authorization: Bearer ${slack.app(VISITOR_APP).userToken(WORKSPACE, VISITOR)}' -d channel=${id} -d text=hello`,
    ],
    bridge: { membership: "full" },
    settings: { apiUrl: slack.apiUrl, appToken: app.appToken, workspaces: [{ botToken: app.botToken() }] },
    get state() {
      return side.state;
    },
    say: (text, options) => side.say(text, options),
    edit: (ts, text) => side.edit(ts, text),
    remove: (ts) => side.remove(ts),
    toggleReaction: (ts, key) => side.toggleReaction(ts, key),
    setTopic: (text) => side.setTopic(text),
    setFriend: (here) => side.setFriend(here),
    close: async () => {
      side.close();
      await slack.stop();
    },
  };
}

/** What the emulator starts with. */
function emulated(topic: string): SlackEmulatorOptions {
  return {
    workspaces: [
      {
        domain: WORKSPACE,
        name: "Playground",
        users: [
          { name: PERSON, displayName: PERSON, admin: true },
          { name: FRIEND, displayName: FRIEND },
          { name: VISITOR, displayName: VISITOR },
        ],
        channels: [{ name: CHANNEL, topic, members: [PERSON, VISITOR] }],
      },
    ],
    apps: [
      { name: BRIDGE_APP, installations: [{ workspace: WORKSPACE, channels: [CHANNEL] }] },
      {
        name: VISITOR_APP,
        botEvents: [],
        userEvents: [],
        installations: [{ workspace: WORKSPACE, users: [VISITOR] }],
      },
    ],
  };
}
