import { normalise, toPlainText, type Block, type Inline, type ListItem, type RichText } from "@trestle/rich-text";
import { isSlackId, type WriteOptions } from "./options.js";

/** Escapes text for mrkdwn: nothing in it can be a mention or a link any more. */
export function escapeMrkdwn(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/**
 * Writes a text as the `text` of a message: what notifications and clients without blocks show. Everything in it that
 * somebody wrote is escaped; only the mentions are markup.
 */
export function fallbackText(body: RichText, options: WriteOptions): string {
  return toPlainText({ blocks: normalise(body).blocks.map(escapedBlock) }, { marks: "none", mention: mentionText });

  function mentionText({ target, text }: Extract<Inline, { type: "mention" }>): string {
    if (target.kind === "everyone") return options.everyone === undefined ? text : `<!${options.everyone}>`;
    const found = options.mention?.(target);
    if (found === undefined || found.kind === "link" || !isSlackId(found.id)) return text;
    if (found.kind === "user") return `<@${found.id}>`;
    return found.kind === "channel" ? `<#${found.id}>` : `<!subteam^${found.id}>`;
  }
}

function escapedBlock(block: Block): Block {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return { ...block, children: block.children.map(escapedInline) };
    case "codeBlock":
      return { ...block, text: escapeMrkdwn(block.text) };
    case "quote":
      return { ...block, blocks: block.blocks.map(escapedBlock) };
    case "list":
      return { ...block, items: block.items.map((item): ListItem => ({ blocks: item.blocks.map(escapedBlock) })) };
    case "rule":
      return block;
  }
}

function escapedInline(inline: Inline): Inline {
  switch (inline.type) {
    case "text":
    case "code":
    case "mention":
      return { ...inline, text: escapeMrkdwn(inline.text) };
    case "break":
      return inline;
    case "image":
      return { type: "text", text: escapeMrkdwn(inline.alt === "" ? "image" : inline.alt) };
    case "emoji":
      return { type: "text", text: escapeMrkdwn(/^[\w+-]+$/.test(inline.name) ? `:${inline.name}:` : inline.name) };
    case "link":
      return { ...inline, href: escapeMrkdwn(inline.href), children: inline.children.map(escapedInline) };
    case "spoiler": {
      const label = inline.reason === undefined ? "[spoiler] " : `[spoiler: ${inline.reason}] `;
      const children: Inline[] = [{ type: "text", text: escapeMrkdwn(label) }, ...inline.children.map(escapedInline)];
      return { type: "colour", children };
    }
    default:
      return { ...inline, children: inline.children.map(escapedInline) };
  }
}
