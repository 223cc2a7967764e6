import type { Leaf } from "./runs.js";
import { cleanImageUrl } from "./links.js";
import { cleanLabel, cleanText, trimEndOf } from "./text.js";
import type { Mention, MentionTarget } from "./tree.js";

/** A leaf made of parts of unknown origin, cleaned; `undefined` where nothing is left of it. */
export function codeLeaf(text: string): Leaf | undefined {
  const cleaned = cleanText(text).replace(/\n/g, " ");
  return cleaned === "" ? undefined : { type: "code", text: cleaned };
}

export function mentionLeaf({ target, text }: Pick<Mention, "target" | "text">): Leaf | undefined {
  const label = target.kind === "everyone" ? "@room" : cleanLabel(text) || cleanLabel(idOf(target));
  return label === "" ? undefined : { type: "mention", target, text: label };
}

function idOf(target: Exclude<MentionTarget, { readonly kind: "everyone" }>): string {
  switch (target.kind) {
    case "matrixUser":
      return target.userId;
    case "matrixRoom":
      return target.roomIdOrAlias;
    case "remoteUser":
    case "remoteChannel":
      return target.id;
  }
}

export function emojiLeaf(name: string, url: string | undefined): Leaf | undefined {
  const cleaned = trimEndOf(cleanLabel(name).replace(/^[ :]+/, ""), " :");
  if (cleaned === "") return undefined;
  const checked = url === undefined ? undefined : cleanImageUrl(url);
  return { type: "emoji", name: cleaned, ...(checked === undefined ? {} : { url: checked }) };
}

export function imageLeaf(src: string, alt: string): Leaf | undefined {
  const checked = cleanImageUrl(src);
  const label = cleanLabel(alt);
  if (checked !== undefined) return { type: "image", src: checked, alt: label };
  return label === "" ? undefined : { type: "text", text: label };
}
