import { connect } from "node:net";
import { rm, writeFile } from "node:fs/promises";
import { until } from "../bounded.js";
import type { Certificate } from "./certificate.js";
import { Child } from "./child.js";

/** One that cannot start says so and ends; a busy machine takes its time. */
const startWithinMs = 60_000;

export interface ServerProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly configFile: string;
  readonly config: string;
  /** Ports on which it listens besides the one that it is known by: it has started when it accepts on all. */
  readonly morePorts?: readonly number[];
  /** Environment variables besides those of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A server of its own on a free loopback port. */
export class LaunchedServer {
  #child: Child | undefined;

  private constructor(
    readonly program: ServerProgram,
    readonly directory: string,
    readonly port: number,
    /** With TLS, where it was asked for. */
    readonly tls: { readonly port: number; readonly certificate: Certificate } | undefined,
  ) {}

  /** Resolves when it accepts connections. */
  static async launch(
    program: ServerProgram,
    directory: string,
    port: number,
    tls?: { readonly port: number; readonly certificate: Certificate },
  ): Promise<LaunchedServer> {
    const server = new LaunchedServer(program, directory, port, tls);
    try {
      await writeFile(program.configFile, program.config);
      await server.start();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  readonly host = "127.0.0.1";

  get running(): boolean {
    return this.#child?.running ?? false;
  }

  get output(): string {
    return this.#child?.output ?? "";
  }

  /** Starts it again on the same port after `shutdown` or `kill`. */
  async start(): Promise<void> {
    if (this.running) return;
    const { name, command, args, env, morePorts = [] } = this.program;
    const child = await Child.start(name, command, args, { cwd: this.directory, ...(env && { env }) });
    this.#child = child;
    for (const port of [this.port, ...morePorts])
      await until(
        startWithinMs,
        `${name} on port ${port}`,
        async () => {
          if (!child.running)
            throw new Error(`${name} ${child.ended ?? "ended"} instead of starting:\n${child.output}`);
          return (await accepts(port)) ? true : undefined;
        },
        () => child.output,
      );
  }

  /** SIGTERM, and waits for the end. */
  async shutdown(): Promise<void> {
    await this.#child?.stop(5_000);
  }

  /** SIGKILL, and waits for the end. */
  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  /** Writes its configuration with `more` behind it, for the next start or `reload`. */
  async configure(more: string): Promise<void> {
    await writeFile(this.program.configFile, `${this.program.config}${more}`);
  }

  /** Has it read its configuration again, with SIGHUP; resolves when it accepts connections on `port`. */
  async reload(port: number): Promise<void> {
    this.#child?.signal("SIGHUP");
    const accepted = async () => ((await accepts(port)) ? true : undefined);
    await until(startWithinMs, `${this.program.name} on port ${port}`, accepted, () => this.output);
  }

  async restart(): Promise<void> {
    await this.shutdown();
    await this.start();
  }

  /** Ends it and removes its directory. */
  async stop(): Promise<void> {
    await this.shutdown();
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
