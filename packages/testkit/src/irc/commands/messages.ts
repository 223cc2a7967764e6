import { relayedTags } from "../capabilities/tags.js";
import type { Client, Stamp } from "../client.js";
import { toBytes } from "../line.js";
import type { Network } from "../network.js";
import type { LoggedMessage } from "../records.js";
import { type Route, routeOf } from "../route.js";
import { answerAsService } from "../services/service.js";
import { asLogged, piece, type Utterance, writeUtterance } from "../utterance.js";
import { type Call, type Commands, list } from "./command.js";

type MessageCommand = LoggedMessage["command"];

export const messageCommands: Commands = {
  PRIVMSG: { needs: 0, run: (call) => message(call, "PRIVMSG") },
  NOTICE: { needs: 0, run: (call) => message(call, "NOTICE") },
  TAGMSG: { needs: 0, run: (call) => message(call, "TAGMSG") },
};

function message({ client, network, line, params }: Call, command: MessageCommand): void {
  const targets = [...new Set(list(params[0] ?? ""))];
  const text = params[1] ?? "";
  if (command === "TAGMSG" && !client.has("message-tags")) {
    network.reply(client, "421", [command], "Unknown command");
  } else if (targets.length === 0) {
    network.reply(client, "411", [], `No recipient given (${command}).`);
  } else if (text === "" && command !== "TAGMSG") {
    network.reply(client, "412", [], "No text to send");
  } else if (targets.length > network.settings.limits.targets) {
    network.reply(client, "407", [params[0] ?? ""], "Too many targets");
  } else {
    client.lastSpokeAt = network.now();
    const tags = client.has("message-tags")
      ? relayedTags(line.tags, network.settings.denyClientTags)
      : new Map<string, string>();
    if (command === "TAGMSG" && tags.size === 0 && line.tags.size > 0 && network.settings.denyClientTags !== "") return;
    for (const target of targets) {
      const route = routeOf(network, client, target, { command, text });
      if (route === undefined) continue;
      const head = { source: client.mask, command, target: route.shown, multiline: false };
      const utterance = { ...head, pieces: command === "TAGMSG" ? [] : [piece(network, head, text)] };
      deliver(network, client, utterance, route, network.stampOf(client, tags));
    }
  }
}

/** Takes a message to those it is for, into the log and into the history, and back to its sender as an echo. */
export function deliver(network: Network, client: Client, utterance: Utterance, route: Route, stamp: Stamp): void {
  const from = utterance.source.split("!")[0] ?? utterance.source;
  const logged = asLogged(network, from, utterance, stamp);
  const verdict = network.faults.verdict(logged);
  if (verdict === "refuse") {
    network.reply(client, "404", [route.shown], "Cannot send to channel (message refused)");
    return;
  }
  if (verdict === "drop") return;
  if (typeof verdict === "object") {
    pass(
      network,
      client,
      rewritten(network, utterance, verdict.rewrite),
      { ...logged, text: verdict.rewrite },
      route,
      stamp,
    );
  } else {
    pass(network, client, utterance, logged, route, stamp);
  }
}

function rewritten(network: Network, utterance: Utterance, text: string): Utterance {
  return { ...utterance, multiline: false, pieces: [piece(network, utterance, toBytes(text))] };
}

function pass(
  network: Network,
  client: Client,
  utterance: Utterance,
  logged: LoggedMessage,
  route: Route,
  stamp: Stamp,
): void {
  network.records.addMessage(route.folded, logged);
  const isKept = stamp.msgid !== undefined || !network.withMsgid;
  if (isKept && route.service === undefined) {
    const nick = network.fold(client.shownNick);
    network.history.add(route.history, { kind: "said", utterance, nick, account: client.account, stamp });
  }
  for (const other of route.others) {
    // Written past the label of the sender, who may be among them: the label belongs to the echo.
    writeUtterance(network, other, utterance, stamp, (body, each) => network.write(other, body, each));
  }
  if (client.has("echo-message"))
    writeUtterance(network, client, utterance, stamp, (body, each) => network.send(client, body, each));
  if (route.service !== undefined) answerAsService(network, client, route.service, utterance);
}
