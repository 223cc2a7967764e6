import { z } from "zod";

/** One line of a message, as it waits in the journal: text with IRC formatting codes, without the name of who says it. */
const wirePartSchema = z.strictObject({
  style: z.enum(["text", "notice", "emote"]),
  /** One line; several, with newlines between them, where they go together as draft/multiline. */
  text: z.string(),
  /** Which of several lines go on from the one before, by number from 0: cut there for the wire alone. */
  goesOn: z.array(z.int().positive()).optional(),
});

export type WirePart = z.output<typeof wirePartSchema>;

export function parseWirePart(value: unknown): WirePart | undefined {
  const parsed = wirePartSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

export interface WireLine {
  readonly verb: "PRIVMSG" | "NOTICE";
  readonly text: string;
  /** Cut off from the line before it for the wire alone: `draft/multiline-concat` where they go together. */
  readonly goesOn?: boolean;
}

/** What a puppet says. */
export function asPuppet({ style, text }: WirePart): WireLine {
  if (style === "emote") return { verb: "PRIVMSG", text: `\x01ACTION ${text}\x01` };
  return { verb: style === "notice" ? "NOTICE" : "PRIVMSG", text };
}

/** What the bot says for somebody. */
export function asRelay({ style, text }: WirePart, name: string): WireLine {
  return { verb: style === "notice" ? "NOTICE" : "PRIVMSG", text: relayPrefix(style, name) + text };
}

/** The formatting of the name ends with it. */
export function relayPrefix(style: WirePart["style"], name: string): string {
  return style === "emote" ? `* ${name} ` : `<${name}> `;
}
