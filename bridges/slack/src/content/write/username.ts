import { cleanText } from "@trestle/rich-text";
import { cutText } from "./cut.js";

/** As long as Slack takes the name of a sender. */
const maxLength = 80;

/** Characters that are not seen, and that would make one name look like another; U+200D only outside of emoji. */
const hidden =
  /[\p{Cc}\p{Bidi_Control}\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\uffff\u{e0000}-\u{e0fff}]/gu;
const joinerOutsideEmoji =
  /(?<!\p{Extended_Pictographic}\ufe0f?|\p{Emoji_Modifier})\u200d|\u200d(?!\p{Extended_Pictographic})/gu;

/**
 * A Matrix user's name as the `username` of a message: on one line, at most 80 characters, without anything invisible,
 * and with nothing that Slack could take for a mention or a link. `fallback` is used where nothing is left.
 */
export function slackUsername(name: string, fallback: string): string {
  return cleaned(name) || cleaned(fallback) || "Matrix user";
}

function cleaned(name: string): string {
  const visible = cleanText(name)
    .replace(/[\s\p{Z}]+/gu, " ")
    .replace(hidden, "")
    .replace(joinerOutsideEmoji, "")
    .replace(/</g, "‹")
    .replace(/>/g, "›")
    .replace(/&(?=(?:amp|lt|gt|#\w+);)/gi, "＆")
    .trim();
  const [short = ""] = cutText(visible, maxLength);
  return short.trim();
}
