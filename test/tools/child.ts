import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { availableParallelism } from "node:os";

export interface ChildOptions {
  readonly script: string;
  readonly args?: readonly string[];
  /** Flags of node itself. */
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The processor to stay on; ignored where it cannot be done. */
  readonly cpu?: number;
  /** A file that takes what the child prints; otherwise it is printed here. */
  readonly log?: string;
}

let canPin: boolean | undefined;

/** Whether processes can be tied to a processor: Linux with `taskset` and two processors that may be used. */
export function pinningWorks(): boolean {
  canPin ??= availableParallelism() >= 2 && spawnSync("taskset", ["-c", "0,1", "true"]).status === 0;
  return canPin;
}

/** Starts a node process with an IPC channel. */
export function startChild(options: ChildOptions): ChildProcess {
  const command = [process.execPath, ...(options.nodeFlags ?? []), options.script, ...(options.args ?? [])];
  if (options.cpu !== undefined && pinningWorks()) command.unshift("taskset", "-c", String(options.cpu));
  const output = options.log === undefined ? "inherit" : openSync(options.log, "a");
  const child = spawn(command[0] ?? process.execPath, command.slice(1), {
    stdio: ["ignore", output, output, "ipc"],
    env: { ...process.env, ...options.env },
  });
  if (typeof output === "number") closeSync(output);
  return child;
}
