import { destination as pinoDestination, pino, stdSerializers } from "pino";
import type { DestinationStream } from "pino";
import type { LogConfig } from "../config/schema.js";
import type { Logger } from "./logger.js";
import { isError, redactText, redactValue } from "./redact.js";

/** Where a logger writes, and how. */
export interface CreateLogger {
  /** Where lines are written; standard output where absent. */
  readonly destination?: DestinationStream;
  /** Makes lines readable; used where the format is `pretty`, or `auto` on a terminal. */
  readonly pretty?: () => DestinationStream;
}

const secretBindings = [
  "token",
  "asToken",
  "hsToken",
  "as_token",
  "hs_token",
  "access_token",
  "accessToken",
  "password",
  "secret",
  "authorization",
];

/** A structured logger that writes no secret: tokens, passwords, `Authorization` and query tokens are replaced before a line is written. */
export function createLogger(config: LogConfig, options: CreateLogger = {}): Logger {
  const wantsPretty = config.format === "pretty" || (config.format === "auto" && process.stdout.isTTY);
  const destination =
    options.destination ?? (wantsPretty ? options.pretty?.() : undefined) ?? pinoDestination({ dest: 1, sync: true });
  return pino(
    {
      level: config.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { err: (error: unknown) => redactValue(serializeError(error)) },
      // Fields of a line are redacted by their formatter; those of a child logger only by their names.
      redact: { paths: [...secretBindings], censor: "[redacted]" },
      formatters: { log: redactFields, level: (label) => ({ level: label }) },
      hooks: {
        logMethod(args, method) {
          const masked = withMessage(args).map((each) => (typeof each === "string" ? redactText(each) : each));
          Reflect.apply(method, this, masked);
        },
      },
    },
    destination,
  );
}

/** pino takes the message of a lone error as the line's message, unredacted; so it is put where text is redacted. */
function withMessage(args: readonly unknown[]): unknown[] {
  const [first, second] = args;
  if (second !== undefined || typeof first !== "object" || first === null) return [...args];
  const error: unknown = isError(first) ? first : "err" in first ? first.err : undefined;
  return isError(error) ? [first, error.message] : [...args];
}

function serializeError(error: unknown): unknown {
  return isError(error) ? { ...stdSerializers.err(error) } : error;
}

function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      isError(value) ? redactValue(serializeError(value)) : redactValue(value, key),
    ]),
  );
}
