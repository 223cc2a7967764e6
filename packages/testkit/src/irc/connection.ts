import type { Socket } from "node:net";
import { Client } from "./client.js";
import { closeClient, forgetClient } from "./closing.js";
import { dispatch } from "./dispatch.js";
import { fromBytes } from "./line.js";
import type { Network } from "./network.js";
import type { FloodRules } from "./options.js";
import { Wire } from "./wire.js";

/** Takes a new connection into the network. */
export function admit(network: Network, socket: Socket, secure: boolean, flood: () => FloodRules | undefined): void {
  const { settings, records } = network;
  const record = records.openConnection();
  const wire: Wire = new Wire(
    socket,
    {
      line: (line) => {
        client.lastHeardAt = Date.now();
        client.pinged = false;
        records.addLine(record, fromBytes(line));
        dispatch(network, client, line);
        if (client.nick !== undefined) record.nicks.add(network.fold(client.nick));
        network.changed();
      },
      overlong: () => network.reply(client, "417", [], "Input line was too long"),
      violates: (reason) => closeClient(network, client, reason),
      gone: (reason) => forgetClient(network, client, reason),
      floodRules: () => (client.registered ? flood() : undefined),
      lagMs: () => network.faults.lagMs,
    },
    settings.overlong === "refuse" ? settings.limits.line : Number.POSITIVE_INFINITY,
    settings.sendQ,
  );
  const client: Client = new Client(wire, settings.cloak ?? shownAddress(socket), secure);
  network.clients.add(client);
  network.changed();
}

/** A host may not begin with a colon: it would be read as the last parameter. */
function shownAddress(socket: Socket): string {
  const address = socket.remoteAddress ?? "unknown";
  return address.startsWith(":") ? `0${address}` : address;
}

/** Pings the silent and closes the dead and those who never register. */
export function sweep(network: Network): void {
  const { pingAfterMs, registrationTimeoutMs } = network.settings;
  const now = Date.now();
  for (const client of [...network.clients]) {
    const silentMs = now - client.lastHeardAt;
    if (!client.registered) {
      if (now - client.connectedAt > registrationTimeoutMs) closeClient(network, client, "Registration timed out");
    } else if (client.pinged && silentMs > 2 * pingAfterMs) {
      closeClient(network, client, `Ping timeout: ${Math.round(silentMs / 1000)} seconds`);
    } else if (!client.pinged && silentMs > pingAfterMs) {
      client.pinged = true;
      network.write(client, `PING :${network.settings.name}`, { at: now });
    }
  }
}
