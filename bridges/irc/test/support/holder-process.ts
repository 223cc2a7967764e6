import { readdirSync, readFileSync } from "node:fs";
import { holderPaths } from "../../dist/holder-client/paths.js";
import { patiently } from "../../../../test/support/bounded.js";

/** The holder of a data directory, found by its arguments; `undefined` where none runs. Only on Linux. */
export function holderPid(dataDirectory: string): number | undefined {
  const { socket } = holderPaths(dataDirectory, "irc");
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      if (words.includes(socket)) return Number(entry);
    } catch {
      // It ended meanwhile, or is somebody else's.
    }
  }
  return undefined;
}

export function endHolder(dataDirectory: string, signal: NodeJS.Signals): void {
  const pid = holderPid(dataDirectory);
  if (pid === undefined) throw new Error("no holder runs");
  process.kill(pid, signal);
}

/** Waits until no holder runs for the directory. */
export async function holderEnded(dataDirectory: string): Promise<void> {
  const deadline = Date.now() + patiently(15_000);
  while (holderPid(dataDirectory) !== undefined) {
    if (Date.now() > deadline) throw new Error(`the holder of ${dataDirectory} does not end`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
