import { describe, expect, it, jest } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SqliteStore } from "../../dist/store/sqlite-store.js";
import { tempDirectory } from "../support/temp.js";
import { fileAfterPowerLoss } from "./power-loss/after-power-loss.js";
import { readRecording, recording, whyNoStrace, type FileCall } from "./power-loss/strace.js";

jest.setTimeout(180_000);

const steps = 450;
const failures = 50;
const reason = whyNoStrace();
if (reason !== undefined) {
  if (process.env["CI"] !== undefined) throw new Error(`In CI a power failure must be tried: ${reason}.`);
  console.log(`Skipped: what a power failure leaves is worked out from a recording of all writes, and ${reason}.`);
}

/** Numbers that are the same in every run. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** What is journaled, by step: how many of its entries. */
async function journalIn(file: string): Promise<Map<number, number>> {
  const store = await SqliteStore.open({ file });
  try {
    expect(await store.get("PRAGMA integrity_check")).toEqual({ integrity_check: "ok" });
    await store.commit([["unpack"]]);
    const found = new Map<number, number>();
    for (const { source } of await store.all<{ source: string }>("SELECT source FROM journal WHERE state < 2")) {
      const step = Number(source.slice(1).split(".", 1)[0]);
      found.set(step, (found.get(step) ?? 0) + 1);
    }
    const known = await store.commit([...found.keys()].map((step) => ["known", 1, 0, "lane", `$${step}.0`] as const));
    expect(known).toEqual(Array(found.size).fill(1));
    return found;
  } finally {
    await store.close();
  }
}

const entriesOf = (step: number): number => (step % 10 === 9 ? 130 : 3);

/** What must be there where `said` was the last step that was said to be on the disk; the next may be there, or not. */
function expectJournal(found: ReadonlyMap<number, number>, said: number, where: string): void {
  const hasNext = found.has(said + 1);
  const last = hasNext ? said + 1 : said;
  const expected = [last - 1, last].filter((step) => step >= 0).map((step) => [step, entriesOf(step)]);
  expect([where, [...found].sort(([a], [b]) => a - b)]).toEqual([where, expected]);
}

const describeWithStrace = reason === undefined ? describe : describe.skip;

describeWithStrace("the power fails at any moment", () => {
  it.each([
    ["a fast disk", 0],
    ["a slow disk, which is waited for elsewhere", 2],
  ])("on %s: everything that was answered is there, whole", async (_, slowMs) => {
    const directory = tempDirectory();
    try {
      const file = join(directory.path, "trestle.db");
      await (await SqliteStore.open({ file })).close();
      const before = readFileSync(file);
      const calls = record(directory.path, file, slowMs);
      expect(calls.filter(({ call }) => call === "said")).toHaveLength(steps);
      expect(calls.some((call) => call.call === "write" && call.path === file)).toBe(true);
      const random = chances(20_261_123 + slowMs);
      for (const at of momentsOf(calls, file, random)) {
        const seen = calls.slice(0, at).filter((call) => call.call === "said");
        rmSync(`${file}-wal`, { force: true });
        rmSync(`${file}-shm`, { force: true });
        for (const path of [file, `${file}-wal`]) {
          const left = fileAfterPowerLoss(calls, at, path, path === file ? before : undefined, () => random() < 0.5);
          if (left) writeFileSync(path, left);
        }
        expectJournal(await journalIn(file), seen.length - 1, `before call ${at} of ${calls.length}`);
      }
    } finally {
      directory.remove();
    }
  });
});

describeWithStrace("the disk fails a sync", () => {
  it("takes nothing more: what the disk has nobody knows", async () => {
    const directory = tempDirectory();
    try {
      const file = join(directory.path, "trestle.db");
      await (await SqliteStore.open({ file })).close();
      const failing = ["strace", "-f", "-o", "/dev/null", "-e", "inject=fdatasync:error=EIO:when=3"];
      // Calls are counted by thread: all are to be made by one.
      const ran = run(["env", "UV_THREADPOOL_SIZE=1", ...failing, process.execPath, script, file, "40", "0"]);
      const last = Number(ran.stdout.trim().split("\n").at(-1));
      expect(last).toBeLessThan(39);
      expect(ran.stderr).toContain("DISK: The disk does not say whether it has what was written: EIO");
      expect(ran.stderr).toContain("The next commit: DISK");
      expect([...(await journalIn(file)).keys()]).toContain(last);
    } finally {
      directory.remove();
    }
  });
});

const script = fileURLToPath(new URL("./power-loss/writer.js", import.meta.url));

function run([command = "", ...words]: readonly string[]): { readonly stdout: string; readonly stderr: string } {
  return spawnSync(command, words, { encoding: "utf8" });
}

function record(directory: string, file: string, slowMs: number): FileCall[] {
  const trace = join(directory, "calls");
  const ran = run(recording(trace, [process.execPath, script, file, String(steps), String(slowMs)]));
  if (!existsSync(trace)) throw new Error(`Nothing was recorded: ${ran.stderr}`);
  return readRecording(readFileSync(trace, "utf8"));
}

/** Any moments, and those around each time the log is brought to its place. */
function momentsOf(calls: readonly FileCall[], file: string, random: () => number): number[] {
  const first = calls.findIndex(({ call }) => call === "said");
  const any = Array.from({ length: failures }, () => first + Math.floor(random() * (calls.length - first)));
  const copied = calls.flatMap((call, index) => (call.call === "write" && call.path === file ? [index] : []));
  const ends = copied.filter((index, n) => (copied[n + 1] ?? Number.POSITIVE_INFINITY) > index + 50);
  const around = ends.flatMap((index) => [index, index + 1, index + 2, index + 4, index + 8, index + 20, index + 60]);
  return [...any, ...around].filter((at) => at > first && at < calls.length);
}
