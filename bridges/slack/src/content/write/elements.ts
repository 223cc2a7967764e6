import type { RichTextElement } from "@slack/types";
import { matrixLinkOf, mentionTargetOf, type Inline, type MentionTarget } from "@trestle/rich-text";
import { cutText } from "./cut.js";
import { isSlackId, type WriteOptions, type WriteLimits } from "./options.js";
import { linkUrls } from "./urls.js";

/** How text in a block looks. */
export interface Style {
  readonly bold?: true;
  readonly italic?: true;
  readonly strike?: true;
  readonly underline?: true;
  readonly code?: true;
}

export interface WriteContext {
  readonly options: WriteOptions;
  readonly limits: WriteLimits;
}

interface Place {
  readonly style: Style;
  readonly link: string | undefined;
}

/** Writes a line for a section: text is literal there, so nothing that somebody typed can be more than text. */
export function elementsOf(inlines: readonly Inline[], context: WriteContext, style: Style = {}): RichTextElement[] {
  const writer = new ElementWriter(context);
  writer.addAll(inlines, { style, link: undefined });
  return writer.finish();
}

class ElementWriter {
  readonly #elements: RichTextElement[] = [];
  #text = "";
  #style: Style = {};

  constructor(readonly context: WriteContext) {}

  finish(): RichTextElement[] {
    this.#flush();
    return this.#elements;
  }

  addAll(inlines: readonly Inline[], place: Place): void {
    for (const inline of inlines) this.#add(inline, place);
  }

  #add(inline: Inline, place: Place): void {
    switch (inline.type) {
      case "text":
        this.#letters(inline.text, place);
        break;
      case "break":
        this.#write("\n", place.style);
        break;
      case "code":
        this.#linkOrText(inline.text, { ...place, style: { ...place.style, code: true } });
        break;
      case "bold":
      case "italic":
      case "strike":
      case "underline":
        this.addAll(inline.children, { ...place, style: { ...place.style, [inline.type]: true } });
        break;
      case "link":
        this.addAll(inline.children, { ...place, link: inline.href });
        break;
      case "colour":
        this.addAll(inline.children, place);
        break;
      case "spoiler":
        this.#linkOrText(inline.reason === undefined ? "[spoiler] " : `[spoiler: ${inline.reason}] `, place);
        this.addAll(inline.children, place);
        break;
      case "mention":
        this.#mention(inline, place);
        break;
      case "emoji":
        this.#emoji(inline.name, place);
        break;
      case "image":
        this.#linkOrText(inline.alt === "" ? "image" : inline.alt, {
          ...place,
          link: place.link ?? (inline.src.startsWith("https:") ? inline.src : undefined),
        });
    }
  }

  /** Text in which URLs become links, and those into Matrix mentions. */
  #letters(text: string, place: Place): void {
    const stretches = place.link === undefined ? linkUrls(text) : [{ text, url: place.link }];
    for (const { text: stretch, url } of stretches) {
      const target = url === undefined || place.link !== undefined ? undefined : mentionTargetOf(url);
      if (target === undefined) this.#linkOrText(stretch, { ...place, link: url });
      else this.#mention({ type: "mention", target, text: stretch }, place);
    }
  }

  #linkOrText(text: string, { style, link }: Place): void {
    if (link === undefined) {
      this.#write(text, style);
    } else if (!isLinkable(link)) {
      this.#write(text === link ? text : `${text} (${link})`, style);
    } else if (text === link) {
      this.#push({ type: "link", url: link }, style);
    } else {
      for (const piece of cutText(text, this.context.limits.element)) {
        this.#push({ type: "link", url: link, text: piece }, style);
      }
    }
  }

  #mention({ target, text }: Extract<Inline, { type: "mention" }>, place: Place): void {
    const { everyone, mention: resolve } = this.context.options;
    if (target.kind === "everyone") {
      if (everyone === undefined) this.#write(text, place.style);
      else this.#push({ type: "broadcast", range: everyone }, place.style);
      return;
    }
    const found = resolve?.(target);
    // A bare URL into Matrix says nothing to people in Slack: the one into Slack stands for itself.
    if (found?.kind === "link") this.#linkOrText(isUrl(text) ? found.url : text, { ...place, link: found.url });
    else if (found === undefined || !isSlackId(found.id)) this.#unresolved(target, text, place);
    else if (found.kind === "user") this.#push({ type: "user", user_id: found.id }, place.style);
    else if (found.kind === "channel") this.#push({ type: "channel", channel_id: found.id }, place.style);
    else this.#push({ type: "usergroup", usergroup_id: found.id }, place.style);
  }

  /** A person who is not in Slack is a name; a room or a message can still be followed to Matrix. */
  #unresolved(target: MentionTarget, text: string, place: Place): void {
    const link = target.kind === "matrixRoom" || isUrl(text) ? matrixLinkOf(target) : undefined;
    this.#linkOrText(text, { ...place, link });
  }

  #emoji(name: string, place: Place): void {
    if (place.link === undefined && this.context.options.hasEmoji?.(name) === true) {
      this.#push({ type: "emoji", name }, place.style);
    } else {
      this.#linkOrText(/^[\w+-]+$/.test(name) ? `:${name}:` : name, place);
    }
  }

  #write(text: string, style: Style): void {
    if (!sameStyle(style, this.#style)) this.#flush();
    this.#style = style;
    this.#text += text;
  }

  #flush(): void {
    const pieces = cutText(this.#text, this.context.limits.element);
    this.#text = "";
    for (const text of pieces) this.#push({ type: "text", text }, this.#style);
  }

  #push(element: RichTextElement, style: Style): void {
    this.#flush();
    this.#elements.push(Object.keys(style).length === 0 ? element : { ...element, style });
  }
}

/** Slack refuses a whole message for one link that it does not take: what may be one stands beside its text. */
function isLinkable(url: string): boolean {
  return url.length <= 3_000 && /^(?:https?|mailto):/i.test(url) && URL.canParse(url);
}

function isUrl(text: string): boolean {
  return /^(?:https?:\/\/|matrix:)/i.test(text);
}

const names = ["bold", "italic", "strike", "underline", "code"] as const;

function sameStyle(a: Style, b: Style): boolean {
  return a === b || names.every((name) => a[name] === b[name]);
}
