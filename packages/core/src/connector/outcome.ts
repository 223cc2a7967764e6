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

/** What became of an effect; `undefined` means that the network has it and gave it no id. */
export type Outcome = Sent | Failure | undefined;

/** Surely not delivered; to be tried again, after `afterMs` or the core's own back-off. */
export function retry(reason: string, options: { readonly afterMs?: number } = {}): Failure {
  return { failed: "retry", reason, ...options };
}

/** Surely not delivered, and never will be: `permanent`. */
export function refused(reason: string): Failure {
  return { failed: "permanent", reason };
}

/** Nobody knows whether it was delivered. */
export function uncertain(reason: string): Failure {
  return { failed: "uncertain", reason };
}

/** Whether an outcome says that the network does not surely have it. */
export function isFailure(outcome: Outcome): outcome is Failure {
  return outcome !== undefined && "failed" in outcome;
}
