import type { RemoteUserId } from "./ids.js";

/** Who a Matrix user id is. */
export type FoundUser =
  /** Somebody, as far as can be known now. */
  | { readonly is: "user" }
  /** Their homeserver knows no such user. */
  | { readonly is: "nobody" }
  /** The bridge's own: its bot, or the ghost of a person of the network. */
  | { readonly is: "own"; readonly person?: RemoteUserId };
