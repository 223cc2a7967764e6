import type { UserId } from "@trestle/core";
import type { NickMaker } from "./nick-maker.js";
import type { Seat } from "./seat.js";

/** A Matrix user's own client. */
export interface Puppet {
  readonly user: UserId;
  readonly seat: Seat;
  readonly nicks: NickMaker;
  /** The display name the nick was made of. */
  name: string;
  /** Folded nicks the user talks to alone. */
  readonly queries: Set<string>;
  /** When the user last said something, by the monotonic clock. */
  spokeAt: number;
}
