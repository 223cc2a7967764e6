import type { Client } from "../client.js";
import { fromBytes } from "../line.js";
import type { Network } from "../network.js";

/** Signs a client in or out and tells those who asked to know (`account-notify`). */
export function setAccount(network: Network, client: Client, account: string | undefined): void {
  client.account = account;
  if (account === undefined) {
    network.reply(client, "901", [client.mask], "You are now logged out");
  } else {
    network.reply(client, "900", [client.mask, account], `You are now logged in as ${fromBytes(account)}`);
  }
  if (!client.registered) return;
  network.notify(client, "account-notify", "ACCOUNT", [account ?? "*"], { self: true });
}
