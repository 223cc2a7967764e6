import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { patiently } from "../../support/bounded.js";

/** A real server on this machine. */
export interface Found<Install> {
  readonly found: true;
  /** As it names itself, with its version. */
  readonly version: string;
  /** Where it is: for the closing lines of a run. */
  readonly where: string;
  readonly install: Install;
}

/** A real server that is not on this machine, or does not work. */
export interface Missing {
  readonly found: false;
  readonly reason: string;
  /** What one types to have it. */
  readonly cure: string;
}

/** The first of `names` on the PATH, or in the places where a distribution keeps servers. */
export function findProgram(...names: readonly string[]): string | undefined {
  const directories = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/bin",
  ].filter((directory) => directory !== "");
  return names
    .flatMap((name) => directories.map((directory) => join(directory, name)))
    .find((path) => isExecutable(path));
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a program prints, standard output and standard error together; `undefined` when it fails, within 60 s. */
export function answerOf(command: string, args: readonly string[]): string | undefined {
  const result = spawnSync(command, args, {
    encoding: "utf8",
    timeout: patiently(60_000),
    stdio: ["ignore", "pipe", "pipe"],
  });
  return result.status === 0 ? `${result.stdout}${result.stderr}`.trim() : undefined;
}
