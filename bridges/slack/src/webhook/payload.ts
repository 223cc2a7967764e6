import type { MessageEffect, TextContent } from "@trestle/core";
import { normalise, splitText, toPlainText, type Block, type Inline, type RichText } from "@trestle/rich-text";
import { z } from "zod";
import type { SlackConfig, WebhookConfig } from "../config.js";
import { slackUsername } from "../content/index.js";
import { textsOf } from "../outward/write.js";

const wireSchema = z.object({ text: z.string(), blocks: z.array(z.record(z.string(), z.unknown())).optional() });

/** One post, as the journal keeps it before it is sent. */
export type WebhookWire = z.output<typeof wireSchema>;

/** Mattermost takes 16,383 characters. */
const mattermostBytes = 15_000;

/** Cuts what a Matrix user said into posts. */
export function webhookWiresOf(
  webhook: WebhookConfig,
  config: Pick<SlackConfig, "mentionRoom">,
  { content, author }: Pick<MessageEffect<TextContent>, "content" | "author">,
): readonly WebhookWire[] {
  const { sender, format } = webhook;
  const body = sender === "text" ? named(author.name || author.userId, content) : content.body;
  if (format === "mattermost") {
    const shown = content.style === "emote" ? italic(body) : body;
    return splitText(normalise(shown), mattermostBytes).map((part) => ({ text: harmless(toPlainText(part)) }));
  }
  const write = { config, slackUserOf: () => undefined };
  return textsOf(write, "webhook", body, content.style).map(({ text, blocks }) => ({ text, blocks }));
}

/** @throws ZodError where an older or newer bridge wrote it in another form */
export function payloadOf(
  webhook: WebhookConfig,
  author: Pick<MessageEffect["author"], "name" | "userId">,
  wire: unknown,
): Readonly<Record<string, unknown>> {
  const { text, blocks } = wireSchema.parse(wire);
  const { sender, icon } = webhook;
  return {
    text,
    ...(blocks && { blocks }),
    ...(sender === "username" && { username: slackUsername(author.name, author.userId) }),
    ...(sender === "username" &&
      icon !== undefined &&
      (icon.startsWith(":") ? { icon_emoji: icon } : { icon_url: icon })),
  };
}

/** `name: text`, or `name does something`. */
function named(name: string, { body, style }: TextContent): RichText {
  const who: Inline[] = [
    { type: "bold", children: [{ type: "text", text: slackUsername(name, "Matrix user") }] },
    { type: "text", text: style === "emote" ? " " : ": " },
  ];
  const [first, ...rest] = body.blocks;
  if (first?.type === "paragraph") return { blocks: [{ ...first, children: [...who, ...first.children] }, ...rest] };
  return { blocks: [{ type: "paragraph", children: who }, ...body.blocks] };
}

function italic(body: RichText): RichText {
  const blocks = body.blocks.map((block): Block =>
    block.type === "paragraph" ? { ...block, children: [{ type: "italic", children: block.children }] } : block,
  );
  return { blocks };
}

/**
 * Mattermost reads mentions of everyone in plain text, in its own form and in Slack's; a character that nobody sees
 * keeps it from that.
 */
function harmless(text: string): string {
  return text.replace(/@(?=(?:all|channel|here)\b)/gi, "@\u200b").replace(/<(?=[!@])/g, "<\u200b");
}
