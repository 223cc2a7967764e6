import { splitContent, describeMedia, textContent, type Content } from "@trestle/core";
import { normalise, richTextOf, toPlainText, type RichText } from "@trestle/rich-text";
import { partsOf } from "../content/index.js";

/** With every character escaped it is still less than the stream sends, and servers take. */
const TEXT_BYTES = 40_000;
/** Longer texts are not sent twice over, with styling and as XHTML-IM. */
const XHTML_BYTES = 8_000;

/**
 * What a message is in a room, a stanza each: a file and its caption are two. Where the bridge speaks for all, `name` is
 * who says it.
 */
export function partsFor(content: Content, name?: string): readonly Content[] {
  const named = name === undefined ? content : spokenBy(content, name);
  return partsOf(named).flatMap((part) => splitContent(part, TEXT_BYTES));
}

function spokenBy(content: Content, name: string): Content {
  if (content.type === "location") return { ...content, description: `<${name}> ${content.description ?? "Location"}` };
  if (content.type === "media")
    return { ...content, caption: prefixed(content.caption ?? richTextOf(describeMedia(content)), `<${name}> `) };
  return content.style === "emote"
    ? textContent(prefixed(content.body, `* ${name} `))
    : { ...content, body: prefixed(content.body, `<${name}> `) };
}

function prefixed(body: RichText, prefix: string): RichText {
  const [first, ...others] = body.blocks;
  const begin = { type: "text" as const, text: prefix };
  if (first?.type !== "paragraph")
    return normalise({ blocks: [{ type: "paragraph", children: [begin] }, ...body.blocks] });
  return normalise({ blocks: [{ ...first, children: [begin, ...first.children] }, ...others] });
}

/** Whether a text has more to it than letters, which is worth to be said in XHTML-IM too. */
export function isFormatted(content: Content): boolean {
  if (content.type !== "text") return false;
  const plain = toPlainText(content.body, { marks: "none" });
  return (
    Buffer.byteLength(plain) <= XHTML_BYTES &&
    JSON.stringify(richTextOf(plain).blocks) !== JSON.stringify(normalise(content.body).blocks)
  );
}
