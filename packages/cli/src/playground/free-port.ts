import { createServer } from "node:net";

const TRIES = 50;

/** Calls `listen` with `preferred`, or with the next ports where that one is taken. */
export async function onFreePort<Result>(
  preferred: number,
  listen: (port: number) => Promise<Result>,
): Promise<Result> {
  for (let port = preferred; ; port += 1) {
    try {
      return await listen(port);
    } catch (error) {
      const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!taken || port >= Math.min(preferred + TRIES, 65_535)) throw error;
    }
  }
}

/** The port `distance` behind another; 0, which takes any, behind 0 and where there are no more. */
export function portBehind(port: number, distance: number): number {
  return port === 0 || port + distance > 65_535 ? 0 : port + distance;
}

/** A port that is free now, for a process that is told which to take. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("The system gave no free port on 127.0.0.1.");
  return address.port;
}
