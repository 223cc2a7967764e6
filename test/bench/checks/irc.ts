import { median } from "../../tools/statistics.js";
import { atLeast, atMost, exactly, information, type Figure, type Pace, type Report } from "../figure.js";
import type { Burst } from "../irc/api.js";
import { Setup, type SetupOptions } from "../irc/setup.js";
import { measureSplitting } from "../irc/splitting.js";
import type { System } from "../session.js";
import { measureLeftBehind, measureMemory } from "./irc-memory.js";

const puppets = 300;
/** Those that bursts are said in. */
const channels = 10;
/** Everybody speaks first in one of these, where few wait for each other: the server takes up to a second to let somebody in. */
const channelsAtFirst = 60;
/** In how many channels all puppets are together. */
const places = Array.from(
  { length: puppets },
  (_, person) => new Set([person % channels, person % channelsAtFirst]).size,
).reduce((sum, each) => sum + each, 0);
const directions = ["toIrc", "toMatrix"] as const;
/** Into Matrix goes several times what goes into IRC, where each echo is waited for: so that both last about as long. */
const timesToMatrix = 3;
const titles = { toIrc: "Matrix → IRC", toMatrix: "IRC → Matrix" } as const;
/** Of the cold start: in a channel everybody waits for their turn. */
const channelsAtStart = 30;
/** What the network allows in the cold start; its server is the test kit's, which lets in whoever comes at once. */
const throttled = { burst: 20, perSecond: 10 };
const awayMs = 3_000;
const backWithinMs = 60_000;

type Round = Readonly<Record<(typeof directions)[number], Burst>>;

/** Bursts in both directions over many puppets, their start, their return, and what they weigh. */
export async function checkIrc(pace: Pace, report: Report): Promise<Figure[]> {
  return [
    ...(await checkBursts(pace, report)),
    await checkColdStart(report),
    ...(await measureMemory(puppets, report)),
    await measureLeftBehind(report),
    await measureSplitting(),
  ];
}

async function withSetup<Result>(
  system: System,
  options: SetupOptions,
  work: (setup: Setup, server: string) => Promise<Result>,
): Promise<Result> {
  const { setup, server } = await Setup.open(system, options);
  try {
    return await work(setup, server);
  } finally {
    await setup.close();
  }
}

/** Everybody speaks once, and so has a puppet in a channel. */
async function introduceAll({ world }: Setup): Promise<void> {
  await world.call("introduce", { from: 0, to: puppets, channelsEach: 1, groupSize: 1 });
}

/** Both systems, in turn, and then Trestle alone while its server goes away. */
async function checkBursts(pace: Pace, report: Report): Promise<Figure[]> {
  return withSetup("Trestle", { channels: channelsAtFirst, puppets }, async (ours, server) => {
    await ours.start();
    await introduceAll(ours);
    const figures = await withSetup("bare relay", { channels, puppets }, async (bare) => {
      await bare.start();
      return compareBursts({ "bare relay": bare, Trestle: ours }, server, pace, report);
    });
    return [...figures, await checkOutage(ours, pace, report)];
  });
}

async function compareBursts(
  setups: Readonly<Record<System, Setup>>,
  server: string,
  pace: Pace,
  report: Report,
): Promise<Figure[]> {
  const systems = ["bare relay", "Trestle"] as const;
  const rounds: Record<System, Round[]> = { "bare relay": [], Trestle: [] };
  // A warm-up, in which puppets enter the channels.
  for (const system of systems) await runRound(setups[system], pace.burst / 2);
  for (let round = 1; round <= pace.rounds; round++)
    for (const system of systems) {
      const result = await runRound(setups[system], pace.burst);
      rounds[system].push(result);
      const rates = directions.map((way) => `${titles[way]} ${perSecond(result[way]).toFixed(0)}/s`);
      report(`irc, round ${round}, ${system}: ${rates.join(", ")}`);
    }
  return directions.flatMap((way) => burstFigures(way, server, rounds["bare relay"], rounds.Trestle));
}

async function runRound({ world }: Setup, messages: number): Promise<Round> {
  return {
    toIrc: await world.call("toIrc", { messages, people: puppets, channels }),
    toMatrix: await world.call("toMatrix", { messages: messages * timesToMatrix, channels }),
  };
}

function perSecond({ said, lost, elapsedMs }: Burst): number {
  return (said - lost) / (elapsedMs / 1000);
}

function burstFigures(
  way: (typeof directions)[number],
  server: string,
  bare: readonly Round[],
  ours: readonly Round[],
): Figure[] {
  const rate = (rounds: readonly Round[]): number => median(rounds.map((round) => perSecond(round[way])));
  const sum = (of: (burst: Burst) => number): number => ours.reduce((total, round) => total + of(round[way]), 0);
  const title = titles[way];
  return [
    information(
      `${title}, burst over ${puppets} puppets on ${server}, messages/s`,
      `bare relay ${rate(bare).toFixed(0)}, Trestle ${rate(ours).toFixed(0)}`,
    ),
    atLeast(`${title}: Trestle / bare relay`, 40, (rate(ours) / rate(bare)) * 100, " %"),
    exactly(
      `${title}: lost, repeated or out of order`,
      0,
      sum(({ lost, repeated, reordered }) => lost + repeated + reordered),
    ),
  ];
}

/** From nothing, with everybody speaking at once. */
async function checkColdStart(report: Report): Promise<Figure> {
  const elapsed = await withSetup(
    "Trestle",
    { channels: channelsAtStart, puppets, connects: throttled, letsInAtOnce: true },
    async (setup) => {
      const began = performance.now();
      await setup.start();
      await Promise.all([introduceAll(setup), setup.world.call("whenSeen", { puppets, timeoutMs: 2 * backWithinMs })]);
      return (performance.now() - began) / 1000;
    },
  );
  report(`irc: ${puppets} puppets in their channels ${elapsed.toFixed(1)} s after a cold start`);
  return atMost(
    `${puppets} puppets in their channels after a cold start, 20 connects at once and 10 a second after that, on the test kit's server`,
    30,
    elapsed,
    " s",
  );
}

async function checkOutage({ world }: Setup, pace: Pace, report: Report): Promise<Figure> {
  const times: number[] = [];
  for (let round = 0; round < pace.rounds; round++) {
    const back = await world.call("outage", { milliseconds: awayMs, puppets: places, timeoutMs: backWithinMs });
    times.push(back.elapsedMs / 1000);
  }
  report(`irc: everybody back ${times.map((time) => time.toFixed(2)).join(", ")} s after an outage`);
  return atMost(`${puppets} puppets back after ${awayMs / 1000} s without a server`, 3, median(times), " s", 2);
}
