import { isContentUri } from "../../mapping/identifiers.js";
import type { Pictures } from "../pictures.js";

/** The name of a custom emoji, with or without its colons. */
const shortcode = /^:?([^\s:]{1,100}):?$/u;

/**
 * What a network is told that somebody reacted with: of a picture its name between colons, as the reaction says it
 * (MSC4027) or as the network called it. Clients that repeat a reaction leave its name out.
 */
export async function reactionKeyOf(
  key: string,
  content: Readonly<Record<string, unknown>>,
  pictures: Pick<Pictures, "nameOf">,
): Promise<string> {
  if (!isContentUri(key)) return key;
  const said = content.shortcode ?? content["com.beeper.reaction.shortcode"];
  const name = (await pictures.nameOf(key)) ?? (typeof said === "string" ? shortcode.exec(said)?.[1] : undefined);
  return name === undefined ? key : `:${name}:`;
}
