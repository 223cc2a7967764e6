import { closeClient } from "../closing.js";
import { type Call, type Commands, param } from "./command.js";

export const sessionCommands: Commands = {
  PING: { needs: 0, early: true, run: ping },
  PONG: { needs: 0, early: true, run: () => undefined },
  QUIT: { needs: 0, early: true, run: quit },
  AWAY: { needs: 0, run: away },
  SETNAME: { needs: 1, run: setname },
};

function ping({ client, network, params }: Call): void {
  const token = params[0] ?? "";
  if (token === "") network.reply(client, "409", [], "No origin specified");
  else network.say(client, "PONG", [network.settings.name, token]);
}

function quit({ client, network, params }: Call): void {
  const reason = params[0] ?? "";
  closeClient(network, client, reason === "" ? "Client exited" : `Quit: ${reason}`);
}

function away({ client, network, params }: Call): void {
  const text = (params[0] ?? "").slice(0, network.settings.limits.away);
  client.away = text === "" ? undefined : text;
  if (client.away === undefined) network.reply(client, "305", [], "You are no longer marked as being away");
  else network.reply(client, "306", [], "You have been marked as being away");
  const to = [...network.audienceOf(client)].filter((other) => other !== client && other.has("away-notify"));
  network.relay(client.mask, "AWAY", client.away === undefined ? [] : [client.away], {
    to,
    stamp: network.stampOf(client),
  });
}

function setname(call: Call): void {
  const { client, network } = call;
  const realname = param(call, 0);
  if (realname === "" || realname.length > network.settings.limits.realname) {
    network.say(client, "FAIL", ["SETNAME", "INVALID_REALNAME", "Realname is not valid"]);
    return;
  }
  client.realname = realname;
  const to = [...network.audienceOf(client)].filter((other) => other.has("setname"));
  network.relay(client.mask, "SETNAME", [realname], { to, stamp: network.stampOf(client) });
}
