import { realServer } from "../support/servers/index.js";
import { synapseAndSlack } from "./synapse-slack.js";

const synapse = await realServer("synapse");
synapse.describe("Synapse and Slack over Socket Mode", (install) => synapseAndSlack(install, "socket"));
synapse.describe("Synapse and Slack over the Events API", (install) => synapseAndSlack(install, "http"));
