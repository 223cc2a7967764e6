import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Client } from "./client.js";
import { closeClient, forgetClient } from "./closing.js";
import { dispatch } from "./dispatch.js";
import { fromBytes } from "./line.js";
import type { Network } from "./network.js";
import type { FloodRules } from "./limits.js";
import { Wire } from "./wire.js";

/** Takes a new connection into the network. */
export function admit(
  network: Network,
  socket: Socket,
  tls: TLSSocket | undefined,
  flood: () => FloodRules | undefined,
): void {
  const { settings, records, faults } = network;
  if (faults.mute) {
    socket.on("error", () => socket.destroy()).resume();
    return;
  }
  const record = records.openConnection();
  const wire: Wire = new Wire(
    socket,
    {
      line: (line) => {
        client.lastHeardAt = network.now();
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
      lagMs: () => faults.lagMs,
      pieceBytes: () => faults.pieceBytes,
    },
    settings.clock,
    settings.overlong === "refuse" ? settings.limits.line : Number.POSITIVE_INFINITY,
    settings.sendQ,
  );
  const address = shownAddress(socket);
  const fingerprint = tls === undefined ? undefined : fingerprintOf(tls);
  const client: Client = new Client(wire, settings.cloak ?? address, tls !== undefined, fingerprint, network.now());
  client.address = address;
  network.clients.add(client);
  network.changed();
}

/** SHA-256 of the certificate that the client showed. */
function fingerprintOf(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : createHash("sha256").update(certificate.raw).digest("hex");
}

/** A host may not begin with a colon: it would be read as the last parameter. */
function shownAddress(socket: Socket): string {
  const address = socket.remoteAddress ?? "unknown";
  return address.startsWith(":") ? `0${address}` : address;
}

/** Pings the silent and closes the dead and those who never register. */
export function sweep(network: Network): void {
  const { pingAfterMs, registrationTimeoutMs } = network.settings;
  const now = network.now();
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
