import type { Write } from "../store/writes.js";

export const toNetwork = 0;
export const toMatrix = 1;
/** Which way an entry goes: from Matrix to the network, or from the network to Matrix. */
export type DirectionCode = typeof toNetwork | typeof toMatrix;

/** One journaled cause, on its way to its effect. */
export interface Entry {
  readonly seq: number;
  /** What must stay in order: entries of one lane are worked on one after the other. */
  readonly lane: string;
  /** The event id, or the network's id, of the cause. */
  readonly source: string;
  /** When it was journaled, in milliseconds since 1970. */
  readonly at: number;
  readonly payload: unknown;
  /** Attempts so far that failed. */
  readonly attempts: number;
  /** An earlier attempt may have reached the target. */
  readonly maybeSent: boolean;
  /** It was in the journal when the process started. */
  readonly recovered: boolean;
  /** An operator took it up again after it was put aside, and an attempt before that may have reached the target. */
  readonly replayed: boolean;
}

/** Whether anybody may have worked on it before: this process, or one before it. */
export function wasTried({ attempts, recovered, replayed }: Entry): boolean {
  return attempts > 0 || recovered || replayed;
}

/** What came of one attempt. */
export type Verdict =
  | {
      readonly verdict: "done";
      readonly writes?: readonly Write[];
      /** Called when the writes are on disk. */
      readonly committed?: () => void;
    }
  | {
      readonly verdict: "retry";
      readonly reason: string;
      /** At least this long; the back-off decides where absent. */
      readonly afterMs?: number;
      /**
       * The target could not be reached at all: tried without a limit, and at once when it is back. `source`: the target
       * may well be there; where the entry came from must be asked, and does not answer.
       */
      readonly transport?: boolean | "source";
      readonly maybeSent?: boolean;
    }
  | { readonly verdict: "dead"; readonly reason: string };

export const done = (writes: readonly Write[] = [], committed?: () => void): Verdict => ({
  verdict: "done",
  writes,
  ...(committed && { committed }),
});
export const dead = (reason: string): Verdict => ({ verdict: "dead", reason });
