import { type Call, type Commands, ownChannel, param } from "../commands/command.js";
import { deliver } from "../commands/messages.js";
import { isModerator, routeOf } from "../route.js";
import { piece } from "../utterance.js";
import { RELAY_SEPARATOR } from "./catalogue.js";

/** `draft/relaymsg`: an operator of a channel says something there under another name. */
export const relaymsgCommands: Commands = {
  RELAYMSG: { needs: 3, run: relaymsg },
};

const NICK = /^[^\s!@:,*?+%&~#$.]+$/;

function relaymsg(call: Call): void {
  const { client, network } = call;
  const [target, nick, text] = [param(call, 0), param(call, 1), param(call, 2)];
  if (!network.enabled.has("draft/relaymsg")) {
    network.reply(client, "421", ["RELAYMSG"], "Unknown command");
    return;
  }
  const channel = ownChannel(call, target);
  if (channel === undefined) return;
  if (!isModerator(channel, client)) {
    network.standard(
      client,
      "FAIL",
      ["RELAYMSG", "PRIVS_NEEDED"],
      "You need to be a channel operator to relay messages",
    );
    return;
  }
  if (!NICK.test(nick) || !nick.includes(RELAY_SEPARATOR) || nick.length > network.settings.limits.nick * 2) {
    network.standard(client, "FAIL", ["RELAYMSG", "INVALID_NICK"], `A relayed nick needs a "${RELAY_SEPARATOR}" in it`);
    return;
  }
  const route = routeOf(network, client, target, { command: "PRIVMSG", text });
  if (route === undefined) return;
  const head = { source: `${nick}!relay@relay`, command: "PRIVMSG" as const, target: route.shown, multiline: false };
  const stamp = { ...network.stampOf(client), account: undefined, relayedBy: client.shownNick };
  deliver(network, client, { ...head, pieces: [piece(network, head, text)] }, route, {
    ...stamp,
    clientTags: new Map([...call.line.tags].filter(([key]) => key.startsWith("+"))),
  });
}
