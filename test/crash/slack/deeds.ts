import type { Random } from "../../tools/random.js";
import { emojis, type Book, type Emoji, type Reaction, type Side, type Utterance } from "./book.js";

/** What somebody may do, and how often they do it. */
const shares = [
  ["say", 0.5],
  ["answer", 0.16],
  ["edit", 0.12],
  ["react", 0.1],
  ["unreact", 0.05],
  ["delete", 0.07],
] as const;

export type Deed =
  | { readonly do: "say" }
  | { readonly do: "answer" | "edit" | "delete"; readonly target: Utterance }
  | { readonly do: "react"; readonly target: Utterance; readonly emoji: Emoji }
  | { readonly do: "unreact"; readonly reaction: Reaction };

/** How far back people act on what was said. */
const reach = 12;

/** Decides what somebody on a side does next. Where there is nothing to do it to, they say something. */
export function nextDeed(random: Random, book: Book, side: Side): Deed {
  const kind = pickKind(random);
  const pick = (list: readonly Utterance[]): Utterance | undefined =>
    list.length === 0 ? undefined : random.pick(list);
  switch (kind) {
    case "say":
      break;
    case "answer": {
      const target = pick(book.recent(reach, ({ root }) => root === undefined));
      if (target) return { do: kind, target };
      break;
    }
    case "edit": {
      const target = pick(book.recent(reach, (each) => each.side === side));
      if (target) return { do: kind, target };
      break;
    }
    case "delete": {
      const target = pick(book.recent(reach, (each) => each.side === side && !each.pinned));
      if (target) return { do: kind, target };
      break;
    }
    case "react": {
      const target = pick(book.recent(reach, () => true));
      if (target) return { do: kind, target, emoji: random.pick(emojis) };
      break;
    }
    case "unreact": {
      const standing = book.reactions.filter((each) => each.side === side && !each.taken).slice(-reach);
      if (standing.length > 0) return { do: kind, reaction: random.pick(standing) };
    }
  }
  return { do: "say" };
}

function pickKind(random: Random): (typeof shares)[number][0] {
  let left = random.next();
  for (const [kind, share] of shares) {
    left -= share;
    if (left < 0) return kind;
  }
  return "say";
}
