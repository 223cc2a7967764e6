import type { Direction } from "../ledger.js";

export type Side = "matrix" | "slack";
export type SlackDirection = Extract<Direction, `${string}Slack${string}`>;
export const directions: readonly SlackDirection[] = ["Matrix → Slack", "Slack → Matrix"];

/** Where what was said on a side goes. */
export function directionFrom(side: Side): SlackDirection {
  return side === "matrix" ? "Matrix → Slack" : "Slack → Matrix";
}

/** Something that was said, and what has become of it. */
export interface Utterance {
  /** `m3-17`: message 17 of place 3, said on Matrix. */
  readonly id: string;
  readonly side: Side;
  readonly place: number;
  /** What it answers in a thread: the first message of it. */
  readonly root: Utterance | undefined;
  /** In milliseconds since 1970. */
  readonly at: number;
  /** The Matrix user or the Slack user. */
  readonly who: string;
  /** The event's id, or Slack's `ts`. */
  readonly handle: string;
  /** How often it was edited. */
  version: number;
  deleted: boolean;
  /** Somebody answers it in a thread, or has reacted to it: it stays. */
  pinned: boolean;
}

/** A reaction; nobody reacts to the same with the same emoji again. */
export interface Reaction {
  readonly id: string;
  readonly side: Side;
  readonly target: Utterance;
  /** The Matrix user or the Slack user. */
  readonly who: string;
  readonly emoji: Emoji;
  readonly at: number;
  /** The event's id, on Matrix. */
  readonly handle: string | undefined;
  taken: boolean;
}

export interface Emoji {
  /** Slack's name. */
  readonly name: string;
  readonly character: string;
}

export const emojis: readonly Emoji[] = [
  { name: "tada", character: "🎉" },
  { name: "rocket", character: "🚀" },
  { name: "eyes", character: "👀" },
  { name: "fire", character: "🔥" },
];

/** What was said and done in one place, on each side in the order of that side. */
export class Book {
  readonly utterances: Utterance[] = [];
  readonly reactions: Reaction[] = [];

  constructor(readonly place: number) {}

  of(side: Side): readonly Utterance[] {
    return this.utterances.filter((each) => each.side === side);
  }

  hasReacted(target: Utterance, who: string, emoji: Emoji): boolean {
    return this.reactions.some((each) => each.target === target && each.who === who && each.emoji === emoji);
  }

  /** The last few that are still there. */
  recent(count: number, matches: (utterance: Utterance) => boolean): readonly Utterance[] {
    const found: Utterance[] = [];
    for (let index = this.utterances.length - 1; index >= 0 && found.length < count; index--) {
      const each = this.utterances[index];
      if (each && !each.deleted && matches(each)) found.push(each);
    }
    return found;
  }
}
