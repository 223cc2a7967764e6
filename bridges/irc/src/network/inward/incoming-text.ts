import type { TextContent } from "@trestle/core";
import { parseFormatted } from "../../format/parse.js";

/** What the text of a PRIVMSG or NOTICE is. */
export type IncomingText =
  | { readonly kind: "content"; readonly content: TextContent }
  /** A request between clients (CTCP) that is no action: for the client, not for people. */
  | { readonly kind: "ctcp"; readonly command: string; readonly argument: string }
  | { readonly kind: "nothing" };

export function incomingText(verb: string, text: string): IncomingText {
  let style: TextContent["style"] = verb === "NOTICE" ? "notice" : "text";
  let body = text;
  if (text.startsWith("\x01")) {
    // The closing delimiter is optional: many clients leave it out, or a server has cut it off.
    const inner = text.slice(1, text.endsWith("\x01") && text.length > 1 ? -1 : undefined);
    const [command = "", ...rest] = inner.split(" ");
    if (command.toUpperCase() !== "ACTION")
      return { kind: "ctcp", command: command.toUpperCase(), argument: rest.join(" ") };
    style = "emote";
    body = inner.slice(command.length + 1);
  }
  const parsed = parseFormatted(body);
  return parsed.blocks.length === 0
    ? { kind: "nothing" }
    : { kind: "content", content: { type: "text", style, body: parsed } };
}
