import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** So many ports are a process's own; claims of shares are files, for processes that know nothing of each other. */
const share = 150;
const shares = 68;
const claims = join(tmpdir(), `trestle-test-ports-${process.getuid?.() ?? 0}`);

let base: number | undefined;
let next = Math.floor(Math.random() * share);

/**
 * A port on the loopback address that was free a moment ago, below those that the system gives to outgoing connections
 * and to who asks for any, and among those that tests in other processes do not take: nobody has it by chance before it
 * is used, or while a server that comes back is away.
 */
export async function freePort(): Promise<number> {
  base ??= firstPort() + claimShare() * share;
  for (;;) {
    const port = base + (next++ % share);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** The first port of all shares: 15000, or lower where the system gives ports from 16000 on, as some sandboxes do. */
function firstPort(): number {
  const usual = 15_000;
  try {
    const [given = 32_768] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/).map(Number);
    const below = Math.min(usual, given - shares * share);
    return below > 1_024 ? below : usual;
  } catch {
    return usual;
  }
}

function claimShare(): number {
  mkdirSync(claims, { recursive: true });
  for (let at = 0; at < shares; at++) {
    const number = (process.pid + at) % shares;
    if (isOurs(join(claims, String(number)))) return number;
  }
  throw new Error(`All ${shares} shares of ports are taken by running processes; see ${claims}`);
}

/** Claims a share that nobody has, or whose owner has ended. Jest loads this module once for each test file of a process. */
function isOurs(claim: string): boolean {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(claim, String(process.pid), { flag: "wx" });
      return true;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    const owner = ownerOf(claim);
    if (owner === process.pid) return true;
    if (owner === undefined || isRunning(owner)) return false;
    rmSync(claim, { force: true });
  }
  return false;
}

/** `undefined` while the claim is being written. */
function ownerOf(claim: string): number | undefined {
  try {
    return Number(readFileSync(claim, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
