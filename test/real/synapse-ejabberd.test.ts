import { startEjabberd } from "../support/servers/ejabberd.js";
import { realServers } from "../support/servers/index.js";
import { synapseAndXmpp } from "./synapse-xmpp.js";

const servers = await realServers("synapse", "ejabberd", "slixmpp");
servers.describe("Synapse and ejabberd", (installs) =>
  synapseAndXmpp(installs, {
    start: (options) => startEjabberd(installs.ejabberd, options),
    // Not of 23.01.
    moderates: false,
  }),
);
