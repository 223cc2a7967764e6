import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startChild } from "../tools/child.js";
import { RemoteProcess } from "../tools/rpc.js";
import { loadApi, type Counters, type Plan } from "./load/api.js";
import { sutApi } from "./sut/api.js";

export type System = "bare relay" | "Trestle";

const scripts: Readonly<Record<System, string>> = { "bare relay": "bare-relay.js", Trestle: "trestle.js" };
/** How the first line of the command starts node, so that what is measured is what an operator runs. */
const [commandLine = ""] = readFileSync(new URL("../../../packages/cli/bin/trestle.js", import.meta.url), "utf8").split(
  "\n",
  1,
);
const commandFlags = commandLine.match(/--\S+/g) ?? [];
const commandEnv: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from(commandLine.matchAll(/ ([A-Z_]+)=(\S+)/g), ([, name = "", value = ""]) => [name, value] as const),
);
/** Which processor the system under test is tied to, and which one what it is measured with. */
export const systemCpu = 0;
export const loadCpu = 1;

export interface SessionOptions {
  /** Pairs of rooms that are linked: messages in `!in{n}` come out in `!out{n}`. */
  readonly rooms: number;
  readonly membership?: "lazy" | "full";
  /** Whether the connector says that a second attempt does no harm (it does not); `true` where absent. */
  readonly idempotent?: boolean;
  /** A directory with a database to start with; otherwise one that is removed at the end. */
  readonly directory?: string;
}

/** What a stretch of time showed. */
export interface Measure {
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly cpuPerEvent: number;
  readonly p50: number;
  readonly p99: number;
  readonly rssMegabytes: number;
  /** Requests to the homeserver in the time, by route. */
  readonly requests: Readonly<Record<string, number>>;
}

/** One system under test and the load generator that is its homeserver. */
export class Session {
  private constructor(
    readonly load: RemoteProcess<typeof loadApi>,
    private sut: RemoteProcess<typeof sutApi>,
    private readonly system: System,
    private readonly options: SessionOptions,
    private readonly homeserverPort: number,
    private readonly directory: string,
  ) {}

  static async open(system: System, options: SessionOptions): Promise<Session> {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), "trestle-bench-"));
    const load = new RemoteProcess(
      startChild({ script: script("load/main.js"), cpu: loadCpu }),
      loadApi,
      "The load generator",
    );
    const { port } = await load.call("listen", {});
    const session = new Session(load, startSystem(system, directory), system, options, port, directory);
    await session.#startSystem();
    await session.greeted();
    return session;
  }

  get pid(): number | undefined {
    return this.sut.child.pid;
  }

  /** Measures for a while under what is going on. */
  async measure(durationMs: number): Promise<Measure> {
    const before = await this.sut.call("usage", {});
    const from = await this.load.call("sample", {});
    await sleep(durationMs);
    const to = await this.load.call("sample", {});
    const after = await this.sut.call("usage", {});
    const events = to.counters.arrived - from.counters.arrived;
    return {
      events,
      eventsPerSecond: events / ((to.at - from.at) / 1000),
      cpuPerEvent: (after.cpuMicroseconds - before.cpuMicroseconds) / events,
      p50: to.p50 ?? Number.NaN,
      p99: to.p99 ?? Number.NaN,
      rssMegabytes: after.rssBytes / 1e6,
      requests: difference(to.counters.requests, from.counters.requests),
    };
  }

  /** Runs a plan: warms up, measures, and waits until all has arrived. */
  async run(
    plan: Plan,
    warmMs: number,
    durationMs: number,
  ): Promise<{ readonly measure: Measure; readonly end: Counters }> {
    await this.load.call("start", plan);
    await sleep(warmMs);
    const measure = await this.measure(durationMs);
    return { measure, end: await this.finish() };
  }

  /** Sends no more and waits for what is on its way. */
  async finish(timeoutMs = 15_000): Promise<Counters> {
    await this.load.call("stop", {});
    return (await this.load.call("drain", { timeoutMs })).counters;
  }

  /** Resolves when the system has done what it does at a start. */
  async greeted(): Promise<void> {
    await this.sut.call("greeted", {});
  }

  async counters(): Promise<Counters> {
    return (await this.load.call("sample", {})).counters;
  }

  async storm(people: number): Promise<void> {
    await this.sut.call("storm", { people });
  }

  async rssMegabytes(): Promise<number> {
    return (await this.sut.call("usage", {})).rssBytes / 1e6;
  }

  /** Stops the system in good order and starts it again on the same data; resolves to the milliseconds the start took. */
  async restart(): Promise<number> {
    await this.#stopSystem();
    const began = performance.now();
    this.sut = startSystem(this.system, this.directory);
    await this.#startSystem();
    return performance.now() - began;
  }

  async close(): Promise<void> {
    await this.#stopSystem();
    await this.load.stop();
    if (this.options.directory === undefined) rmSync(this.directory, { recursive: true, force: true });
  }

  async #startSystem(): Promise<void> {
    const { rooms, membership, idempotent } = this.options;
    const target = await this.sut.call("start", {
      homeserverPort: this.homeserverPort,
      directory: this.directory,
      rooms,
      membership: membership ?? "lazy",
      idempotent: idempotent ?? true,
    });
    await this.load.call("target", target);
  }

  async #stopSystem(): Promise<void> {
    await this.sut.call("stop", {});
    await this.sut.stop();
  }
}

function script(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

function startSystem(system: System, directory: string): RemoteProcess<typeof sutApi> {
  // TRESTLE_BENCH_NODE_FLAGS serves profiling: --cpu-prof --cpu-prof-dir=…
  const nodeFlags =
    system === "Trestle"
      ? [...commandFlags, ...(process.env["TRESTLE_BENCH_NODE_FLAGS"] ?? "").split(" ")].filter((flag) => flag !== "")
      : [];
  const child = startChild({
    script: script(`sut/${scripts[system]}`),
    cpu: systemCpu,
    nodeFlags,
    env: system === "Trestle" ? commandEnv : {},
    log: join(directory, "system.log"),
  });
  return new RemoteProcess(child, sutApi, system);
}

export function difference(
  to: Readonly<Record<string, number>>,
  from: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(to)
      .map(([route, count]) => [route, count - (from[route] ?? 0)] as const)
      .filter(([, count]) => count !== 0),
  );
}
