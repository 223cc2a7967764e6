import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { guardOf } from "./guard.js";

export interface BridgeProcessOptions {
  /** The program and its arguments, as in production. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly directory: string;
  /** Where its output is kept. */
  readonly logFile: string;
  /** Called when it starts or ends. */
  readonly changed: () => void;
}

const RESTART_AFTER_MS = 2_000;
const STOP_WITHIN_MS = 25_000;
const KEEP_LINES = 40;

/** The bridge in a process of its own, which is killed and started again. */
export class BridgeProcess {
  #child: ChildProcess | undefined;
  #end = "It has not been started.";
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  #kills = 0;
  readonly #log: WriteStream;
  readonly #lastLines: string[] = [];

  constructor(private readonly options: BridgeProcessOptions) {
    this.#log = createWriteStream(options.logFile, { flags: "a" });
  }

  /** `null` while it does not run. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** For a person: how it ended last. */
  get end(): string {
    return this.#end;
  }

  get kills(): number {
    return this.#kills;
  }

  /** What it said last, for when it does not start. */
  get lastWords(): string {
    return this.#lastLines.join("\n");
  }

  /** In a process group of its own, so that the terminal's Ctrl-C reaches it through `stop` alone. */
  start(): void {
    clearTimeout(this.#restart);
    if (this.#child !== undefined) return;
    const [program, ...args] = this.options.command;
    const child = spawn(program, args, {
      cwd: this.options.directory,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    const guard = guardOf(child);
    child.once("exit", () => guard.kill("SIGKILL"));
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => this.#keep(text));
    child.once("error", (error) => this.#ended(child, error.message));
    child.once("exit", (code, signal) =>
      this.#ended(child, signal === null ? `It ended with exit status ${code ?? 0}.` : `It was ended by ${signal}.`),
    );
    this.options.changed();
  }

  /** Kills it without a warning; it is started again after a moment. `false` where it does not run. */
  kill(): boolean {
    if (this.#child === undefined) return false;
    this.#kills += 1;
    return this.#child.kill("SIGKILL");
  }

  /** Asks it to end, and kills it if it does not; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child !== undefined) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const deadline = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
      await ended;
      clearTimeout(deadline);
    }
    await new Promise<void>((resolve) => this.#log.end(resolve));
  }

  #ended(child: ChildProcess, why: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#end = why;
    if (!this.#stopping) this.#restart = setTimeout(() => this.start(), RESTART_AFTER_MS);
    this.options.changed();
  }

  #keep(text: string): void {
    if (!this.#log.writableEnded) this.#log.write(text);
    this.#lastLines.push(...text.split("\n").filter((line) => line !== ""));
    this.#lastLines.splice(0, Math.max(0, this.#lastLines.length - KEEP_LINES));
  }
}
