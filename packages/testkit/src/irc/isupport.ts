import type { Client } from "./client.js";
import type { Network } from "./network.js";

export const CHANNEL_FLAGS = "imnrst";
const TOKENS_A_LINE = 13;

/** What the server announces in 005. */
export function isupportTokens(network: Network): string[] {
  const { limits, caseMapping } = network.settings;
  return [
    `NETWORK=${network.settings.network}`,
    `CASEMAPPING=${caseMapping}`,
    "CHANTYPES=#&",
    "PREFIX=(ov)@+",
    `CHANMODES=b,k,l,${CHANNEL_FLAGS}`,
    "STATUSMSG=@+",
    `NICKLEN=${limits.nick}`,
    `USERLEN=${limits.user}`,
    `TOPICLEN=${limits.topic}`,
    `KICKLEN=${limits.kick}`,
    `AWAYLEN=${limits.away}`,
    `CHANNELLEN=${limits.channel}`,
    `NAMELEN=${limits.realname}`,
    `KEYLEN=${limits.key}`,
    `LINELEN=${limits.line}`,
    `MODES=${limits.modes}`,
    `MAXLIST=b:${limits.bans}`,
    `CHANLIMIT=#&:${limits.channels}`,
    `TARGMAX=PRIVMSG:${limits.targets},NOTICE:${limits.targets},TAGMSG:${limits.targets},KICK:${limits.targets}`,
    "BOT=B",
    "SAFELIST",
  ];
}

export function sendIsupport(network: Network, client: Client): void {
  const tokens = isupportTokens(network);
  for (let start = 0; start < tokens.length; start += TOKENS_A_LINE) {
    network.reply(client, "005", tokens.slice(start, start + TOKENS_A_LINE), "are supported by this server");
  }
}
