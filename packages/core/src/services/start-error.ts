/** Why Trestle does not start; the command line has an exit code for each. */
export type StartFailure =
  "connector" | "databaseLocked" | "databaseUnusable" | "portInUse" | "tokenRefused" | "wrongHomeserver";

/** Trestle cannot start; the message tells a person why and what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
  constructor(
    readonly failure: StartFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
