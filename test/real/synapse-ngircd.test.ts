import { realServers } from "../support/servers/index.js";
import { startNgircd } from "../support/servers/ngircd.js";
import { synapseAndIrc } from "./synapse-irc.js";

const servers = await realServers("synapse", "ngircd");
servers.describe("Synapse and ngIRCd", ({ synapse, ngircd }) =>
  synapseAndIrc(synapse, { start: () => startNgircd(ngircd), echoes: false }),
);
