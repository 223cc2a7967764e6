import { banner } from "./banner.js";
import { Playground, type PlaygroundOptions } from "./playground.js";

export { findNetwork } from "./networks/index.js";
export type { PlaygroundOptions } from "./playground.js";

const BRIDGED_WITHIN_MS = 30_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs the playground until a signal asks to stop, then stops everything and removes what it made. */
export async function runPlayground(options: PlaygroundOptions = {}): Promise<void> {
  const begun = Date.now();
  let ask = (): void => undefined;
  const asked = new Promise<void>((resolve) => (ask = resolve));
  // Kept until the end: a second Ctrl-C must not leave the bridge behind.
  for (const signal of SIGNALS) process.on(signal, ask);
  // A stand-in may be anybody's code; the bridge and every file must go all the same.
  let defect: Error | undefined;
  const fail = (error: Error): void => {
    defect ??= error;
    ask();
  };
  process.on("uncaughtException", fail);
  try {
    const playground = await Playground.start(options);
    try {
      await Promise.race([asked, playground.bridged(BRIDGED_WITHIN_MS)]);
      process.stdout.write(banner(playground.url, playground.access, Date.now() - begun));
      await asked;
      process.stdout.write("\nStopping the bridge and both servers.\n");
    } finally {
      await playground.close();
    }
    if (defect !== undefined) throw defect;
  } finally {
    for (const signal of SIGNALS) process.off(signal, ask);
    process.off("uncaughtException", fail);
  }
}
