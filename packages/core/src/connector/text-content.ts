import { normalise, richTextOf, type RichText } from "@trestle/rich-text";
import type { TextContent } from "./content.js";

/** A text message. A string is taken as it stands, with its line breaks: nothing in it is formatting. */
export function textContent(text: string | RichText, style: TextContent["style"] = "text"): TextContent {
  return { type: "text", style, body: typeof text === "string" ? richTextOf(text) : normalise(text) };
}
