import type { Client } from "../client.js";
import { type Call, type Commands, param } from "../commands/command.js";
import { toBytes } from "../line.js";
import type { Network } from "../network.js";
import type { Exchange, Step } from "./exchange.js";
import { MECHANISMS } from "./mechanisms.js";
import { setAccount } from "./sign-in.js";

/** IRCv3 SASL: AUTHENTICATE, in chunks of 400 bytes. */
export const saslCommands: Commands = {
  AUTHENTICATE: { needs: 1, early: true, run: authenticate },
};

const CHUNK = 400;
const MOST_CHUNKS = 16;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)|[A-Za-z0-9+/]{3}=)?$/;

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
  } else if (!network.faults.saslStalls) {
    receive(network, client, client.sasl, text);
  }
}

function begin(network: Network, client: Client, name: string): void {
  const offered = network.mechanisms();
  const mechanism = offered.find((known) => known === name);
  if (mechanism === undefined) {
    network.reply(client, "908", [offered.join(",")], "are available SASL mechanisms");
    fail(network, client);
    return;
  }
  client.sasl = { mechanism: MECHANISMS[mechanism](network, client), chunks: [] };
  say(network, client, "+");
}

function receive(network: Network, client: Client, exchange: Exchange, text: string): void {
  if (text.length > CHUNK || exchange.chunks.length >= MOST_CHUNKS) {
    client.sasl = undefined;
    network.reply(client, "905", [], "SASL message too long");
    return;
  }
  if (text !== "+") exchange.chunks.push(text);
  if (text.length === CHUNK) return;
  const whole = exchange.chunks.join("");
  exchange.chunks = [];
  if (BASE64.test(whole)) take(network, client, exchange.mechanism.step(Buffer.from(whole, "base64")));
  else fail(network, client);
}

function take(network: Network, client: Client, step: Step): void {
  if (step.kind === "failed") {
    fail(network, client);
  } else if (step.kind === "challenge") {
    const text = step.data.toString("base64");
    for (let start = 0; start <= text.length; start += CHUNK)
      say(network, client, text.slice(start, start + CHUNK) || "+");
  } else {
    client.sasl = undefined;
    setAccount(network, client, toBytes(step.account));
    network.reply(client, "903", [], "SASL authentication successful");
  }
}

function fail(network: Network, client: Client): void {
  client.sasl = undefined;
  network.reply(client, "904", [], "SASL authentication failed");
}

const say = (network: Network, client: Client, text: string): void =>
  network.send(client, `AUTHENTICATE ${text}`, { at: network.now() });
