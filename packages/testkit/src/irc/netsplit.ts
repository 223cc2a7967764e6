import type { Client } from "./client.js";
import { announceJoin } from "./commands/membership.js";
import type { Network } from "./network.js";

/** Cuts the network in two: those who move and those who stay see one another quit. */
export function split(network: Network, moved: readonly Client[], servers: readonly [string, string]): void {
  const leaving = new Set(moved);
  const staying = [...network.clients].filter((client) => client.registered && !leaving.has(client));
  const side = 1 + Math.max(0, ...[...network.clients].map((client) => client.side));
  tellQuits(network, moved, new Set(staying), servers);
  tellQuits(network, staying, leaving, servers);
  for (const client of moved) client.side = side;
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
    inBatch(network, witness, "netsplit", servers, seen.length, (batch) => {
      for (const client of seen) {
        network.relay(client.mask, "QUIT", [reason], { to: [witness], stamp: { at: Date.now(), batch } });
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
        const modes = [standing.op ? "o" : "", standing.voice ? "v" : ""].filter((mode) => mode !== "");
        if (modes.length === 0) continue;
        const params = [channel.name, `+${modes.join("")}`, ...modes.map(() => client.shownNick)];
        seen.push(() =>
          network.relay(network.settings.name, "MODE", params, { to: [witness], stamp: { at: Date.now(), batch } }),
        );
      }
    }
    inBatch(network, witness, "netjoin", servers, seen.length, (id) => {
      batch = id;
      for (const tell of seen) tell();
    });
  }
  for (const client of network.clients) client.side = 0;
}

function inBatch(
  network: Network,
  client: Client,
  type: string,
  params: readonly string[],
  count: number,
  tell: (batch: string | undefined) => void,
): void {
  if (count === 0) return;
  if (!client.has("batch")) {
    tell(undefined);
    return;
  }
  const batch = network.nextId("s");
  network.write(client, network.body(network.settings.name, "BATCH", [`+${batch}`, type, ...params], false), {
    at: Date.now(),
  });
  tell(batch);
  network.write(client, network.body(network.settings.name, "BATCH", [`-${batch}`], false), { at: Date.now() });
}
