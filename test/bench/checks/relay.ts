import { median } from "../../tools/statistics.js";
import { atLeast, atMost, exactly, information, type Figure, type Pace, type Report } from "../figure.js";
import type { Counters } from "../load/api.js";
import { Session, type Measure, type System } from "../session.js";

const rooms = 20;
const senders = 50;
const outstanding = 400;
const rates = [1000, 100] as const;

interface Round {
  readonly closed: Measure;
  readonly memory: number;
  readonly paced: ReadonlyMap<number, Measure>;
  readonly catchUp: number;
  readonly end: Counters;
}

/** Throughput, latency, catch-up and memory: the bare relay and Trestle in turn, so that both meet the same machine. */
export async function checkRelay(pace: Pace, report: Report): Promise<Figure[]> {
  const results: Record<System, Round[]> = { "bare relay": [], Trestle: [] };
  for (let round = 1; round <= pace.rounds; round++) {
    for (const system of ["bare relay", "Trestle"] as const) {
      const result = await runRound(system, pace);
      results[system].push(result);
      report(`relay, round ${round}, ${system}: ${describe(result)}`);
    }
  }
  return figures(results["bare relay"], results.Trestle);
}

async function runRound(system: System, pace: Pace): Promise<Round> {
  const session = await Session.open(system, { rooms });
  try {
    const closed = await session.run(
      { load: { kind: "closed", outstanding }, rooms, senders },
      pace.warmMs,
      pace.measureMs,
    );
    const memory = await session.rssMegabytes();
    const paced = new Map<number, Measure>();
    for (const perSecond of rates) {
      paced.set(
        perSecond,
        (await session.run({ load: { kind: "rate", perSecond }, rooms, senders }, pace.warmMs / 2, pace.rateMs))
          .measure,
      );
    }
    await session.load.call("start", { load: { kind: "backlog", events: pace.backlog }, rooms, senders });
    const { elapsedMs, counters } = await session.load.call("drain", { timeoutMs: 30_000 });
    return { closed: closed.measure, memory, paced, catchUp: pace.backlog / (elapsedMs / 1000), end: counters };
  } finally {
    await session.close();
  }
}

function figures(bare: readonly Round[], ours: readonly Round[]): Figure[] {
  const of = (rounds: readonly Round[], value: (round: Round) => number): number => median(rounds.map(value));
  const bareRate = of(bare, (round) => round.closed.eventsPerSecond);
  const oursRate = of(ours, (round) => round.closed.eventsPerSecond);
  const bareCpu = of(bare, (round) => round.closed.cpuPerEvent);
  const oursCpu = of(ours, (round) => round.closed.cpuPerEvent);
  const sum = (value: (end: Counters) => number): number => ours.reduce((total, { end }) => total + value(end), 0);
  return [
    information("bare relay, events/s", `${bareRate.toFixed(0)}, ${bareCpu.toFixed(0)} µs of CPU each`),
    information(
      "Trestle, events/s",
      `${oursRate.toFixed(0)}, ${oursCpu.toFixed(0)} µs of CPU each (${(oursCpu / bareCpu).toFixed(2)} ×)`,
    ),
    atLeast("Trestle / bare relay, events/s", 50, (oursRate / bareRate) * 100, " %"),
    ...rates.map((rate) => {
      const figure = atMost(
        `p99 at ${rate} events/s`,
        10,
        of(ours, (round) => round.paced.get(rate)?.p99 ?? Number.NaN),
        " ms",
      );
      return {
        ...figure,
        measured: `${figure.measured} (bare ${of(bare, (round) => round.paced.get(rate)?.p99 ?? Number.NaN).toFixed(1)} ms)`,
      };
    }),
    atLeast(
      "catch-up, one event a transaction, events/s",
      1500,
      of(ours, (round) => round.catchUp),
      "",
    ),
    atMost(
      "resident memory at the end of the relay",
      120,
      of(ours, (round) => round.memory),
      " MB",
      0,
    ),
    exactly(
      "lost",
      0,
      sum((end) => end.sent - end.arrived),
    ),
    exactly(
      "duplicated",
      0,
      sum((end) => end.duplicated),
    ),
    exactly(
      "reordered",
      0,
      sum((end) => end.reordered),
    ),
  ];
}

function describe({ closed, memory, paced, catchUp }: Round): string {
  const latency = [...paced].map(
    ([rate, { p50, p99, cpuPerEvent }]) =>
      `${rate}/s p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} ms ${cpuPerEvent.toFixed(0)} µs`,
  );
  return [
    `${closed.eventsPerSecond.toFixed(0)} events/s`,
    `${closed.cpuPerEvent.toFixed(0)} µs/event`,
    `p99 ${closed.p99.toFixed(0)} ms`,
    `${memory.toFixed(0)} MB`,
    ...latency,
    `catch-up ${catchUp.toFixed(0)}/s`,
  ].join(", ");
}
