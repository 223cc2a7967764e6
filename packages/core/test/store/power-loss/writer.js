// Journals entries step by step, each step a commit, and says of each step when it is on the disk. What a step journaled
// is delivered two steps later. Then it dies.
import { writeSync } from "node:fs";
import { SqliteStore } from "../../../dist/store/sqlite-store.js";

const [file, steps, slowCommitMs] = process.argv.slice(2);
const store = await SqliteStore.open({ file, slowCommitMs: Number(slowCommitMs) });
const journaled = [];
try {
  for (let step = 0; step < Number(steps); step += 1) {
    // Some commits are large: those are waited for in another way.
    const entries = step % 10 === 9 ? 130 : 3;
    const appends = Array.from({ length: entries }, (_, n) => [
      "append",
      1,
      0,
      "lane",
      `$${step}.${n}`,
      1,
      `{"n":${n}}`,
    ]);
    const done = (journaled[step - 2] ?? []).map((seq) => ["done", seq]);
    const results = await store.commit([...appends, ...done]);
    journaled.push(results.slice(0, entries));
    writeSync(1, `${step}\n`);
  }
} catch (error) {
  const next = await store.commit([["addBridge", "irc"]]).catch(({ code }) => code);
  writeSync(2, `${error.code}: ${error.message}\nThe next commit: ${next}\n`);
}
process.kill(process.pid, "SIGKILL");
