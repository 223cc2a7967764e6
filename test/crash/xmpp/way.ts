import type { XmppServer } from "../../support/servers/xmpp-server.js";
import { accountUsers } from "./account-people.js";

/**
 * How the bridge is on XMPP: with a component; so that some of the people on Matrix use accounts of their own beside it; or
 * with one account that says for everybody what they say on Matrix.
 */
export type Way = "component" | "accounts" | "relay";

/** What the bridge is called in rooms. */
export const botNick = "Matrix";

/** The account that speaks for all, with the name as the password. */
const relayUser = "relay";

/** Who has an account on the server. */
export function usersFor(way: Way): readonly string[] {
  return { component: [], accounts: accountUsers, relay: [relayUser] }[way];
}

/** The bridge's `network`. `ports`: where it finds the server, of those that it uses. */
export function networkFor(
  way: Way,
  { domain, component, secret }: XmppServer,
  ports: { readonly component?: number | undefined; readonly client?: number | undefined },
): Readonly<Record<string, unknown>> {
  const servers = { [domain]: { host: "127.0.0.1", port: ports.client, security: "none" } };
  return {
    nick: botNick,
    reconnect: { min: 0.05, max: 0.5 },
    ...(way === "relay"
      ? { account: { jid: `${relayUser}@${domain}`, password: relayUser }, accounts: { servers } }
      : { port: ports.component, domain: component, secret }),
    ...(way === "accounts" && { accounts: { enabled: true, servers } }),
  };
}
