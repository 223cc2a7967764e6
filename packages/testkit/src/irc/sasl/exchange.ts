import type { Client } from "../client.js";
import type { Network } from "../network.js";

/** What a mechanism makes of what the client said. */
export type Step =
  | { readonly kind: "challenge"; readonly data: Buffer }
  | { readonly kind: "done"; readonly account: string }
  | { readonly kind: "failed" };

/** One run of a SASL mechanism. Names and passwords are text. */
export interface Mechanism {
  step(data: Buffer): Step;
}

export type MechanismMaker = (network: Network, client: Client) => Mechanism;

/** A SASL exchange on one connection; an answer may come in chunks. */
export interface Exchange {
  readonly mechanism: Mechanism;
  chunks: string[];
}

export const FAILED: Step = { kind: "failed" };
