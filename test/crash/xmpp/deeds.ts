import type { Random } from "../../tools/random.js";
import type { Book, Reaction, Side, Utterance } from "./book.js";

/** What somebody may do, and how often they do it. */
const shares = [
  ["say", 0.5],
  ["answer", 0.14],
  ["edit", 0.13],
  ["react", 0.1],
  ["unreact", 0.06],
  ["delete", 0.07],
] as const;

const keys = ["🎉", "🚀", "👀", "🔥"];

export type Deed =
  | { readonly do: "say" }
  | { readonly do: "answer"; readonly target: Utterance }
  | { readonly do: "edit"; readonly target: Utterance }
  | { readonly do: "delete"; readonly target: Utterance }
  | { readonly do: "react"; readonly target: Utterance; readonly key: string }
  | { readonly do: "unreact"; readonly reaction: Reaction };

/** How far back people act on what was said. */
const reach = 12;

/** Decides what somebody on a side does next. Where there is nothing to do it to, they say something. */
export function nextDeed(random: Random, book: Book, side: Side): Deed {
  const kind = pickKind(random);
  if (kind === "say") return { do: kind };
  if (kind === "unreact") {
    const standing = book.reactions.filter((each) => each.side === side && !each.taken).slice(-reach);
    return standing.length > 0 ? { do: kind, reaction: random.pick(standing) } : { do: "say" };
  }
  const isFor = {
    answer: () => true,
    react: () => true,
    edit: (each: Utterance) => each.side === side,
    delete: (each: Utterance) => each.side === side && !each.pinned,
  };
  const choice = book.recent(reach, isFor[kind]);
  if (choice.length === 0) return { do: "say" };
  const target = random.pick(choice);
  return kind === "react" ? { do: kind, target, key: random.pick(keys) } : { do: kind, target };
}

function pickKind(random: Random): (typeof shares)[number][0] {
  let left = random.next();
  for (const [kind, share] of shares) {
    left -= share;
    if (left < 0) return kind;
  }
  return "say";
}
