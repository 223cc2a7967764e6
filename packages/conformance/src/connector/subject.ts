import { fileURLToPath } from "node:url";
import type { Connector, Limits, NetworkHandlers } from "@trestle/core";

/**
 * What is examined. By its name, as a configuration names it (`irc`, a package, an absolute path), or the URL of its
 * module, it runs in a process of its own that is killed with SIGKILL. A connector itself runs in this process, and a
 * crash is that nothing it does has an effect any more.
 */
export type Subject = Connector | string | URL;

/** How a configuration names the subject. */
export function nameOf(subject: Subject): string {
  if (subject instanceof URL) return fileURLToPath(subject);
  return typeof subject === "string" ? subject : subject.network;
}

export function connectorOf(subject: Subject): Connector | undefined {
  return typeof subject === "string" || subject instanceof URL ? undefined : subject;
}

/** What a connector turned out to have when it had connected. */
export interface Abilities {
  readonly handlers: readonly string[];
  readonly limits: Limits;
  readonly idempotent: boolean;
}

/** The connector with somebody looking at what it can do. */
export function observed(connector: Connector, tell: (abilities: Abilities) => void): Connector {
  return {
    ...connector,
    connect: async (context) => {
      const handlers = await connector.connect(context);
      tell(abilitiesOf(handlers));
      return handlers;
    },
  };
}

function abilitiesOf(handlers: NetworkHandlers): Abilities {
  const names: string[] = [];
  for (const [name, value] of entriesOf(handlers)) if (typeof value === "function") names.push(name);
  return { handlers: names, limits: handlers.limits ?? {}, idempotent: handlers.idempotent ?? false };
}

/** A connector may return an object of a class, whose methods are not its own properties. */
function entriesOf(handlers: NetworkHandlers): [string, unknown][] {
  const found = new Map<string, unknown>();
  for (let at: unknown = handlers; typeof at === "object" && at !== null; at = Object.getPrototypeOf(at)) {
    if (at === Object.prototype) break;
    for (const name of Object.getOwnPropertyNames(at))
      if (name !== "constructor" && !found.has(name)) found.set(name, Reflect.get(handlers, name));
  }
  return [...found];
}
