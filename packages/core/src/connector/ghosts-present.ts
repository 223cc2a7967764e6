import type { RemoteUserId } from "./ids.js";

/** Whose ghosts are in the rooms of a channel. */
export interface GhostsPresent {
  /** In each of them. */
  readonly inAll: ReadonlySet<RemoteUserId>;
  /** In one of them at least. */
  readonly inAny: ReadonlySet<RemoteUserId>;
}
