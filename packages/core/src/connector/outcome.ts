import type { RemoteMessageId } from "./ids.js";

/** The network has it. `id` is what edits, redactions, reactions and replies will point to; leave it out where the network gives none. */
export interface Sent {
  readonly id?: RemoteMessageId;
}

/**
 * The network does not have it, or one cannot know.
 * - `retry`: surely not delivered, and worth another try, in order, after `afterMs` or the core's own back-off.
 * - `permanent`: surely not delivered, and never will be: it becomes a dead letter and its sender is told.
 * - `uncertain`: it may have been delivered. The core asks `findSent` before it tries again; without `findSent` it
 *   tries again and counts a possible repetition.
 */
export interface Failure {
  readonly failed: "retry" | "permanent" | "uncertain";
  /** For a person: what happened, to what, what to do. */
  readonly reason: string;
  readonly afterMs?: number;
}

export type Outcome = Sent | Failure | undefined;

export function retry(reason: string, options: { readonly afterMs?: number } = {}): Failure {
  return { failed: "retry", reason, ...options };
}

export function refused(reason: string): Failure {
  return { failed: "permanent", reason };
}

export function uncertain(reason: string): Failure {
  return { failed: "uncertain", reason };
}

export function isFailure(outcome: Outcome): outcome is Failure {
  return outcome !== undefined && "failed" in outcome;
}
