import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { patiently } from "../../../../test/support/bounded.js";

/** A directory that is gone after the test file. */
export function tempDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "trestle-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Resolves when the condition holds; rejects after a bounded number of turns of the event loop. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const end = Date.now() + patiently(timeoutMs);
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`It did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
