import { element } from "./api.js";

const ALLOWED = new Set([
  "b",
  "strong",
  "i",
  "em",
  "u",
  "s",
  "del",
  "code",
  "pre",
  "blockquote",
  "br",
  "p",
  "ul",
  "ol",
  "li",
  "span",
  "h1",
  "h2",
  "h3",
]);
const DEEPEST = 20;

/** What may be shown of Matrix HTML, as nodes; everything else is shown as its text. */
export function nodesOfHtml(html) {
  const parsed = new window.DOMParser().parseFromString(html, "text/html");
  for (const reply of parsed.querySelectorAll("mx-reply, script, style")) reply.remove();
  return copyChildren(parsed.body, 0);
}

function copyChildren(from, depth) {
  return [...from.childNodes].flatMap((node) => copy(node, depth));
}

function copy(node, depth) {
  if (node.nodeType === 3) return [document.createTextNode(node.data)];
  if (node.nodeType !== 1) return [];
  const tag = node.tagName.toLowerCase();
  const children = depth < DEEPEST ? copyChildren(node, depth + 1) : [node.textContent];
  if (tag === "a" && /^https?:\/\//i.test(node.getAttribute("href") ?? "")) {
    return [
      element("a", { href: node.getAttribute("href"), rel: "noreferrer noopener", target: "_blank" }, ...children),
    ];
  }
  if (!ALLOWED.has(tag)) return children;
  return [element(/^h\d$/.test(tag) ? "strong" : tag, {}, ...children)];
}

const STYLES = { "\x02": "b", "\x1d": "i", "\x1f": "u", "\x1e": "s", "\x11": "code" };

/** IRC's control codes as nodes: bold, italic, underlined, struck out, monospaced; colours are left out. */
export function nodesOfIrc(text) {
  const nodes = [];
  let on = new Set();
  // eslint-disable-next-line no-control-regex -- IRC marks its formatting with control characters
  const pieces = text.split(/(\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[\da-fA-F]{6})?|[\x02\x0f\x11\x16\x1d\x1e\x1f])/);
  pieces.forEach((piece, index) => {
    if (index % 2 === 0) {
      if (piece !== "") nodes.push(wrap(piece, on));
    } else if (piece === "\x0f") {
      on = new Set();
    } else if (piece in STYLES) {
      const tag = STYLES[piece];
      if (!on.delete(tag)) on.add(tag);
    }
  });
  return nodes;
}

function wrap(text, tags) {
  let node = document.createTextNode(text);
  for (const tag of tags) node = element(tag, {}, node);
  return node;
}

const MARKS = [
  [/\*\*([^*]+)\*\*/g, "strong", "\x02"],
  [/(?<![\w*])[*_]([^*_]+)[*_](?![\w*])/g, "em", "\x1d"],
  [/~~([^~]+)~~/g, "del", "\x1e"],
  [/`([^`]+)`/g, "code", "\x11"],
];

/** `**bold**`, `*italic*`, `~~struck~~` and `` `code` `` as Matrix HTML; `undefined` where there is none. */
export function htmlOfTyped(text) {
  const escaped = text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
  const marked = MARKS.reduce((html, [pattern, tag]) => html.replace(pattern, `<${tag}>$1</${tag}>`), escaped);
  return marked === escaped ? undefined : marked.replace(/\n/g, "<br>");
}

/** The same marks as IRC's control codes. */
export function ircOfTyped(text) {
  return MARKS.reduce((line, [pattern, , code]) => line.replace(pattern, `${code}$1${code}`), text);
}
