import { spawn, type ChildProcess } from "node:child_process";
import { within } from "../bounded.js";

const KEPT_OUTPUT = 1024 * 1024;

/**
 * A server started by a test, in a process group of its own. Whatever happens to the test's process, the group dies
 * with it: a guard process holds a pipe to the test and kills the group when the pipe closes.
 */
export class Child {
  readonly #process: ChildProcess;
  readonly #guard: ChildProcess;
  readonly #exited: Promise<void>;
  #output = "";
  #ended: string | undefined;

  private constructor(
    readonly name: string,
    process: ChildProcess,
    guard: ChildProcess,
  ) {
    this.#process = process;
    this.#guard = guard;
    for (const stream of [process.stdout, process.stderr]) {
      stream
        ?.setEncoding("utf8")
        .on("data", (text: string) => (this.#output = (this.#output + text).slice(-KEPT_OUTPUT)));
    }
    this.#exited = new Promise((resolve) => {
      process.once("exit", (code, signal) => {
        this.#ended = signal ? `ended by ${signal}` : `exited with ${code ?? "no code"}`;
        this.#guard.kill("SIGKILL");
        // A server that died leaves no helper of its own behind either.
        this.#signalGroup("SIGKILL");
        resolve();
      });
    });
  }

  /** Rejects when the program cannot be started at all. */
  static async start(
    name: string,
    command: string,
    args: readonly string[],
    options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<Child> {
    const child = spawn(command, args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) => reject(new Error(`${name} (${command}) could not be started: ${error.message}`)));
    });
    const guard = spawn("/bin/sh", ["-c", 'read -r _; kill -9 "-$1" 2>/dev/null', "guard", String(child.pid)], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    guard.on("error", () => child.kill("SIGKILL"));
    guard.unref();
    return new Child(name, child, guard);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#ended === undefined;
  }

  /** How it ended, while it is over. */
  get ended(): string | undefined {
    return this.#ended;
  }

  /** The last that it printed. */
  get output(): string {
    return this.#output;
  }

  /** A signal to the program alone. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Asks it to end and waits; after `grace` milliseconds it is killed. */
  async stop(grace = 10_000): Promise<void> {
    if (!this.running) return;
    this.#signalGroup("SIGTERM");
    const killing = setTimeout(() => this.#signalGroup("SIGKILL"), grace);
    try {
      await within(grace + 10_000, `the end of ${this.name}`, this.#exited);
    } finally {
      clearTimeout(killing);
    }
  }

  /** SIGKILL to it and to all it started; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#signalGroup("SIGKILL");
    await within(10_000, `the end of ${this.name} after SIGKILL`, this.#exited);
  }

  /** Resolves when it ended, whatever the reason. */
  async exit(): Promise<void> {
    await this.#exited;
  }

  #signalGroup(signal: NodeJS.Signals): void {
    const pid = this.#process.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // Not instanceof: within jest, errors of Node itself come from another realm.
      if (!(typeof error === "object" && error !== null && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}
