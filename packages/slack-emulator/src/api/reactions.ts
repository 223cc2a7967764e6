import { z } from "zod";
import { addReaction, removeReaction } from "../actions/reactions.js";
import { emojiNames } from "../emoji.js";
import { flag, optionalText, text } from "./args.js";
import { channelType, permalink } from "../views/channel.js";
import { messageView } from "../views/message.js";
import { SlackError } from "./error.js";
import { channelFor, messageIn, readableChannel, requireMember, requireUnarchived } from "./lookup.js";
import { type Caller, type Method, method } from "./method.js";

const most = 23;

function reactionName(caller: Caller, asked: string): string {
  const name = asked.replace(/^:|:$/g, "");
  const [base, tone] = name.split("::");
  const standard = caller.limits.standardEmoji;
  const exists = (emoji: string) =>
    caller.team.emoji.has(emoji) || (standard === undefined ? emojiNames.test(emoji) : standard.has(emoji));
  const known = base !== undefined && exists(base) && (tone === undefined || /^skin-tone-[2-6]$/.test(tone));
  if (!known) throw new SlackError("invalid_name");
  return name;
}

/** reactions.* */
export const reactionMethods: readonly Method[] = [
  method(
    "reactions.add",
    ["reactions:write"],
    z.object({ channel: optionalText, timestamp: optionalText, name: text }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      const name = reactionName(caller, args.name);
      requireUnarchived(channel);
      const message = messageIn(channel, args.timestamp);
      if (caller.token.kind === "bot" && channel.kind !== "public") requireMember(caller, channel);
      if (!message.reactions.has(name) && message.reactions.size >= most) throw new SlackError("too_many_emoji");
      if (!addReaction(caller.world, channel, message, caller.user.id, name)) throw new SlackError("already_reacted");
      return {};
    },
  ),
  method(
    "reactions.remove",
    ["reactions:write"],
    z.object({ channel: optionalText, timestamp: optionalText, name: text }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      requireUnarchived(channel);
      const message = messageIn(channel, args.timestamp);
      if (!removeReaction(caller.world, channel, message, caller.user.id, reactionName(caller, args.name)))
        throw new SlackError("no_reaction");
      return {};
    },
  ),
  method(
    "reactions.get",
    ["reactions:read"],
    z.object({ channel: optionalText, timestamp: optionalText, full: flag }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      if (channelType(channel) !== "channel") readableChannel(caller, channel.id);
      const message = messageIn(channel, args.timestamp);
      const view = messageView(caller.world, channel, message, { reactions: true });
      return {
        type: "message",
        channel: channel.id,
        message: { ...view, permalink: permalink(caller.world, channel, message.ts, message.threadTs, caller.team.id) },
      };
    },
  ),
];
