import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AdminClient, readAdminAccess, type Services } from "@trestle/core";
import { patience } from "@trestle/testkit";
import { LogTail, type BridgeLife, type LifeOptions } from "./life.js";
import type { Abilities } from "./subject.js";

const program = fileURLToPath(new URL("bridge-process.js", import.meta.url));
const patienceMs = 60_000 * patience;

/** What the bridge's process tells its parent. */
export type Told =
  | { readonly told: "abilities"; readonly abilities: Abilities }
  /** It listens, and the homeserver may look for it. */
  | { readonly told: "listening"; readonly port: number }
  | { readonly told: "running" };

/** The bridge in a process of its own, which can be killed at any instant. */
export class ProcessLife implements BridgeLife {
  readonly surprises: string[] = [];
  readonly data: string;
  readonly #log = new LogTail();
  #child: ChildProcess | undefined;
  #services: Services | undefined;
  #abilities: Abilities | undefined;

  constructor(private readonly options: LifeOptions) {
    this.data = join(options.directory, "data");
  }

  get services(): Services {
    if (!this.#services) throw new Error("The bridge is not running.");
    return this.#services;
  }

  get abilities(): Abilities {
    if (!this.#abilities) throw new Error("The connector has not connected yet.");
    return this.#abilities;
  }

  get log(): readonly string[] {
    return this.#log.lines;
  }

  async start(): Promise<void> {
    const { homeserverPort } = this.options;
    const config = await this.options.writeConfig({
      listen: 0,
      homeserverUrl: `http://127.0.0.1:${homeserverPort}`,
      data: this.data,
    });
    const child = fork(program, [config], { stdio: ["ignore", "pipe", "pipe", "ipc"], execArgv: [] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => this.#log.write(text));
    await this.#running(child);
    const { url, token } = await readAdminAccess(this.data);
    if (url === undefined || token === undefined) throw new Error(`The bridge left no address in ${this.data}.`);
    this.#services = new AdminClient({ url, token });
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async crash(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async end(): Promise<void> {
    await this.stop();
  }

  #running(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`The bridge did not start:\n${this.log.join("\n")}`)),
        patienceMs,
      );
      child.on("message", (message: unknown) => {
        const told = readTold(message);
        if (told?.told === "abilities") this.#abilities = told.abilities;
        if (told?.told === "listening") this.options.inward.lead(told.port);
        if (told?.told === "running") {
          clearTimeout(timer);
          resolve();
        }
      });
      // Its last words have been read by then.
      child.once("close", (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`The bridge did not start:\n${this.log.join("\n")}`));
        if (this.#child !== child) return;
        this.#child = undefined;
        const last = this.log.findLast((line) => /^\S*Error/.test(line)) ?? this.log.at(-1) ?? "it said nothing";
        this.surprises.push(
          `The bridge's process ended by itself (${signal ?? `exit status ${String(code)}`}): ${last}`,
        );
      });
    });
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#services = undefined;
    if (!child) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    const timer = setTimeout(() => {
      this.surprises.push(`The bridge did not end within ${patienceMs / 2_000} s of SIGTERM and was killed.`);
      child.kill("SIGKILL");
    }, patienceMs / 2);
    await ended;
    this.options.inward.shut();
    clearTimeout(timer);
  }
}

/** Our own child speaks; only what it says is looked at. */
function readTold(message: unknown): Told | undefined {
  return typeof message === "object" && message !== null && "told" in message ? (message as Told) : undefined;
}
