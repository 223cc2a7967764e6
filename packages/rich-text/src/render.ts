import { cleanHref, isContentUri, matrixLinkOf, mentionTargetOf } from "./links.js";
import { normalise } from "./normalise.js";
import { leafText, plainTextOf } from "./plain.js";
import { escapeHtml } from "./text.js";
import { lineHtml } from "./line-html.js";
import type { Block, Inline, RichText } from "./tree.js";

/** A text as a Matrix event holds it. */
export interface MatrixText {
  /** Plain text with the marks people type, for clients that show no HTML. */
  readonly body: string;
  /** `org.matrix.custom.html`, only where the text has formatting. */
  readonly formattedBody?: string;
}

/** Writes a text for Matrix. Mentions of a network's own users and channels are written as plain text: translate them before. */
export function toMatrix(tree: RichText): MatrixText {
  const normal = matrixForm(tree);
  const body = plainTextOf(normal);
  return isFormatted(normal.blocks) ? { body, formattedBody: blocksHtml(normal.blocks, true) } : { body };
}

/** Writes a text as `org.matrix.custom.html`, whether it has formatting or not. Reading it gives `matrixForm(tree)`. */
export function toMatrixHtml(tree: RichText): string {
  return blocksHtml(matrixForm(tree).blocks, true);
}

/**
 * The normalised tree with what Matrix HTML can not hold replaced by what it can: mentions of remote people and of
 * everyone (which the event's `m.mentions` makes) and pictures that are not on Matrix become text or links, links
 * into Matrix become mentions.
 */
export function matrixForm(tree: RichText): RichText {
  const normal = normalise(tree);
  const blocks = normal.blocks.map(matrixBlock);
  return blocks.every((block, index) => block === normal.blocks[index]) ? normal : normalise({ blocks });
}

function matrixBlock(block: Block): Block {
  switch (block.type) {
    case "paragraph":
    case "heading": {
      const children = matrixInlines(block.children);
      return children === block.children ? block : { ...block, children };
    }
    case "quote": {
      const blocks = mapSame(block.blocks, matrixBlock);
      return blocks === block.blocks ? block : { ...block, blocks };
    }
    case "list": {
      const items = mapSame(block.items, (item) => {
        const blocks = mapSame(item.blocks, matrixBlock);
        return blocks === item.blocks ? item : { blocks };
      });
      return items === block.items ? block : { ...block, items };
    }
    case "codeBlock":
    case "rule":
      return block;
  }
}

function mapSame<Value>(values: readonly Value[], map: (value: Value) => Value): readonly Value[] {
  const mapped = values.map(map);
  return mapped.every((value, index) => value === values[index]) ? values : mapped;
}

function matrixInlines(inlines: readonly Inline[]): readonly Inline[] {
  return mapSame(inlines, matrixInline);
}

function matrixInline(inline: Inline): Inline {
  switch (inline.type) {
    case "text":
    case "break":
    case "code":
      return inline;
    case "mention":
      return matrixLinkOf(inline.target) === undefined ? { type: "text", text: inline.text } : inline;
    case "emoji":
      if (inline.url !== undefined && isContentUri(inline.url)) return inline;
      return { type: "text", text: leafText(inline, {}) };
    case "image":
      if (isContentUri(inline.src)) return inline;
      return linkTo(inline.src, inline.alt === "" ? inline.src : inline.alt);
    case "link": {
      const target = mentionTargetOf(inline.href);
      if (target !== undefined) {
        return {
          type: "mention",
          target,
          text: plainTextOf({ blocks: [{ type: "paragraph", children: inline.children }] }, { marks: "none" }),
        };
      }
      const children = matrixInlines(inline.children);
      return children === inline.children ? inline : { ...inline, children };
    }
    default: {
      const children = matrixInlines(inline.children);
      return children === inline.children ? inline : { ...inline, children };
    }
  }
}

function linkTo(url: string, text: string): Inline {
  const children: Inline[] = [{ type: "text", text }];
  return { type: "link", href: cleanHref(url) ?? url, children };
}

/** Whether plain text would lose something. */
function isFormatted(blocks: readonly Block[]): boolean {
  return blocks.some((block) => block.type !== "paragraph" || block.children.some(isFormattedInline));
}

function isFormattedInline(inline: Inline): boolean {
  if (inline.type === "link") return !isBareLink(inline.href, inline.children);
  return inline.type !== "text" && inline.type !== "break";
}

/** A link that shows its own URL: every client links it by itself. */
function isBareLink(href: string, children: readonly Inline[]): boolean {
  const only = children.length === 1 ? children[0] : undefined;
  return only?.type === "text" && only.text === href && /^(https?|mailto):/.test(href);
}

function blocksHtml(blocks: readonly Block[], outermost: boolean): string {
  return blocks
    .map((block, index) => {
      if (block.type !== "paragraph") return blockHtml(block);
      const beside = blocks[index - 1]?.type === "paragraph" || blocks[index + 1]?.type === "paragraph";
      const html = lineHtml(block.children);
      return beside || (outermost && blocks.length > 1) ? `<p>${html}</p>` : html;
    })
    .join("");
}

function blockHtml(block: Exclude<Block, { readonly type: "paragraph" }>): string {
  switch (block.type) {
    case "heading":
      return `<h${block.level}>${lineHtml(block.children)}</h${block.level}>`;
    case "codeBlock": {
      const language = block.language === undefined ? "" : ` class="language-${escapeHtml(block.language)}"`;
      return `<pre><code${language}>${escapeHtml(block.text)}\n</code></pre>`;
    }
    case "quote":
      return `<blockquote>${blocksHtml(block.blocks, false)}</blockquote>`;
    case "list": {
      const items = block.items.map((item) => `<li>${blocksHtml(item.blocks, false)}</li>`).join("");
      if (!block.ordered) return `<ul>${items}</ul>`;
      return `<ol${block.start === undefined ? "" : ` start="${block.start}"`}>${items}</ol>`;
    }
    case "rule":
      return "<hr>";
  }
}
