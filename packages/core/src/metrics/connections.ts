import type { Registry } from "prom-client";
import Gauge from "prom-client/lib/gauge.js";
import type { ConnectionStatus } from "../connector/connector.js";

/** Connections of one bridge that have a series of their own; a bridge with a connection for every person has thousands. */
const maxNamed = 100;

/** The states of connections: a count by state for all of them, and a series of its own for the first of each bridge. */
export class ConnectionGauges {
  readonly #states = new Map<string, Map<string, ConnectionStatus["state"]>>();
  readonly #named = new Map<string, Set<string>>();
  readonly #up: Gauge<"bridge" | "connection">;

  constructor(registry: Registry) {
    const count: Gauge<"bridge" | "state"> = new Gauge({
      name: "trestle_connections",
      help: "Connections to the network by state",
      labelNames: ["bridge", "state"],
      registers: [registry],
      collect: () => {
        count.reset();
        for (const [bridge, connections] of this.#states) {
          for (const state of ["connecting", "connected", "waiting", "failed"] as const)
            count.set({ bridge, state }, 0);
          for (const state of connections.values()) count.inc({ bridge, state });
        }
      },
    });
    this.#up = new Gauge({
      name: "trestle_connection_up",
      help: `Whether a connection is connected (1) or not (0); the first ${maxNamed} connections of each bridge`,
      labelNames: ["bridge", "connection"],
      registers: [registry],
    });
  }

  set(bridge: string, { connection, state }: ConnectionStatus): void {
    const connections = entry(this.#states, bridge, () => new Map<string, ConnectionStatus["state"]>());
    const named = entry(this.#named, bridge, () => new Set<string>());
    if (state === "closed") {
      connections.delete(connection);
      if (named.delete(connection)) this.#up.remove({ bridge, connection });
      return;
    }
    connections.set(connection, state);
    if (named.size < maxNamed) named.add(connection);
    if (named.has(connection)) this.#up.set({ bridge, connection }, state === "connected" ? 1 : 0);
  }

  /** The bridge is there no more. */
  remove(bridge: string): void {
    for (const connection of this.#named.get(bridge) ?? []) this.#up.remove({ bridge, connection });
    this.#named.delete(bridge);
    this.#states.delete(bridge);
  }
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
