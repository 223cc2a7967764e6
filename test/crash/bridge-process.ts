import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { inRepository } from "../tools/paths.js";

export interface BridgeOptions {
  readonly config: string;
  readonly log: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The bridge as an operator starts it, in a process of its own that can be ended in every way. */
export class BridgeProcess {
  #child: ChildProcess | undefined;
  #startedAt = 0;
  /** Ends that nobody asked for. */
  readonly surprises: string[] = [];
  starts = 0;

  constructor(private readonly options: BridgeOptions) {}

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Milliseconds since the start. */
  get age(): number {
    return performance.now() - this.#startedAt;
  }

  start(env: Readonly<Record<string, string>> = {}): void {
    const log = openSync(this.options.log, "a");
    writeSync(log, `--- start ${++this.starts}\n`);
    const child = spawn(inRepository("packages/cli/bin/trestle.js"), ["run", "--config", this.options.config], {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...this.options.env, ...env },
    });
    closeSync(log);
    this.#child = child;
    this.#startedAt = performance.now();
    child.once("exit", (code, signal) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.surprises.push(`start ${this.starts} ended by itself (${signal ?? `exit status ${String(code)}`})`);
    });
  }

  /** Kills it where it stands; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks it to end; resolves to its exit status, or to the signal it took to end it. */
  async terminate(timeoutMs: number): Promise<number | string> {
    return this.#end("SIGTERM", timeoutMs);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async #end(signal: NodeJS.Signals, timeoutMs = 5_000): Promise<number | string> {
    const child = this.#child;
    if (!child) return "not running";
    this.#child = undefined;
    const ended = new Promise<number | string>((resolve) => {
      child.once("exit", (code, by) => resolve(by ?? code ?? 0));
    });
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    try {
      return await ended;
    } finally {
      clearTimeout(timer);
    }
  }
}
