import { pathToFileURL } from "node:url";
import { resolve } from "node:path";
import { CliError } from "../../failure.js";
import type { PlaygroundNetwork } from "../network.js";
import { fromStandIn, isStandIn } from "./from-stand-in.js";

const own: Readonly<Record<string, () => Promise<PlaygroundNetwork>>> = {
  irc: async () => (await import("./irc.js")).irc,
  mqtt: async () => (await import("./mqtt.js")).mqtt,
  slack: async () => (await import("./slack.js")).slack,
  xmpp: async () => (await import("./xmpp.js")).xmpp,
};

/** The networks that the playground knows by name. */
export const ownNetworks: readonly string[] = Object.keys(own);

/**
 * A network by its name, or by the path of a module that describes one (its default export).
 *
 * @throws CliError with what to type instead
 */
export async function findNetwork(name: string): Promise<PlaygroundNetwork> {
  const known = Object.hasOwn(own, name) ? own[name] : undefined;
  if (known !== undefined) return known();
  if (!/[./\\]/.test(name))
    throw new CliError(
      "usage",
      `The playground does not know ${name}. It knows ${ownNetworks.slice(0, -1).join(", ")} and ${ownNetworks.at(-1) ?? ""}; for a bridge of your own give the path of its playground module, such as ./dist/playground.js`,
    );
  const module: unknown = await import(pathToFileURL(resolve(name)).href).catch((error: unknown) => {
    throw new CliError("connector", `${name} does not load: ${error instanceof Error ? error.message : String(error)}`);
  });
  const described = typeof module === "object" && module !== null && "default" in module ? module.default : undefined;
  if (isNetwork(described)) return described;
  if (isStandIn(described)) return fromStandIn(described);
  throw new CliError(
    "connector",
    `The default export of ${name} is no description of a network: { connector, name, standIn } with a stand-in for the network, see docs/write-a-bridge.md.`,
  );
}

function isNetwork(value: unknown): value is PlaygroundNetwork {
  if (typeof value !== "object" || value === null) return false;
  return ["connector", "name", "place", "person", "open"].every((key) => key in value);
}
