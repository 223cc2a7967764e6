import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "../../tools/child.js";
import { RemoteProcess } from "../../tools/rpc.js";
import { waitFor } from "../../tools/wait.js";
import { loadCpu, systemCpu, type System } from "../session.js";
import { bridgeApi, holderApi, worldApi } from "./api.js";

export interface SetupOptions {
  readonly channels: number;
  readonly puppets: number;
  /** What the network allows; hardly a limit where absent. */
  readonly connects?: { readonly burst: number; readonly perSecond: number };
  /** A server that lets everybody in at once. */
  readonly letsInAtOnce?: boolean;
}

const scripts: Readonly<Record<System, string>> = { "bare relay": "bare-relay.js", Trestle: "bridge.js" };
const holderWithinMs = 20_000;

/** IRC, Matrix, and one of the two systems between them, each in a process of its own. */
export class Setup {
  readonly directory = mkdtempSync(join(tmpdir(), "trestle-bench-irc-"));
  readonly world = new RemoteProcess(startChild({ script: script("world.js"), cpu: loadCpu }), worldApi, "IRC");
  #bridge: RemoteProcess<typeof bridgeApi> | undefined;
  #holder: RemoteProcess<typeof holderApi> | undefined;
  #ports: { readonly homeserverPort: number; readonly ircPort: number } | undefined;

  private constructor(
    private readonly system: System,
    private readonly options: SetupOptions,
  ) {}

  /** The servers run; the system is still to be started. */
  static async open(
    system: System,
    options: SetupOptions,
  ): Promise<{ readonly setup: Setup; readonly server: string }> {
    const setup = new Setup(system, options);
    const { ircServer, ...ports } = await setup.world.call("listen", {
      channels: options.channels,
      letsInAtOnce: options.letsInAtOnce ?? false,
    });
    setup.#ports = ports;
    return { setup, server: ircServer };
  }

  get bridge(): RemoteProcess<typeof bridgeApi> {
    if (!this.#bridge) throw new Error("The bridge was not started");
    return this.#bridge;
  }

  get holder(): RemoteProcess<typeof holderApi> {
    if (!this.#holder) throw new Error("The holder was not started apart");
    return this.#holder;
  }

  async start(): Promise<void> {
    if (!this.#ports) throw new Error("The servers were not started");
    // TRESTLE_BENCH_NODE_FLAGS serves profiling: --cpu-prof --cpu-prof-dir=…
    const profiling = (process.env["TRESTLE_BENCH_NODE_FLAGS"] ?? "").split(" ").filter((flag) => flag !== "");
    const child = startChild({
      script: script(scripts[this.system]),
      cpu: systemCpu,
      nodeFlags: ["--expose-gc", ...(this.system === "Trestle" ? profiling : [])],
      log: join(this.directory, "system.log"),
    });
    this.#bridge = new RemoteProcess(child, bridgeApi, this.system);
    const target = await this.#bridge.call("start", {
      ...this.#ports,
      directory: this.directory,
      channels: this.options.channels,
      puppets: this.options.puppets,
      connects: this.options.connects ?? { burst: 1_000, perSecond: 1_000 },
    });
    await this.world.call("target", target);
  }

  /** Starts the bridge on a holder that can be weighed: one that has the arguments of a holder of its own making. */
  async startWeighed(): Promise<void> {
    await this.start();
    const { flags, args } = await waitFor("the holder", holderWithinMs, () => this.#holderArguments());
    await this.#stopBridge();
    await waitFor("the end of the holder", holderWithinMs, () => this.#holderArguments() === undefined);
    const child = startChild({
      script: script("holder.js"),
      args,
      cpu: systemCpu,
      nodeFlags: ["--expose-gc", ...flags],
      log: join(this.directory, "system.log"),
    });
    this.#holder = new RemoteProcess(child, holderApi, "The holder");
    await this.#holder.ready;
    await this.start();
  }

  async close(): Promise<void> {
    await this.#stopBridge();
    await this.#holder?.stop();
    await this.world.call("close", {}).catch(() => undefined);
    await this.world.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #stopBridge(): Promise<void> {
    await this.#bridge?.call("stop", {}).catch(() => undefined);
    await this.#bridge?.stop();
    this.#bridge = undefined;
  }

  /** Of the holder of this directory, which is found by them; only on Linux. */
  #holderArguments(): { readonly flags: readonly string[]; readonly args: readonly string[] } | undefined {
    for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const words = commandLine(entry);
      const program = words.findIndex((word) => word.endsWith("holder/main.js"));
      if (program >= 0 && words.some((word) => word.startsWith(this.directory)))
        return { flags: words.slice(1, program), args: words.slice(program + 1, -1) };
    }
    return undefined;
  }
}

/** Empty where the process has ended meanwhile. */
function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(join("/proc", pid, "cmdline"), "utf8").split("\0");
  } catch {
    return [];
  }
}

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
