import { createServer } from "node:net";

/** Waits for `promise`, at most `milliseconds`; rejects with what was waited for. `describe` adds what is known by then. */
export async function within<Value>(
  milliseconds: number,
  what: string,
  promise: Promise<Value>,
  describe?: () => string,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited ${milliseconds} ms in vain for ${what}.${describe ? `\n${describe()}` : ""}`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks `probe` again and again until it answers something else than `undefined`, at most `milliseconds`. For what cannot announce itself. */
export async function until<Value>(
  milliseconds: number,
  what: string,
  probe: () => Promise<Value | undefined> | Value | undefined,
  describe?: () => string,
): Promise<Value> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline)
      throw new Error(`Waited ${milliseconds} ms in vain for ${what}.${describe ? `\n${describe()}` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** A port on the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return address.port;
}
