import type { IrcMessage } from "../wire/message.js";
import { reactionOf } from "../wire/reaction.js";

/** No text of a person begins like this: lines hold no NUL. */
const UNSPOKEN = "\0";

/**
 * How a line of ours is recognised when it comes back, to its sender or to the bot: its text, or what it does where it
 * has none. `undefined` for commands that do not come back like this.
 */
export function traceOf({ verb, params, tags }: Pick<IrcMessage, "verb" | "params" | "tags">): string | undefined {
  switch (verb) {
    case "PRIVMSG":
    case "NOTICE":
      return params[1] ?? "";
    case "RELAYMSG":
      return params[2] ?? "";
    case "TAGMSG": {
      const reaction = reactionOf(tags);
      return reaction && `${UNSPOKEN}${reaction.change} ${reaction.target} ${reaction.key}`;
    }
    case "REDACT":
      return `${UNSPOKEN}redact ${params[1] ?? ""}`;
    default:
      return undefined;
  }
}

/** Whether a server that has dealt with a line may say nothing of it: not every server shows these to their sender. */
export function isUnspoken(trace: string): boolean {
  return trace.startsWith(UNSPOKEN);
}
