import type { Client } from "./client.js";
import { ELIST } from "./commands/list.js";
import { chanmodesToken, DEAF } from "./modes/letters.js";
import { EXTENDED_BANS } from "./modes/masks.js";
import { prefixToken, ranksOf } from "./modes/ranks.js";
import type { Network } from "./network.js";

const TOKENS_A_LINE = 13;

/** What the server announces in 005. */
export function isupportTokens(network: Network): string[] {
  const tokens = new Map<string, string | boolean>(Object.entries({ ...whatItIs(network), ...whatItTakes(network) }));
  for (const [token, value] of Object.entries(network.settings.tokens)) tokens.set(token, value);
  return [...tokens].flatMap(([token, value]) => {
    if (value === false) return [];
    return value === true ? [token] : [`${token}=${value}`];
  });
}

function whatItIs(network: Network): Record<string, string | boolean> {
  const { settings, modes, enabled, withMsgid } = network;
  return {
    NETWORK: settings.network,
    CASEMAPPING: settings.caseMapping,
    CHANTYPES: "#&",
    PREFIX: prefixToken(settings.ranks),
    CHANMODES: chanmodesToken(modes),
    STATUSMSG: ranksOf(settings.ranks)
      .map(({ prefix }) => prefix)
      .join(""),
    EXCEPTS: modes.lists.has("e") ? "e" : false,
    INVEX: modes.lists.has("I") ? "I" : false,
    EXTBAN: `,${EXTENDED_BANS}`,
    ACCOUNTEXTBAN: "R",
    BOT: "B",
    DEAF,
    ELIST,
    SAFELIST: true,
    WHOX: true,
    UTF8ONLY: settings.utf8Only,
    CLIENTTAGDENY: settings.denyClientTags === "" ? false : settings.denyClientTags,
    MSGREFTYPES: enabled.has("draft/chathistory") ? (withMsgid ? "msgid,timestamp" : "timestamp") : false,
    CHATHISTORY: enabled.has("draft/chathistory") ? String(settings.limits.chathistory) : false,
  };
}

function whatItTakes({ settings, modes }: Network): Record<string, string> {
  const { limits } = settings;
  return {
    NICKLEN: String(limits.nick),
    USERLEN: String(limits.user),
    HOSTLEN: String(limits.host),
    TOPICLEN: String(limits.topic),
    KICKLEN: String(limits.kick),
    AWAYLEN: String(limits.away),
    CHANNELLEN: String(limits.channel),
    NAMELEN: String(limits.realname),
    KEYLEN: String(limits.key),
    LINELEN: String(limits.line),
    MODES: String(limits.modes),
    MONITOR: String(limits.monitor),
    MAXLIST: [...modes.lists.keys()].map((letter) => `${letter}:${limits.bans}`).join(","),
    CHANLIMIT: `#&:${limits.channels}`,
    MAXTARGETS: String(limits.targets),
    TARGMAX: ["PRIVMSG", "NOTICE", "TAGMSG", "KICK"].map((command) => `${command}:${limits.targets}`).join(","),
  };
}

export function sendIsupport(network: Network, client: Client): void {
  const tokens = isupportTokens(network);
  for (let start = 0; start < tokens.length; start += TOKENS_A_LINE) {
    network.reply(client, "005", tokens.slice(start, start + TOKENS_A_LINE), "are supported by this server");
  }
}
