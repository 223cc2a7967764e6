import { isIP } from "node:net";
import { closeClient } from "../closing.js";
import { type Call, type Commands, param } from "./command.js";

/** WEBIRC: a gateway says whom a connection is from. It must be the first line. */
export const webircCommands: Commands = {
  WEBIRC: { needs: 4, early: true, run: webirc },
};

function webirc(call: Call): void {
  const { client, network } = call;
  const { webirc: password, limits, cloak } = network.settings;
  const [given, host, address] = [param(call, 0), param(call, 2), param(call, 3)];
  if (password === undefined || client.registered) {
    network.reply(client, "421", ["WEBIRC"], "Unknown command");
  } else if (client.begun || given !== password || isIP(address) === 0) {
    closeClient(network, client, given === password ? "Invalid WEBIRC command" : "Invalid WebIRC password");
  } else {
    client.address = address;
    client.host = cloak ?? (host.startsWith(":") ? `0${host}` : host).slice(0, limits.host);
  }
}
