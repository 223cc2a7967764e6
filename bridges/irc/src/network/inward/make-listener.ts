import type { Network } from "@trestle/core";
import type { StateChange } from "../../holder/frames.js";
import type { Connection } from "../../session/connection.js";
import type { CtcpAnswers } from "./ctcp.js";
import { accountOf } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import { Listener } from "./listener.js";
import { regainSeenFree } from "../nicks/nick-regain.js";
import type { Orphans } from "../connections/orphans.js";
import type { OwnNicks } from "../nicks/own-nicks.js";
import { greetWithRank } from "../channels/rank-effects.js";
import { Splits } from "../channels/splits.js";

interface ListenerParts {
  readonly core: Network;
  readonly ctcp: CtcpAnswers;
  readonly ownNicks: OwnNicks;
  readonly orphans: Orphans;
  readonly splits: Splits;
  readonly botNick: () => string;
  readonly clients: () => readonly Connection[];
}

/** Tells the parts of a network what its bot hears. */
export function makeListener(network: IrcNetwork, parts: ListenerParts): Listener {
  const { core, ctcp, ownNicks, orphans, splits, botNick, clients } = parts;
  return new Listener({
    network: network.name,
    members: network.members,
    ownNicks,
    splits,
    history: network.history,
    consents: network.consents,
    typing: network.config.typing ? (event) => core.signal(event) : undefined,
    away: (user, text) => network.momentary.peopleAway?.take(user, text),
    invited: (channel) => (network.channels.invited(channel) ? undefined : ctcp.notLinked(channel)),
    ctcp,
    clients,
    storage: core.storage,
    log: core.log,
    isLinked: (channel) => network.channels.isLinked(channel),
    matrixUserOf: (folded) => {
      // Whoever is on their way in may not get the nick: it is still somebody else's, and so is their rank.
      const connection = network.connectionOf(folded);
      return connection?.ready === true ? connection.role.user : undefined;
    },
    ownMessageSeen: (nick, channel, text, id) => {
      network.connectionOf(nick)?.outgoing.deliveries.seen("bot", channel, text, id);
      orphans.seen(nick, channel, text, id);
    },
    ownQuitSeen: (nick) => {
      network.connectionOf(nick)?.outgoing.deliveries.leftTheNetwork();
      orphans.quitSeen(nick);
    },
    ownJoinSeen: (nick, channel) => {
      const user = network.connectionOf(nick)?.role.user;
      const bot = network.bot.connection;
      if (bot && user !== undefined) greetWithRank(network, bot, channel, network.nickOf(nick) ?? nick, user);
    },
    nickFreed: (nick) => {
      if (network.bot.connection) regainSeenFree(network.bot.connection, nick, botNick());
      network.puppets.nickFreed(nick);
    },
    keyChanged: (channel, key) => network.keys.set(channel, key),
    kicked: (channel, by, reason) => network.channels.kicked(channel, by, reason),
    removed: (channel, reason) => network.channels.removed(channel, reason),
  });
}

/** Who was lost in splits of a network. */
export function makeSplits(
  network: IrcNetwork,
  core: Network,
  store: (changes: readonly StateChange[]) => void,
): Splits {
  const { members } = network;
  return new Splits({
    network: network.name,
    log: core.log,
    splitWaitMs: network.config.splitWait * 1000,
    isLinked: (channel) => network.channels.isLinked(channel),
    isupport: () => network.isupport,
    ranksNow: ({ id, name = "" }, channel) => {
      const account = accountOf(id);
      const nicks = account === undefined ? [name] : members.nicksOf(account, channel);
      return nicks.map((nick) => members.ranksOf(network.fold(nick), channel)).join("");
    },
    receive: (event) => core.receive(event),
    store,
  });
}
