import { createServer } from "node:net";

const first = 15_000;
/** So many ports are a process's own, among processes that were started one after the other. */
const share = 250;
const shares = 68;

const base = first + (process.pid % shares) * share;
let next = Math.floor(Math.random() * share);

/**
 * A port on the loopback address that was free a moment ago, below those that the system gives to outgoing connections,
 * and among those that tests in other processes do not take: nobody has it by chance before it is used.
 */
export async function freePort(): Promise<number> {
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
