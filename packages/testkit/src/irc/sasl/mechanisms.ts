import type { MechanismMaker } from "./exchange.js";
import { external } from "./external.js";
import { plain } from "./plain.js";
import { scram } from "./scram.js";

/** The SASL mechanisms the server knows. */
export const SASL_MECHANISMS = ["PLAIN", "EXTERNAL", "SCRAM-SHA-256"] as const;

export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

export const MECHANISMS: Readonly<Record<SaslMechanism, MechanismMaker>> = {
  PLAIN: plain,
  EXTERNAL: external,
  "SCRAM-SHA-256": scram,
};
