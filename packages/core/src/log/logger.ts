import type { Logger as PinoLogger } from "pino";

/** A structured logger; secrets are redacted before anything is written. */
export type Logger = PinoLogger;
