import { isDeepStrictEqual } from "node:util";
import type { Registration } from "../appservice/registration.js";
import { changedKeys } from "../config/changes.js";
import { loadConnector, parseNetworkConfig } from "../config/connector-loader.js";
import type { LoadedConfig } from "../config/load.js";
import { formatPath } from "../config/problem.js";
import type { BridgeConfig, Config } from "../config/schema.js";
import type { Connector } from "../connector/connector.js";

/** What a bridge is made from: everything a configuration says of it, validated. */
export interface BridgeSpec {
  readonly section: BridgeConfig;
  readonly registration: Registration;
  readonly connector: Connector;
  readonly networkConfig: unknown;
  /** The configuration it is part of. */
  readonly global: Config;
}

/**
 * Loads the connectors of a configuration and validates the settings of their networks.
 *
 * @param given connectors by name that are not loaded from a package
 * @param global what the bridges get of the top level, where that is not what the file says
 * @throws ConfigError, StartError `connector`
 */
export async function loadBridges(
  loaded: LoadedConfig,
  given: Readonly<Record<string, Connector>>,
  global: Config = loaded.config,
): Promise<readonly BridgeSpec[]> {
  return Promise.all(
    loaded.config.bridges.map(async (section) => {
      const registration = loaded.registrations.get(section.name);
      if (!registration) throw new RangeError(`The bridge ${section.name} has no registration.`);
      const connector = given[section.connector] ?? (await loadConnector(section.connector, loaded.directory));
      const networkConfig = parseNetworkConfig(loaded, section.name, connector);
      return { section, registration, connector, networkConfig, global };
    }),
  );
}

/**
 * The keys by which two specifications of a bridge differ, of its own section and of its registration's file. A default
 * that is now written out is no difference.
 *
 * @param index where the bridge stands in the new configuration
 */
export function changedKeysOf(before: BridgeSpec, after: BridgeSpec, index: number): readonly string[] {
  const { network: networkBefore, ...restBefore } = before.section;
  const { network: networkAfter, ...restAfter } = after.section;
  const base = ["bridges", index];
  const own = changedKeys(restBefore, restAfter, base);
  const network = isDeepStrictEqual(before.networkConfig, after.networkConfig)
    ? []
    : changedKeys(networkBefore, networkAfter, [...base, "network"]);
  const registration = changedKeys(before.registration.document, after.registration.document);
  return [
    ...[...own, ...network].map(formatPath),
    ...registration.map((path) => `${after.section.registration}: ${formatPath(path)}`),
  ];
}

/** What bridges take from the top level of a configuration. */
function takenFromTop({ homeserver, permissions, delivery, media, policyLists }: Config): unknown {
  const { stopTimeout: _stopTimeout, ...rest } = delivery;
  return { homeserver, permissions, delivery: rest, media, policyLists };
}

/** Whether a change of the top level is one for bridges. */
export function concernsBridges(before: Config, after: Config): boolean {
  return !isDeepStrictEqual(takenFromTop(before), takenFromTop(after));
}
