import type { Direction, Said } from "../ledger.js";

export type Side = "matrix" | "xmpp";
export type XmppDirection = Extract<Direction, `${string}XMPP${string}`>;
export const directions: readonly XmppDirection[] = ["Matrix → XMPP", "XMPP → Matrix"];

/** Where what was said on a side goes. */
export function directionFrom(side: Side): XmppDirection {
  return side === "matrix" ? "Matrix → XMPP" : "XMPP → Matrix";
}

/** Something that somebody said, and what they have done to it since. On XMPP the room may not have taken it. */
export interface Utterance {
  /** `m3-17`: message 17 of place 3, said on Matrix. */
  readonly id: string;
  readonly side: Side;
  readonly number: number;
  /** In milliseconds since 1970. */
  readonly at: number;
  /** The Matrix user, or the nick. */
  readonly who: string;
  /** The event's id, or the id that its sender gave the stanza. */
  readonly handle: string;
  readonly answers: Utterance | undefined;
  /** How often it was edited. */
  version: number;
  deleted: boolean;
  /** Somebody answers it, or has reacted to it: it stays. */
  pinned: boolean;
}

/** A reaction; nobody reacts to the same with the same emoji again. */
export interface Reaction {
  readonly side: Side;
  readonly target: Utterance;
  /** The Matrix user, or the nick. */
  readonly who: string;
  readonly key: string;
  readonly at: number;
  /** The event's id, on Matrix. */
  readonly handle: string | undefined;
  taken: boolean;
}

/** What people in one place meant to say and do. What was said on XMPP is what the room's archive has. */
export class Book {
  readonly utterances: Utterance[] = [];
  readonly reactions: Reaction[] = [];
  /** The texts that were said on Matrix, edits among them, in the order of the room. */
  readonly saidOnMatrix: Said[] = [];

  /** The events that people on Matrix sent themselves. */
  readonly sent = new Set<string>();

  /** `humans`: who is behind those who are there several times. */
  constructor(
    readonly place: number,
    private readonly humans: ReadonlyMap<string, string> = new Map(),
  ) {}

  /** Whether they have reacted with this, or with anything as whom else they are: the newer set would take its place. */
  hasReacted(target: Utterance, who: string, key: string): boolean {
    return this.reactions.some(
      (each) =>
        each.target === target && (each.who === who ? each.key === key : this.#human(each.who) === this.#human(who)),
    );
  }

  #human(who: string): string {
    return this.humans.get(who) ?? who;
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
