import type { Client } from "../client.js";
import { closeClient } from "../closing.js";
import { takeNick } from "../commands/nick.js";
import { fromBytes, toBytes } from "../line.js";
import type { Network } from "../network.js";
import { setAccount } from "../sasl/sign-in.js";

export interface ServiceCall {
  readonly network: Network;
  readonly client: Client;
  readonly answer: (text: string) => void;
}

type Handler = (call: ServiceCall, args: readonly string[]) => void;

/** What NickServ understands; its sentences are near those of Atheme. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  IDENTIFY: identify,
  LOGOUT: ({ network, client }) => setAccount(network, client, undefined),
  REGISTER: register,
  GHOST: ghost,
  REGAIN: regain,
  HELP: ({ answer }) => answer(`Commands: ${Object.keys(HANDLERS).join(", ")}`),
};

export function nickServ(call: ServiceCall, [name = "HELP", ...args]: readonly string[]): void {
  const handler = Object.hasOwn(HANDLERS, name.toUpperCase()) ? HANDLERS[name.toUpperCase()] : undefined;
  if (handler === undefined) call.answer(`Invalid command. Use /msg NickServ HELP for a command listing.`);
  else handler(call, args);
}

/** `IDENTIFY [account] password` */
function identify({ network, client, answer }: ServiceCall, args: readonly string[]): void {
  const [account, password] = args.length > 1 ? [args[0] ?? "", args[1] ?? ""] : [client.shownNick, args[0] ?? ""];
  const name = network.accounts.nameOf(fromBytes(account));
  if (name === undefined) {
    answer(`${account} is not a registered nickname.`);
  } else if (!network.accounts.hasPassword(name, fromBytes(password))) {
    answer(`Invalid password for ${account}.`);
  } else {
    setAccount(network, client, toBytes(name));
    answer(`You are now identified for ${account}.`);
  }
}

/** `REGISTER password [email]` */
function register({ network, client, answer }: ServiceCall, [password]: readonly string[]): void {
  const nick = fromBytes(client.shownNick);
  if (password === undefined) {
    answer("Insufficient parameters for REGISTER.");
  } else if (network.accounts.nameOf(nick) !== undefined) {
    answer(`${client.shownNick} is already registered.`);
  } else {
    network.accounts.add(nick, { password: fromBytes(password) });
    setAccount(network, client, client.shownNick);
    answer(`${client.shownNick} is now registered.`);
  }
}

/** Who may act for a nick: who is signed in to its account, or knows its password. */
function mayActFor({ network, client }: ServiceCall, nick: string, password: string | undefined): boolean {
  const name = network.accounts.nameOf(fromBytes(nick));
  if (name === undefined) return false;
  return (
    client.account === toBytes(name) ||
    (password !== undefined && network.accounts.hasPassword(name, fromBytes(password)))
  );
}

/** `GHOST nick [password]`: closes who has the nick. */
function ghost(call: ServiceCall, [nick = "", password]: readonly string[]): void {
  const { network, client, answer } = call;
  const holder = network.findClient(nick);
  if (!mayActFor(call, nick, password)) answer(`Invalid password for ${nick}.`);
  else if (holder === undefined || holder === client) answer(`${nick} is not online.`);
  else {
    closeClient(network, holder, `Killed (NickServ (GHOST command used by ${client.shownNick}))`);
    answer(`${nick} has been ghosted.`);
  }
}

/** `REGAIN nick [password]`: the same, and takes the nick. */
function regain(call: ServiceCall, [nick = "", password]: readonly string[]): void {
  const { network, client, answer } = call;
  if (!mayActFor(call, nick, password)) {
    answer(`Invalid password for ${nick}.`);
    return;
  }
  const holder = network.findClient(nick);
  if (holder !== undefined && holder !== client)
    closeClient(network, holder, `Killed (NickServ (REGAIN command used by ${client.shownNick}))`);
  takeNick(network, client, nick);
  answer(`${nick} is now yours.`);
}
