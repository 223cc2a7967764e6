import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quantile } from "../tools/statistics.js";
import { information, type Figure } from "./figure.js";

const writes = 300;
const page = Buffer.alloc(4096);

/** How long this disk takes to make a page durable: no durable latency can be shorter. */
export function measureDisk(): Figure {
  const directory = mkdtempSync(join(tmpdir(), "trestle-bench-disk-"));
  const file = openSync(join(directory, "pages"), "w");
  const times: number[] = [];
  try {
    for (let write = 0; write < writes; write++) {
      writeSync(file, page, 0, page.length, write * page.length);
      const began = performance.now();
      fdatasyncSync(file);
      times.push(performance.now() - began);
    }
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true, force: true });
  }
  return information(
    "the disk: one page made durable",
    `p50 ${quantile(times, 0.5).toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms`,
  );
}
