import { closeClient } from "../closing.js";
import { command } from "../services/service.js";
import { type Call, type Commands, param } from "./command.js";

export const sessionCommands: Commands = {
  PING: { needs: 0, early: true, run: ping },
  PONG: { needs: 0, early: true, run: () => undefined },
  QUIT: { needs: 0, early: true, run: quit },
  AWAY: { needs: 0, run: away },
  SETNAME: { needs: 1, run: setname },
  NS: { needs: 1, run: nickserv },
  NICKSERV: { needs: 1, run: nickserv },
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

/** AWAY, with `away-notify`. */
function away({ client, network, params }: Call): void {
  const text = (params[0] ?? "").slice(0, network.settings.limits.away);
  client.away = text === "" ? undefined : text;
  if (client.away === undefined) network.reply(client, "305", [], "You are no longer marked as being away");
  else network.reply(client, "306", [], "You have been marked as being away");
  network.notify(client, "away-notify", "AWAY", client.away === undefined ? [] : [client.away], { self: false });
}

/** SETNAME of the capability `setname`. */
function setname(call: Call): void {
  const { client, network } = call;
  const realname = param(call, 0);
  if (realname === "" || realname.length > network.settings.limits.realname) {
    network.standard(client, "FAIL", ["SETNAME", "INVALID_REALNAME"], "Realname is not valid");
    return;
  }
  client.realname = realname;
  network.notify(client, "setname", "SETNAME", [realname], { self: true });
}

/** The command that stands for a message to NickServ, which nobody else can read. */
function nickserv({ client, network, line, params }: Call): void {
  if (network.services) command(network, client, params.join(" "));
  else network.reply(client, "421", [line.command], "Unknown command");
}
