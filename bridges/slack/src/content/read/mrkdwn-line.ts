import type { Inline, Styled } from "@trestle/rich-text";
import { decodeEntities } from "../message.js";
import { append } from "./append.js";
import { controlInlines } from "./control.js";
import { emojiAt } from "./emoji-text.js";
import { plainOf } from "./inlines.js";
import type { Reader } from "./reader.js";

type MarkName = "*" | "_" | "~";

/** A character that may begin or end a style, until it is known whether it does. */
interface Mark {
  readonly mark: MarkName;
  readonly canOpen: boolean;
  readonly canClose: boolean;
}

const styles: Readonly<Record<MarkName, Styled["type"]>> = { "*": "bold", _: "italic", "~": "strike" };

/** Behind what a style may begin: not behind letters, digits, `)` or `\`, so that `a*b*c` and `¯\_(ツ)_/¯` are text. */
const before = /^[\s\p{Pi}([{<>"'*_~\-–—.,:;!?/|=+@#&`\u200b-\u200d\u2060\ufeff]$/u;
/** Before what a style may end. */
const after = /^[\s\p{Pf})\]}<>"'*_~\-–—.,:;!?/|=+&…`\u200b-\u200d\u2060\ufeff]$/u;

/** Reads one line of mrkdwn: no style reaches beyond it. With `styled` false, `*`, `_`, `~` and `` ` `` are text. */
export function lineInlines(line: string, reader: Reader, styled = true): Inline[] {
  return new LineReader(line, reader, styled).read();
}

class LineReader {
  readonly #pieces: Inline[] = [];
  /** Marks that may still be closed, with their index among the pieces; at most one of each. */
  readonly #open: { readonly mark: MarkName; readonly index: number }[] = [];
  #text = "";
  #lastTick: number;

  constructor(
    readonly line: string,
    readonly reader: Reader,
    readonly styled: boolean,
  ) {
    this.#lastTick = line.lastIndexOf("`");
  }

  read(): Inline[] {
    const special = /[&<:`*_~]/g;
    let at = 0;
    while (at < this.line.length) {
      special.lastIndex = at;
      const found = special.exec(this.line)?.index ?? this.line.length;
      this.#text += this.line.slice(at, found);
      at = found < this.line.length ? found + this.#special(found) : found;
    }
    this.#flush();
    return this.#pieces;
  }

  /** Reads what begins with a special character, and returns its length. */
  #special(at: number): number {
    switch (this.line.charAt(at)) {
      case "&":
        return this.#entity(at);
      case "<":
        return this.#control(at);
      case ":":
        return this.#emoji(at);
      case "`":
        return this.styled ? this.#code(at) : this.#literal(at);
      default:
        return this.styled ? this.#mark(at) : this.#literal(at);
    }
  }

  #literal(at: number): number {
    this.#text += this.line.charAt(at);
    return 1;
  }

  #entity(at: number): number {
    const entity = ["&amp;", "&lt;", "&gt;"].find((name) => this.line.startsWith(name, at));
    if (entity === undefined) return this.#literal(at);
    this.#text += decodeEntities(entity);
    return entity.length;
  }

  #control(at: number): number {
    const inside = control(this.line, at);
    const inlines = inside === undefined ? undefined : controlInlines(inside, this.reader);
    if (inside === undefined || inlines === undefined) return this.#literal(at);
    this.#flush();
    append(this.#pieces, inlines);
    return inside.length + 2;
  }

  #emoji(at: number): number {
    const emoji = emojiAt(this.line, at, this.reader);
    if (emoji === undefined) return this.#literal(at);
    this.#flush();
    this.#pieces.push(emoji.inline);
    return emoji.length;
  }

  #code(at: number): number {
    const end = at < this.#lastTick ? this.line.indexOf("`", at + 1) : -1;
    if (end <= at + 1) return this.#literal(at);
    this.#flush();
    this.#pieces.push({ type: "code", text: literalText(this.line.slice(at + 1, end), this.reader) });
    return end + 1 - at;
  }

  #mark(at: number): number {
    const mark = markAt(this.line, at);
    if (mark.canClose && this.#close(mark.mark)) return 1;
    if (mark.canOpen && !this.#open.some((open) => open.mark === mark.mark)) {
      this.#flush();
      this.#open.push({ mark: mark.mark, index: this.#pieces.length });
      this.#pieces.push({ type: "text", text: mark.mark });
      return 1;
    }
    return this.#literal(at);
  }

  /** Wraps everything since the mark was opened. Marks that were opened within and not closed stay text. */
  #close(mark: MarkName): boolean {
    const level = this.#open.findLastIndex((open) => open.mark === mark);
    const index = this.#open[level]?.index;
    if (index === undefined) return false;
    this.#flush();
    this.#open.length = level;
    const [, ...children] = this.#pieces.splice(index);
    this.#pieces.push({ type: styles[mark], children });
    return true;
  }

  #flush(): void {
    if (this.#text !== "") this.#pieces.push({ type: "text", text: this.#text });
    this.#text = "";
  }
}

function markAt(line: string, at: number): Mark {
  const mark = line.charAt(at);
  const left = line.charAt(at - 1);
  const right = line.charAt(at + 1);
  return {
    mark: mark === "*" || mark === "_" ? mark : "~",
    canOpen: (left === "" || before.test(left)) && right !== "" && right !== mark && !/\s/.test(right),
    canClose: (right === "" || after.test(right)) && left !== "" && left !== mark && !/\s/.test(left),
  };
}

/** The inside of `<…>`; `undefined` where no `>` follows before the next `<` or the end. */
function control(line: string, at: number): string | undefined {
  const shape = /<([^<>\n]+)>/y;
  shape.lastIndex = at;
  return shape.exec(line)?.[1];
}

/** Code: no styles and no emoji, but Slack still links and mentions in it, which are shown by their text. */
export function literalText(source: string, reader: Reader): string {
  return source.replace(/<([^<>\n]+)>|&(?:amp|lt|gt);/g, (all, inside: string | undefined) => {
    if (inside === undefined) return decodeEntities(all);
    const inlines = controlInlines(inside, reader);
    return inlines === undefined ? all : literalOf(inlines);
  });
}

/** Mentions have their sigil in code, for there they are only letters. */
function literalOf(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => {
      if (inline.type !== "mention") return plainOf([inline]);
      return /^[@#]/.test(inline.text) || inline.target.kind === "matrixRoom" ? inline.text : `@${inline.text}`;
    })
    .join("");
}
