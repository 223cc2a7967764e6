import { checkbox, confirm, input } from "@inquirer/prompts";
import { includedConnectors } from "../connectors.js";
import { askNetwork } from "./network-questions.js";
import type { BridgeAnswers, InitAnswers } from "./plan.js";

/** What flags have given already; it is not asked. */
export type GivenAnswers = { readonly [Key in keyof InitAnswers]?: InitAnswers[Key] | undefined } & {
  readonly config: string;
};

const isUrl = (text: string): true | string =>
  /^https?:\/\/\S+$/.test(text) || "Expected a URL such as http://localhost:8008";
const isServerName = (text: string): true | string =>
  /^[A-Za-z0-9.\-:[\]]+$/.test(text) || "Expected a name such as example.org";
const isUser = (text: string): true | string =>
  text === "" || /^@[^:\s]+:\S+$/.test(text) || "Expected a user id such as @me:example.org";

/** Asks a person for what is not given. */
export async function askQuestions(given: GivenAnswers): Promise<InitAnswers> {
  const serverName =
    given.serverName ??
    (await input({ message: "The homeserver's name (behind the colon in user ids)", validate: isServerName }));
  const homeserverUrl =
    given.homeserverUrl ??
    (await input({ message: "The homeserver's address", default: "http://localhost:8008", validate: isUrl }));
  const listen = given.listen ?? (await askListen());
  const url =
    given.url ??
    (await input({
      message: "The address at which the homeserver reaches Trestle",
      default: `http://localhost:${listen.port}`,
      validate: isUrl,
    }));
  const admin =
    given.admins === undefined
      ? await input({
          message: "Your user id (you may then link rooms)",
          default: `@admin:${serverName}`,
          validate: isUser,
        })
      : "";
  const admins = given.admins ?? (admin === "" ? [] : [admin]);
  const bridges = given.bridges === undefined ? await askBridges() : await askRest(given.bridges);
  return { config: given.config, serverName, homeserverUrl, listen, url, admins, bridges };
}

async function askListen(): Promise<InitAnswers["listen"]> {
  const same = await confirm({
    message: "Does the homeserver run on this machine (and not in a container)?",
    default: true,
  });
  return { host: same ? "127.0.0.1" : "0.0.0.0", port: 9993 };
}

async function askBridges(): Promise<BridgeAnswers[]> {
  const connectors = await checkbox({
    message: "Which networks shall be bridged?",
    choices: includedConnectors.map((value, index) => ({ value, checked: index === 0 })),
    required: true,
  });
  const bridges: BridgeAnswers[] = [];
  for (const connector of connectors) bridges.push(await askBridge(connector));
  return bridges;
}

/** Of bridges that were named, what their networks need. */
async function askRest(given: readonly BridgeAnswers[]): Promise<BridgeAnswers[]> {
  const bridges: BridgeAnswers[] = [];
  for (const bridge of given) {
    const network = bridge.network ?? (await askNetwork(bridge.connector));
    bridges.push({ ...bridge, ...(network !== undefined && { network }) });
  }
  return bridges;
}

async function askBridge(connector: string): Promise<BridgeAnswers> {
  const prefix = await input({
    message: `What do the user ids of people from ${connector} begin with?`,
    default: `${connector}_`,
    validate: (text) => /^[a-z0-9._=\-/+]+$/.test(text) || "Expected some of a-z 0-9 . _ = - / +",
  });
  const botLocalpart = await input({ message: "What is the bridge's bot called?", default: `${connector}bot` });
  const network = await askNetwork(connector);
  return { name: connector, connector, prefix, botLocalpart, ...(network !== undefined && { network }) };
}
