import { realServer, realServers } from "../support/servers/index.js";
import { startProsody } from "../support/servers/prosody.js";
import { synapseAndXmpp } from "./synapse-xmpp.js";

const servers = await realServers("synapse", "prosody", "slixmpp");
const clients = { goSendxmpp: await realServer("go-sendxmpp"), profanity: await realServer("profanity") };
servers.describe("Synapse and Prosody", (installs) =>
  synapseAndXmpp(installs, {
    start: (options) => startProsody(installs.prosody, { ...options, tls: true }),
    moderates: true,
    clients,
  }),
);
