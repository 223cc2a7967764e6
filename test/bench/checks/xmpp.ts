import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProsody, startProsody } from "../../support/servers/prosody.js";
import type { XmppServer } from "../../support/servers/xmpp-server.js";
import { startChild } from "../../tools/child.js";
import { RemoteProcess } from "../../tools/rpc.js";
import { median } from "../../tools/statistics.js";
import { atLeast, exactly, information, type Figure, type Pace, type Report } from "../figure.js";
import { loadCpu, systemCpu } from "../session.js";
import { roomsDomain, sinkDomain, speakersApi, takerApi } from "../xmpp/api.js";

const rooms = 20;
const messagesPerSecond = 5_000;
const drainMs = 90_000;

/** What a burst came to. */
interface Burst {
  readonly perSecond: number;
  readonly cpuPerMessage: number;
}

/** Messages from rooms, through Prosody and the component into the journal; and into a component that does nothing. */
export async function checkXmpp(pace: Pace, report: Report): Promise<Figure[]> {
  const prosody = findProsody();
  if (!prosody.found) {
    report(`xmpp: left out, this machine has ${prosody.reason}. Install it with: ${prosody.cure}`);
    return [information("XMPP", `left out: ${prosody.reason}`)];
  }
  const directory = mkdtempSync(join(tmpdir(), "trestle-bench-xmpp-"));
  const server = await startProsody(prosody.install, { components: [sinkDomain, roomsDomain] });
  const bench = new XmppBench(server, directory);
  try {
    return await bench.run(pace, report);
  } finally {
    await bench.stop();
    await server.process.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

class XmppBench {
  readonly #speakers: RemoteProcess<typeof speakersApi>;
  readonly #sink: RemoteProcess<typeof takerApi>;
  readonly #bridge: RemoteProcess<typeof takerApi>;

  constructor(
    private readonly server: XmppServer,
    private readonly directory: string,
  ) {
    // TRESTLE_BENCH_NODE_FLAGS serves profiling: --cpu-prof --cpu-prof-dir=…
    const nodeFlags = (process.env["TRESTLE_BENCH_NODE_FLAGS"] ?? "").split(" ").filter((flag) => flag !== "");
    const log = join(directory, "bridge.log");
    this.#speakers = new RemoteProcess(
      startChild({ script: script("speakers.js"), cpu: loadCpu }),
      speakersApi,
      "The rooms",
    );
    this.#sink = new RemoteProcess(startChild({ script: script("sink.js"), cpu: systemCpu }), takerApi, "The sink");
    this.#bridge = new RemoteProcess(
      startChild({ script: script("bridge.js"), cpu: systemCpu, log, nodeFlags }),
      takerApi,
      "Trestle",
    );
  }

  async run(pace: Pace, report: Report): Promise<Figure[]> {
    const { componentPort, secret } = this.server;
    const { homeserverPort } = await this.#speakers.call("start", { componentPort, secret });
    const start = { componentPort, secret, homeserverPort, directory: this.directory, rooms };
    await this.#sink.call("start", start);
    await this.#bridge.call("start", start);
    const { address } = await this.#speakers.call("entered", { rooms });
    const [bare, journaled]: [Burst[], Burst[]] = [[], []];
    for (let round = 0; round <= pace.rounds; round++) {
      const sunk = await this.#burst(this.#sink, `${sinkDomain}/bridge`, pace.xmppMessages);
      await this.#speakers.call("homeserver", { away: true });
      const taken = await this.#burst(this.#bridge, address, pace.xmppMessages);
      await this.#speakers.call("homeserver", { away: false });
      const { elapsedMs, lost } = await this.#speakers.call("drain", { timeoutMs: drainMs });
      report(
        `xmpp, ${round === 0 ? "to warm up" : `round ${round}`}: a bare component ${inWords(sunk)}; Trestle into the journal ${inWords(taken)}; all in Matrix ${elapsedMs.toFixed(0)} ms after the homeserver is back${lost > 0 ? `, but ${lost}` : ""}`,
      );
      if (round === 0) continue;
      bare.push(sunk);
      journaled.push(taken);
    }
    return this.#figures(bare, journaled);
  }

  async stop(): Promise<void> {
    await this.#bridge.call("stop", {}).catch(() => undefined);
    await Promise.all([this.#bridge.stop(), this.#sink.stop(), this.#speakers.stop()]);
  }

  /** The homeserver takes no part: what is delivered to it meanwhile is another benchmark's. */
  async #burst(taker: RemoteProcess<typeof takerApi>, to: string, count: number): Promise<Burst> {
    await taker.call("begin", {});
    const taken = taker.call("taken", { count });
    const { beganAt } = await this.#speakers.call("say", { to, count, rooms, recorded: taker === this.#bridge });
    const { at, cpuMicroseconds } = await taken;
    return { perSecond: count / ((at - beganAt) / 1000), cpuPerMessage: cpuMicroseconds / count };
  }

  async #figures(bare: readonly Burst[], journaled: readonly Burst[]): Promise<Figure[]> {
    const bareRate = median(bare.map(({ perSecond }) => perSecond));
    const rate = median(journaled.map(({ perSecond }) => perSecond));
    const cpu = (bursts: readonly Burst[]): string =>
      `${median(bursts.map(({ cpuPerMessage }) => cpuPerMessage)).toFixed(0)} µs of CPU each`;
    const { lost, repeated, reordered } = await this.#speakers.call("drain", { timeoutMs: 1 });
    return [
      information("XMPP, a bare component, messages/s", `${bareRate.toFixed(0)}, ${cpu(bare)}`),
      atLeast("XMPP into the journal, messages/s", messagesPerSecond, rate, ""),
      information(
        "XMPP into the journal / a bare component",
        `${((rate / bareRate) * 100).toFixed(0)} %, ${cpu(journaled)}`,
      ),
      exactly("XMPP messages lost", 0, lost),
      exactly("XMPP messages repeated or out of order", 0, repeated + reordered),
    ];
  }
}

function inWords({ perSecond, cpuPerMessage }: Burst): string {
  return `${perSecond.toFixed(0)}/s, ${cpuPerMessage.toFixed(0)} µs each`;
}

function script(name: string): string {
  return fileURLToPath(new URL(`../xmpp/${name}`, import.meta.url));
}
