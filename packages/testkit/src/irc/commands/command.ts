import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import type { IrcLine } from "../line.js";
import type { Network } from "../network.js";

/** One command of one client. */
export interface Call {
  readonly network: Network;
  readonly client: Client;
  readonly line: IrcLine;
  readonly params: readonly string[];
}

export interface Command {
  /** 461 with fewer. */
  readonly needs: number;
  /** Allowed before registration; 451 otherwise. */
  readonly early?: boolean;
  run(call: Call): void;
}

export type Commands = Readonly<Record<string, Command>>;

/** A parameter that `needs` guarantees. */
export function param(call: Call, index: number): string {
  return call.params[index] ?? "";
}

export const list = (text: string): string[] => text.split(",").filter((item) => item !== "");

/** The channel of that name; 403 or 442 where the client is not in it. */
export function ownChannel({ client, network }: Call, name: string): Channel | undefined {
  const channel = network.findChannel(name);
  if (channel === undefined) {
    network.reply(client, "403", [name], "No such channel");
    return undefined;
  }
  if (channel.members.has(client)) return channel;
  network.reply(client, "442", [name], "You're not on that channel");
  return undefined;
}
