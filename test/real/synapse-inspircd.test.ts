import { startInspircd } from "../support/servers/inspircd.js";
import { realServers } from "../support/servers/index.js";
import { synapseAndIrc } from "./synapse-irc.js";

const servers = await realServers("synapse", "inspircd");
servers.describe("Synapse and InspIRCd", ({ synapse, inspircd }) =>
  synapseAndIrc(synapse, { start: () => startInspircd(inspircd), echoes: true }),
);
