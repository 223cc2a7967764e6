import { realServers } from "../support/servers/index.js";
import { synapseAndXmpp } from "./synapse-xmpp.js";

const servers = await realServers("synapse", "prosody", "slixmpp");
servers.describe("Synapse and Prosody", ({ synapse, prosody, slixmpp }) => synapseAndXmpp(synapse, prosody, slixmpp));
