import type { FilterRules } from "./frames.js";
import { type LineHead, parameterAt } from "./line-head.js";

/** Numerics that only the listener of a channel has use for. */
const LISTENER_NUMERICS = new Set(["315", "329", "332", "333", "352", "353", "354", "366", "372", "375"]);

/**
 * Decides which lines of a puppet's connection are worth keeping: those about the puppet itself and those to it alone.
 * A channel's traffic reaches the bridge once, through the bot, however many puppets are in the channel.
 */
export class PuppetFilter {
  #nick: string;
  readonly #channels: string;
  readonly #ranks: string;

  /** All in UTF-8; the puppet's own changes of nick are followed. */
  constructor({ nick, channels, ranks }: FilterRules) {
    this.#nick = latin1(nick);
    this.#channels = latin1(channels);
    this.#ranks = latin1(ranks);
  }

  keeps(line: Buffer, head: LineHead): boolean {
    const own = nickOf(head.source) === this.#nick;
    switch (head.command) {
      case "PRIVMSG":
      case "NOTICE":
      case "TAGMSG":
      case "REDACT":
        return own || this.#concernsMe(line, head.parameters);
      case "NICK":
        if (own) this.#nick = parameterAt(line, head.parameters).value;
        return own;
      case "KICK": {
        const channel = parameterAt(line, head.parameters);
        return parameterAt(line, channel.next).value === this.#nick;
      }
      case "INVITE":
        return parameterAt(line, head.parameters).value === this.#nick;
      case "MODE":
        return this.#concernsMe(line, head.parameters);
      case "JOIN":
      case "PART":
      case "QUIT":
      case "CHGHOST":
        return own;
      case "TOPIC":
      case "AWAY":
      case "ACCOUNT":
      case "SETNAME":
        return false;
      default:
        return !LISTENER_NUMERICS.has(head.command);
    }
  }

  /** Everything whose target is no channel is for this connection alone. */
  #concernsMe(line: Buffer, start: number): boolean {
    const target = parameterAt(line, start).value;
    if (target === this.#nick || target === "") return true;
    let at = 0;
    while (
      at < target.length - 1 &&
      !this.#channels.includes(target.charAt(at)) &&
      this.#ranks.includes(target.charAt(at))
    )
      at++;
    return !this.#channels.includes(target.charAt(at));
  }
}

function nickOf(source: string): string {
  const end = source.search(/[!@]/);
  return end === -1 ? source : source.slice(0, end);
}

function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
