import type { Inline, MentionTarget } from "@trestle/rich-text";
import { marks, withoutMarks, type Range } from "./code-points.js";

/** A mention (XEP-0372) and where in the body it stands. */
export interface MentionRange extends Range {
  readonly target: MentionTarget;
}

interface Marked {
  readonly text: string;
  readonly target: MentionTarget;
}

/** A text of which each mention is one mark, so that no codec sees what its name is made of. */
export class MarkedText {
  readonly text: string;
  readonly #mentions: Marked[] = [];
  #next = 0;

  /** Of mentions that overlap, the one that begins first counts. */
  constructor(body: string, mentions: readonly MentionRange[]) {
    const text = withoutMarks(body);
    if (mentions.length === 0) {
      this.text = text;
      return;
    }
    const characters = Array.from(text);
    const pieces: string[] = [];
    let at = 0;
    for (const { start, end, target } of mentions.toSorted((a, b) => a.start - b.start)) {
      const name = characters.slice(start, end).join("");
      if (start < at || end > characters.length || name.trim() === "" || name.includes("\n")) continue;
      pieces.push(characters.slice(at, start).join(""), marks.mention);
      this.#mentions.push({ text: name, target });
      at = end;
    }
    this.text = pieces.join("") + characters.slice(at).join("");
  }

  /** Part of the text as letters and mentions. Parts must be asked for in the order in which they stand. */
  inlines(part: string): Inline[] {
    return part.split(marks.mention).flatMap((text, index): Inline[] => {
      const mention = index === 0 ? undefined : this.#mentions[this.#next++];
      return [
        ...(mention === undefined ? [] : [{ type: "mention", ...mention } as const]),
        ...(text === "" ? [] : [{ type: "text", text } as const]),
      ];
    });
  }

  /** Part of the text as it was, where nothing can be a mention. In order too. */
  verbatim(part: string): string {
    return part.replaceAll(marks.mention, () => this.#mentions[this.#next++]?.text ?? "");
  }
}
