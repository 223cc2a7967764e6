import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** So much work within a look counts as progress, in milliseconds of the processor; a process that only waits does less. */
const workMs = 40;
const tickMs = 10;

/** How long a process has had the processor, in milliseconds; `undefined` where it has ended, or nobody can tell. */
export function workOf(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    // Behind the name, which may hold anything, the times are the 12th and 13th. proc(5).
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * tickMs;
  } catch {
    return undefined;
  }
}

/** Tells how long a process has done nothing: a busy machine makes it slow, but not idle. */
export class Idleness {
  #work: number | undefined;
  #pid: number | undefined;
  #since = performance.now();

  constructor(private readonly pid: () => number | undefined) {}

  /** Something else shows that it goes on. */
  progressed(): void {
    this.#since = performance.now();
  }

  /** For so many milliseconds it has done nothing to speak of. */
  get forMs(): number {
    const pid = this.pid();
    const work = workOf(pid);
    if (pid !== this.#pid || (work !== undefined && work - (this.#work ?? 0) >= workMs)) {
      this.#pid = pid;
      this.#work = work;
      this.progressed();
    }
    return performance.now() - this.#since;
  }
}

/** Asks again until `check` gives `true`, and rejects when the process is idle for `idleMs`, or after `mostMs`. */
export async function waitWhileBusy(
  what: string,
  pid: () => number | undefined,
  check: () => boolean | Promise<boolean>,
  {
    idleMs,
    mostMs = 300_000,
    everyMs = 50,
  }: { readonly idleMs: number; readonly mostMs?: number; readonly everyMs?: number },
): Promise<void> {
  const idleness = new Idleness(pid);
  const end = performance.now() + mostMs;
  while (!(await check())) {
    if (idleness.forMs > idleMs)
      throw new Error(`Waited for ${what} in vain: the process has done nothing for ${idleMs} ms`);
    if (performance.now() > end) throw new Error(`Waited ${mostMs} ms for ${what} in vain`);
    await sleep(everyMs);
  }
}
