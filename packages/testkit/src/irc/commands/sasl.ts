import type { Client } from "../client.js";
import { fromBytes } from "../line.js";
import type { Network } from "../network.js";
import { type Call, type Commands, param } from "./command.js";

export const saslCommands: Commands = {
  AUTHENTICATE: { needs: 1, early: true, run: authenticate },
};

const CHUNK = 400;
const LONGEST = 16 * CHUNK;

function authenticate(call: Call): void {
  const { client, network } = call;
  const text = param(call, 0);
  if (!client.has("sasl")) {
    network.reply(client, "904", [], "SASL authentication failed");
  } else if (text === "*") {
    client.sasl = undefined;
    network.reply(client, "906", [], "SASL authentication aborted");
  } else if (client.sasl === undefined) {
    begin(network, client, text.toUpperCase());
  } else {
    receive(network, client, client.sasl.chunks, text);
  }
}

function begin(network: Network, client: Client, mechanism: string): void {
  if (mechanism !== "PLAIN") {
    network.reply(client, "908", ["PLAIN"], "are available SASL mechanisms");
    network.reply(client, "904", [], "SASL authentication failed");
    return;
  }
  client.sasl = { mechanism, chunks: [] };
  network.send(client, "AUTHENTICATE +", { at: Date.now() });
}

function receive(network: Network, client: Client, chunks: string[], text: string): void {
  if (text.length > CHUNK || chunks.length * CHUNK >= LONGEST) {
    client.sasl = undefined;
    network.reply(client, "905", [], "SASL message too long");
    return;
  }
  if (text !== "+") chunks.push(text);
  if (text.length === CHUNK) return;
  client.sasl = undefined;
  const [authorize, name, password] = Buffer.from(chunks.join(""), "base64").toString("utf8").split("\0");
  const known = name !== undefined && network.settings.accounts.get(name) === password && password !== undefined;
  if (name === undefined || !known || (authorize !== "" && authorize !== name)) {
    network.reply(client, "904", [], "SASL authentication failed");
    return;
  }
  setAccount(network, client, Buffer.from(name, "utf8").toString("latin1"));
  network.reply(client, "903", [], "SASL authentication successful");
}

/** Signs a client in or out and tells those who asked to know. */
export function setAccount(network: Network, client: Client, account: string | undefined): void {
  client.account = account;
  if (account === undefined) {
    network.reply(client, "901", [client.mask], "You are now logged out");
  } else {
    network.reply(client, "900", [client.mask, account], `You are now logged in as ${fromBytes(account)}`);
  }
  if (!client.registered) return;
  const to = [...network.audienceOf(client)].filter((other) => other.has("account-notify"));
  network.relay(client.mask, "ACCOUNT", [account ?? "*"], { to, stamp: network.stampOf(client) });
}
