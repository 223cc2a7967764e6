import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import type { Connector } from "../connector/connector.js";
import { StartError } from "../services/start-error.js";
import { errorText } from "./error-text.js";
import type { ConfigFile } from "./load.js";
import { findPackageEntry } from "./package-entry.js";
import { ConfigError } from "./problem.js";
import { validate } from "./validate.js";

/** The connectors that belong to Trestle, by the name a configuration gives them. */
const own: Readonly<Record<string, string>> = {
  irc: "@trestle/irc",
  mqtt: "@trestle/mqtt",
  slack: "@trestle/slack",
  xmpp: "@trestle/xmpp",
};

/**
 * Loads a connector by its name (`irc`), as an npm package installed beside the configuration or beside Trestle, or from a path.
 *
 * @throws StartError `connector` when it is not installed, fails to load or exports no connector
 */
export async function loadConnector(name: string, directory: string): Promise<Connector> {
  const specifier = Object.hasOwn(own, name) ? (own[name] ?? name) : name;
  const location = locate(specifier, name, directory);
  let module: unknown;
  try {
    module = await import(location);
  } catch (error) {
    throw new StartError("connector", `The connector ${name} (${specifier}) does not load: ${errorText(error)}`, {
      cause: error,
    });
  }
  const connector = defaultExport(module);
  if (!isConnector(connector)) {
    throw new StartError(
      "connector",
      `${specifier} is not a connector: its default export must be what defineConnector({ network, config, connect }) returns.`,
    );
  }
  return connector;
}

function locate(specifier: string, name: string, directory: string): string {
  if (/^\.{1,2}\//.test(specifier) || isAbsolute(specifier)) {
    return pathToFileURL(isAbsolute(specifier) ? specifier : join(directory, specifier)).href;
  }
  for (const place of [directory, import.meta.dirname]) {
    const found = findPackageEntry(specifier, place);
    if (found !== undefined) return pathToFileURL(found).href;
  }
  const known = Object.keys(own).join(", ");
  throw new StartError(
    "connector",
    `The connector ${name} is not installed. Install it with: npm i ${specifier} (in the directory of the configuration, or beside Trestle). Connectors of Trestle's own: ${known}.`,
  );
}

function defaultExport(module: unknown): unknown {
  return typeof module === "object" && module !== null && "default" in module ? module.default : undefined;
}

/** A connector's schema may come from another copy of zod, so it is known by what it can do. */
export function isConnector(value: unknown): value is Connector {
  if (typeof value !== "object" || value === null) return false;
  if (!("network" in value && "config" in value && "connect" in value)) return false;
  const { network, config, connect } = value;
  return (
    typeof network === "string" && /^[a-z0-9-]+$/.test(network) && typeof connect === "function" && isSchema(config)
  );
}

function isSchema(value: unknown): value is z.ZodType {
  return typeof value === "object" && value !== null && "safeParse" in value && typeof value.safeParse === "function";
}

/**
 * Validates the `network:` section of a bridge with its connector's schema.
 *
 * @throws ConfigError that names the file, the line and the key
 */
export function parseNetworkConfig<Schema extends z.ZodType>(
  file: ConfigFile,
  bridge: string,
  connector: { readonly config: Schema },
): z.output<Schema> {
  const index = file.config.bridges.findIndex((each) => each.name === bridge);
  const section = file.config.bridges[index];
  if (section === undefined) throw new RangeError(`there is no bridge ${bridge}`);
  const base = ["bridges", index, "network"];
  const foreign = new Set([...file.foreign].flatMap((path) => within(path, base)));
  const validated = validate(connector.config, section.network, foreign);
  if (validated.ok) return validated.value;
  throw new ConfigError(
    validated.faults.map((fault) => {
      const path = [...base, ...fault.path];
      const line = file.locate(path);
      return { severity: "error", file: file.path, ...(line !== undefined && { line }), path, message: fault.message };
    }),
  );
}

const keyPath = z.array(z.union([z.string(), z.number()]));

function within(path: string, base: readonly (string | number)[]): string[] {
  const keys = keyPath.parse(JSON.parse(path));
  return base.every((key, at) => keys[at] === key) ? [JSON.stringify(keys.slice(base.length))] : [];
}
