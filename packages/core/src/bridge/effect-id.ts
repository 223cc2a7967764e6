import { hash } from "node:crypto";
import { EffectId } from "../connector/ids.js";

/**
 * The identity of an effect, derived from its cause alone: the same at every attempt and after every restart. On Matrix
 * it is the transaction id, which must be unique for ever over all rooms and ghosts, because homeservers disagree on
 * what else they take into account.
 */
export function effectIdOf(...cause: readonly (string | number)[]): EffectId {
  return EffectId(hash("sha256", cause.join("\u0000"), "base64url").slice(0, 32));
}

/** Where events of ours carry their effect's id, so that they can be found again. */
export const effectKey = "dev.trestle.effect";
