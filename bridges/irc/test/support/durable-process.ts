import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { configSchema } from "@trestle/irc";
import type { z } from "zod";
import { holderEnded } from "./holder-process.js";

const PROGRAM = fileURLToPath(new URL("durable-bridge.mjs", import.meta.url));

export interface OutgoingMessage {
  readonly id: string;
  readonly channel: string;
  readonly user: string;
  readonly name: string;
  readonly text: string;
  /** A reaction with `text` to the message with this id, earlier in the same channel. */
  readonly reactsTo?: string;
}

/** The bridge in a process that can be killed at any instant, with files that survive it. */
export class DurableProcess {
  readonly directory = mkdtempSync(join(tmpdir(), "trestle-irc-crash-"));
  #child: ChildProcess | undefined;
  /** The next one, which has loaded everything and waits. */
  #next: ChildProcess | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly config: z.input<typeof configSchema>,
    channels: readonly string[],
    messages: readonly OutgoingMessage[],
    /** Channels whose people are to be asked for a link. */
    consents: readonly string[] = [],
    /** Whether the next process is loaded while one runs: it begins at once then. */
    private readonly isPrepared = false,
  ) {
    writeFileSync(join(this.directory, "outbox.json"), JSON.stringify({ channels, messages, consents }));
  }

  start(): void {
    this.#child = this.#next ?? this.#spawn();
    // One that was killed before it could begin needs no telling.
    this.#child.send("begin", () => undefined);
    this.#next = this.isPrepared ? this.#spawn() : undefined;
    this.#running = Promise.race([once(this.#child, "message"), once(this.#child, "exit")]);
  }

  #spawn(): ChildProcess {
    return spawn(process.execPath, [PROGRAM, this.directory, JSON.stringify(this.config), "wait"], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it as an operator does, the holder too where the configuration says so. */
  async stop(): Promise<void> {
    // Before it takes signals it would just die, and leave the holder behind.
    await this.#running;
    await this.#end("SIGTERM");
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }

  /** The values a file holds, one a line. */
  read(name: string): unknown[] {
    const file = join(this.directory, name);
    if (!existsSync(file)) return [];
    return readFileSync(file, "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line): unknown => JSON.parse(line));
  }

  /** Resolves when the holder has ended too. */
  async remove(): Promise<void> {
    this.#next?.kill("SIGKILL");
    await holderEnded(this.directory);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
