export type Patience<Value> = () => Promise<Value | undefined | false> | Value | undefined | false;

/** Asks again and again until there is an answer; `undefined` when the time is over. For what cannot announce itself. */
export async function until<Value>(patienceMs: number, probe: Patience<Value>): Promise<Value | undefined> {
  const deadline = performance.now() + patienceMs;
  for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() >= deadline) return undefined;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
