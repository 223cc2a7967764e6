import { isatty } from "node:tty";
import type { StartError } from "@trestle/core";
import { exitCodes } from "../exit-codes.js";

export type StopReason = "SIGTERM" | "SIGINT" | "hangup" | "defect" | StartError;

/** Standard output. */
const output = 1;

/**
 * What a running Trestle is told from outside: SIGHUP asks to read the configuration again; SIGTERM and SIGINT ask to
 * stop, and a second one ends the process at once.
 */
export class RunSignals {
  readonly stop: Promise<StopReason>;
  #settle: (reason: StopReason) => void = () => undefined;
  #asked = false;
  #reload: (() => void) | undefined;
  #reloadAsked = false;
  readonly #onTerm = (): void => this.ask("SIGTERM");
  readonly #onInt = (): void => this.ask("SIGINT");
  readonly #onHangup = (): void => this.#hangup();
  /** A terminal that is closed sends SIGHUP, too; it is none then any more. */
  readonly #onTerminal = isatty(output);

  constructor() {
    this.stop = new Promise((resolve) => (this.#settle = resolve));
    process.on("SIGTERM", this.#onTerm).on("SIGINT", this.#onInt).on("SIGHUP", this.#onHangup);
  }

  ask(reason: StopReason): void {
    if (this.#asked && (reason === "SIGTERM" || reason === "SIGINT" || reason === "hangup"))
      process.exit(reason === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated);
    this.#asked = true;
    this.#settle(reason);
  }

  /** Trestle runs: from now on, and if it was asked for before, `reload` is called. */
  reloadWith(reload: () => void): void {
    this.#reload = reload;
    if (this.#reloadAsked) reload();
  }

  close(): void {
    process.off("SIGTERM", this.#onTerm).off("SIGINT", this.#onInt).off("SIGHUP", this.#onHangup);
  }

  #hangup(): void {
    if (this.#onTerminal && !isatty(output)) this.ask("hangup");
    else if (this.#reload) this.#reload();
    else this.#reloadAsked = true;
  }
}
