import type { UserId } from "../../connector/ids.js";
import type { Ghost } from "../ghosts.js";

/** Who says something in a room for a person of the network: their ghost, or the Matrix user who signed in as them. */
export type Speaker =
  | { readonly as: "ghost"; readonly user: UserId; readonly ghost: Ghost }
  | { readonly as: "puppet"; readonly user: UserId };
