import { inBatch } from "../capabilities/batches.js";
import type { Client } from "../client.js";
import { announceJoin } from "../commands/join.js";
import type { Network } from "../network.js";

/** Cuts the network in two: those who move and those who stay see one another quit. */
export function split(network: Network, moved: readonly Client[], servers: readonly [string, string]): void {
  const leaving = new Set(moved);
  const staying = [...network.clients].filter((client) => client.registered && !leaving.has(client));
  const side = 1 + Math.max(0, ...[...network.clients].map((client) => client.side));
  tellQuits(network, moved, new Set(staying), servers);
  tellQuits(network, staying, leaving, servers);
  for (const client of moved) client.side = side;
  tellWatchers(network, (watcher, client) => network.reply(watcher, "731", [], client.shownNick));
}

/** Tells those who monitor somebody on another side that it went, or is back. */
function tellWatchers(network: Network, tell: (watcher: Client, client: Client) => void): void {
  for (const watcher of network.clients) {
    for (const folded of watcher.monitored.keys()) {
      const client = network.findClient(folded);
      if (client !== undefined && client.side !== watcher.side) tell(watcher, client);
    }
  }
}

function tellQuits(
  network: Network,
  gone: readonly Client[],
  to: ReadonlySet<Client>,
  servers: readonly [string, string],
): void {
  const reason = servers.join(" ");
  for (const witness of to) {
    const seen = gone.filter((client) => client.side === witness.side && shareChannel(client, witness));
    if (seen.length === 0) continue;
    inBatch(network, witness, "netsplit", servers, (batch) => {
      for (const client of seen) {
        network.relay(client.mask, "QUIT", [reason], { to: [witness], stamp: { at: network.now(), batch } });
      }
    });
  }
}

function shareChannel(one: Client, other: Client): boolean {
  for (const channel of one.channels) if (channel.members.has(other)) return true;
  return false;
}

/** Mends every split: those of different sides see one another join, and get their modes from the server. */
export function join(network: Network, servers: readonly [string, string]): void {
  for (const witness of network.clients) {
    const seen: (() => void)[] = [];
    let batch: string | undefined;
    for (const channel of witness.channels) {
      for (const [client, standing] of channel.members) {
        if (client.side === witness.side) continue;
        seen.push(() => announceJoin(network, client, channel, [witness], batch));
        const modes = [...standing];
        if (modes.length === 0) continue;
        const params = [channel.name, `+${modes.join("")}`, ...modes.map(() => client.shownNick)];
        seen.push(() =>
          network.relay(network.settings.name, "MODE", params, { to: [witness], stamp: { at: network.now(), batch } }),
        );
      }
    }
    if (seen.length === 0) continue;
    inBatch(network, witness, "netjoin", servers, (id) => {
      batch = id;
      for (const tell of seen) tell();
    });
  }
  tellWatchers(network, (watcher, client) => network.reply(watcher, "730", [], client.mask));
  for (const client of network.clients) client.side = 0;
}
