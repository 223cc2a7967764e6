import { createHmac } from "node:crypto";
import type { NetworkConfig } from "../../config.js";
import type { Origin, Role } from "../../session/state.js";
import type { Servers } from "./servers.js";

/** What a connection is opened with now: kept with it, so that a bridge with other settings knows that it is out of date. */
export function originOf(config: NetworkConfig, role: Role, key: Uint8Array, servers: Servers): Origin {
  const { password, serverName, insecure, localAddress, ipv6Prefix, webirc, username } = config;
  const { nick, realname, sasl, puppetNick, puppetRealname, puppetUsername } = config;
  const own = role.kind === "bot" ? { nick, realname, sasl } : { puppetNick, puppetRealname, puppetUsername };
  const all = { password, serverName, insecure, localAddress, ipv6Prefix, webirc, username, ...own };
  // There are passwords among them, and the holder may write what it keeps into a file.
  return {
    server: servers.configured,
    settings: createHmac("sha256", key).update(JSON.stringify(all)).digest("base64url"),
  };
}

/** Whether a connection was opened with settings, or to a server, of which the configuration knows no more. */
export function isOutdated(held: Origin | undefined, now: Origin, servers: Servers): boolean {
  return held !== undefined && (held.settings !== now.settings || !servers.knows(held.server));
}
