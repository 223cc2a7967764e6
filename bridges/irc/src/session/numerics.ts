import type { IrcMessage } from "../wire/message.js";

/** The nick is refused: in use, invalid, in collision, not available now. */
export const NICK_REFUSED: ReadonlySet<string> = new Set(["432", "433", "436", "437", "468"]);
/** No nick is taken for now: banned, too fast, or moderated channels. Not all of them name it. */
export const NICK_CHANGE_REFUSED: ReadonlySet<string> = new Set(["435", "438", "447"]);
/** The nick itself cannot be: another number behind it does not help. */
export const NICK_INVALID: ReadonlySet<string> = new Set(["432"]);

/** A JOIN is refused; the channel is the second parameter. */
export const JOIN_REFUSED: ReadonlySet<string> = new Set([
  "403",
  "405",
  "437",
  "442",
  "448",
  "470",
  "471",
  "473",
  "474",
  "475",
  "476",
  "477",
  "479",
  "480",
  "489",
  "495",
  "520",
]);

/** A message or a command is refused; the target is the second parameter. */
export const EFFECT_REFUSED: ReadonlySet<string> = new Set([
  "401",
  "403",
  "404",
  "407",
  "408",
  "415",
  "441",
  "442",
  "443",
  "477",
  "482",
  "484",
  "486",
  "489",
  "492",
  "518",
  "531",
  "716",
]);

/** It is refused for want of a rank in the channel, or a voice. */
export const RANK_LACKING: ReadonlySet<string> = new Set(["404", "482"]);

/** The way in is barred. */
export const REGISTRATION_REFUSED: ReadonlySet<string> = new Set(["463", "464", "465", "466", "484"]);

/** `FAIL NICK <code> [<nick>] :why`. IRCv3 standard-replies. */
export function isFailedNick({ verb, params }: Pick<IrcMessage, "verb" | "params">): boolean {
  return verb === "FAIL" && params[0] === "NICK";
}
