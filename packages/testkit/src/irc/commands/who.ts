import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import { matchesMask } from "../names.js";
import type { Network } from "../network.js";
import { type Call, type Commands, list, param } from "./command.js";

/** Who is there: WHO with WHOX, USERHOST, ISON. */
export const whoCommands: Commands = {
  WHO: { needs: 1, run: who },
  USERHOST: { needs: 1, run: userhost },
  ISON: { needs: 1, run: ison },
};

/** In the order in which 354 has them. */
const FIELDS = "tcuihsnfdlaor";

/** The fields of `WHO mask %fields,token` (WHOX). */
interface Extended {
  readonly fields: string;
  readonly token: string;
}

interface Found {
  readonly other: Client;
  readonly channel: Channel | undefined;
}

function who(call: Call): void {
  const { client, network } = call;
  const mask = param(call, 0);
  const extended = extendedOf(call.params[1] ?? "");
  const onlyOperators = call.params[1] === "o";
  for (const found of findAll(network, client, mask)) {
    if (onlyOperators && !found.other.isOperator) continue;
    if (extended === undefined) whoReply(network, client, found);
    else extendedReply(network, client, found, extended);
  }
  network.reply(client, "315", [mask], "End of /WHO list.");
}

function extendedOf(text: string): Extended | undefined {
  const match = /%([^,]*)(?:,(\d{1,3}))?$/.exec(text);
  return match === null ? undefined : { fields: match[1] ?? "", token: match[2] ?? "0" };
}

function findAll(network: Network, client: Client, mask: string): Found[] {
  const channel = network.findChannel(mask);
  if (channel !== undefined) {
    if (channel.isSecretFor(client)) return [];
    const seen = network.reachable(channel, client);
    const inside = channel.members.has(client);
    return seen.filter(({ modes }) => inside || !modes.has("i")).map((other) => ({ other, channel }));
  }
  const folded = network.fold(mask);
  return [...network.clients]
    .filter((other) => other.registered && other.side === client.side)
    .filter((other) => {
      const nick = network.fold(other.shownNick);
      if (nick === folded) return true;
      return matchesMask(folded, nick) && (!other.modes.has("i") || other === client || shareChannel(client, other));
    })
    .map((other) => ({ other, channel: undefined }));
}

const shareChannel = (one: Client, other: Client): boolean =>
  [...one.channels].some((channel) => channel.members.has(other));

function flagsOf(client: Client, { other, channel }: Found): string {
  const prefix = channel?.prefixOf(other, client.has("multi-prefix")) ?? "";
  return `${other.away === undefined ? "H" : "G"}${other.isOperator ? "*" : ""}${other.modes.has("B") ? "B" : ""}${prefix}`;
}

function whoReply(network: Network, client: Client, found: Found): void {
  const { other, channel } = found;
  const { name } = network.settings;
  const flags = flagsOf(client, found);
  network.reply(
    client,
    "352",
    [channel?.name ?? "*", other.user, other.host, name, other.shownNick, flags],
    `0 ${other.realname}`,
  );
}

function extendedReply(network: Network, client: Client, found: Found, { fields, token }: Extended): void {
  const { other, channel } = found;
  const mayKnow = client === other || client.isOperator;
  const values: Readonly<Record<string, string>> = {
    t: token,
    c: channel?.name ?? "*",
    u: other.user,
    i: mayKnow ? other.address : "255.255.255.255",
    h: other.host,
    s: network.settings.name,
    n: other.shownNick,
    f: flagsOf(client, found),
    d: "0",
    l: String(Math.floor((network.now() - other.lastSpokeAt) / 1000)),
    a: other.account ?? "0",
    o: "n/a",
    r: other.realname,
  };
  const wanted = Array.from(FIELDS).filter((field) => fields.includes(field));
  const words = wanted.map((field) => values[field] ?? "*");
  if (wanted.at(-1) === "r") network.reply(client, "354", words.slice(0, -1), words.at(-1));
  else network.reply(client, "354", words);
}

function userhost({ client, network, params }: Call): void {
  const found = params.flatMap((nick) => network.findClient(nick, client) ?? []);
  const words = found.map(
    (other) =>
      `${other.shownNick}${other.isOperator ? "*" : ""}=${other.away === undefined ? "+" : "-"}${other.user}@${other.host}`,
  );
  network.reply(client, "302", [], words.join(" "));
}

function ison({ client, network, params }: Call): void {
  const nicks = params.flatMap((word) => list(word.replaceAll(" ", ",")));
  network.reply(
    client,
    "303",
    [],
    nicks.flatMap((nick) => network.findClient(nick, client)?.shownNick ?? []).join(" "),
  );
}
