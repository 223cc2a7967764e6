import { cleanText } from "@trestle/rich-text";
import { cutText } from "./cut.js";

/** As long as Slack takes the name of a sender. */
const maxLength = 80;

/**
 * What is not seen, and would make one name look like another: the format characters of Unicode but the joiner of emoji,
 * the fillers of Hangul and Khmer, the variation selectors but those of emoji, and the tags.
 */
const hidden =
  /\u034f|[\ufe00-\ufe0d]|[\u180b-\u180f]|[\u17b4\u17b5]|[\p{Cc}\u115f\u1160\u3164\uffa0]|(?!\u200d)\p{Cf}/gu;
/** A joiner that joins no two emoji. */
const looseJoiner =
  /(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?)\u200d|\u200d(?!\p{Extended_Pictographic})/gu;

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
    .replace(looseJoiner, "")
    .replace(/</g, "‹")
    .replace(/>/g, "›")
    .replace(/&(?=(?:amp|lt|gt|#\w+);)/gi, "＆")
    .trim();
  const [short = ""] = cutText(visible, maxLength);
  return short.trim();
}
