import {
  AdminAccessError,
  ConfigError,
  NotRunningError,
  RegistrationError,
  ServiceError,
  StartError,
  StoreInUse,
} from "@trestle/core";
import type { Problem } from "@trestle/core";
import { CommanderError } from "commander";
import type { ExitName } from "./exit-codes.js";

/** A command that ends with an exit status of its own; the message is for a person and may be empty. */
export class CliError extends Error {
  override readonly name = "CliError";
  constructor(
    readonly exit: ExitName,
    message: string,
  ) {
    super(message);
  }
}

export interface Failure {
  readonly exit: ExitName;
  /** Empty where everything has been said already. */
  readonly message: string;
  readonly problems?: readonly Problem[];
}

/** What a person is told about an error, and how the process ends. */
export function toFailure(error: unknown): Failure {
  if (error instanceof CliError) return { exit: error.exit, message: error.message };
  if (error instanceof CommanderError) return { exit: error.exitCode === 0 ? "ok" : "usage", message: "" };
  if (error instanceof ConfigError) return fileFailure("configuration", error, "The configuration cannot be used:");
  if (error instanceof RegistrationError) return fileFailure("registration", error, "A registration cannot be used:");
  if (error instanceof StartError) return { exit: error.failure, message: error.message };
  if (error instanceof StoreInUse) return { exit: "databaseLocked", message: error.message };
  if (error instanceof ServiceError) return { exit: "refused", message: error.message };
  if (error instanceof AdminAccessError) return { exit: "noAdminAccess", message: error.message };
  if (error instanceof NotRunningError) {
    return { exit: "notRunning", message: `Trestle is not running (${error.message}). Start it with: trestle run` };
  }
  if (error instanceof Error && error.name === "ExitPromptError")
    return { exit: "interrupted", message: "Given up; nothing was written." };
  const message = error instanceof Error ? error.message : String(error);
  return { exit: "unexpected", message: `Unexpected: ${message} (run again with --debug for more)` };
}

function fileFailure(exit: ExitName, error: ConfigError | RegistrationError, head: string): Failure {
  return { exit, message: `${head}\n${error.message}`, problems: error.problems };
}
