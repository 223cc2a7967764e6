import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Logger } from "@trestle/core";
import { errorCode } from "../holder/error-code.js";
import type { AnswerFrame, FilterRules, OpenOptions, SocketEnds, StateChange, WriteOutcome } from "../holder/frames.js";
import { HolderLink, type Welcome } from "./link.js";
import { type HolderPaths, readOrMakeToken } from "./paths.js";

const HOLDER_PROGRAM = fileURLToPath(new URL("../holder/main.js", import.meta.url));
/** How long a holder that was started may take to listen. */
const START_WITHIN_MS = 5_000;
const RETRY_MAX_MS = 10_000;

/** What it has to keep is little and lives long: room for garbage would weigh more than the connections. In MiB. */
const HOLDER_NODE_FLAGS = ["--max-semi-space-size=1"];

export interface HolderClientOptions {
  readonly paths: HolderPaths;
  readonly graceMs: number;
  /** Said by clients that the holder gives up. */
  readonly quit: string;
  readonly log: Logger;
  readonly events: HolderClientEvents;
}

export interface HolderClientEvents {
  /** Attached: at the start, and again after the holder or the session ended. Whatever is not in it is gone. */
  welcome(welcome: Welcome): Promise<void>;
  /** The socket is connected: at once, and again for every open one after `welcome`. */
  dialled(connection: string, ends: SocketEnds): void;
  opened(connection: string): void;
  lines(connection: string, first: number, lines: readonly Buffer[]): void;
  closed(connection: string, reason: string): void;
  /** The session ended; `welcome` follows, unless `final`. */
  lost(reason: string, final: boolean): void;
}

/** The bridge's side of the holder: starts one where none runs, and attaches again when the session ends. */
export class HolderClient {
  #link: HolderLink | undefined;
  #isWelcomed = false;
  #stopping: "detach" | "quit" | undefined;
  readonly #stopped = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(private readonly options: HolderClientOptions) {}

  start(): void {
    this.#loop = this.#attach();
  }

  /** Whether there is a session, and its connections have been taken over: before that nobody may open others. */
  get attached(): boolean {
    return this.#isWelcomed && this.#link !== undefined && !this.#link.over;
  }

  /** Resolves when connections of before have been taken over, at the latest after `ms`. */
  async whenAttached(ms: number): Promise<void> {
    if (this.attached || this.#stopping !== undefined) return;
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stopped.signal]);
    await Promise.race([this.#loop, delay(ms, undefined, { signal }).catch(() => undefined)]);
    over.abort();
  }

  open(connection: string, options: OpenOptions, state: readonly StateChange[]): void {
    this.#link?.send({ type: "open", connection, options, state });
  }

  attach(connection: string): void {
    this.#link?.send({ type: "attach", connection });
  }

  write(connection: string, data: Buffer): void {
    this.#link?.write(connection, data);
  }

  writeEffect(connection: string, key: string, meta: string, data: Buffer): Promise<WriteOutcome> {
    return this.#link?.writeEffect(connection, key, meta, data) ?? Promise.resolve("gone");
  }

  /** What became of an effect? Rejects when the holder cannot be asked now. */
  ask(key: string): Promise<AnswerFrame> {
    return this.#link?.ask(key) ?? Promise.reject(new Error("the connection holder is not reached yet"));
  }

  acknowledge(connection: string, line: number, changes: readonly StateChange[]): void {
    this.#link?.acknowledge(connection, line, changes);
  }

  state(connection: string, changes: readonly StateChange[]): void {
    this.#link?.send({ type: "state", connection, changes });
  }

  result(key: string, result: string): void {
    this.#link?.send({ type: "result", key, result });
  }

  filter(connection: string, rules: FilterRules): void {
    this.#link?.send({ type: "filter", connection, ...rules });
  }

  close(connection: string, lastLine: string): void {
    this.#link?.send({ type: "close", connection, lastLine });
  }

  forget(connection: string): void {
    this.#link?.send({ type: "forget", connection });
  }

  /** Ends the session: the holder keeps the connections (`detach`), or closes them and ends (`quit`). */
  async stop(how: "detach" | "quit"): Promise<void> {
    this.#stopping = how;
    this.#stopped.abort();
    if (this.#link) await this.#leave(this.#link);
    await this.#loop;
  }

  async #leave(link: HolderLink): Promise<void> {
    if (this.#stopping === "quit") link.send({ type: "shutdown", lastLine: `QUIT :${this.options.quit}` });
    await link.end();
  }

  async #attach(): Promise<void> {
    let wait = 50;
    while (this.#stopping === undefined) {
      try {
        await this.#attachOnce();
        return;
      } catch (error) {
        this.options.log.warn({ err: error }, "the connection holder is not reached; trying again");
        await delay(wait, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
        wait = Math.min(wait * 2, RETRY_MAX_MS);
      }
    }
  }

  async #attachOnce(): Promise<void> {
    const token = readOrMakeToken(this.options.paths);
    const { link, welcome } = (await this.#tryOpen(token)) ?? (await this.#startHolder(token));
    // A holder that is reached only now keeps the connections of the bridge before.
    if (this.#stopping !== undefined) {
      await this.#leave(link);
      return;
    }
    this.#link = link;
    this.#isWelcomed = false;
    await this.options.events.welcome(welcome);
    this.#isWelcomed = true;
  }

  /** `undefined` where nobody listens. */
  async #tryOpen(token: string) {
    const { paths, graceMs, quit, events } = this.options;
    try {
      return await HolderLink.open({
        path: paths.socket,
        token,
        graceMs,
        quit,
        events: {
          dialled: (connection, ends) => events.dialled(connection, ends),
          opened: (connection) => events.opened(connection),
          lines: (connection, first, lines) => events.lines(connection, first, lines),
          closed: (connection, reason) => events.closed(connection, reason),
          ended: (reason, replaced) => this.#lost(reason, replaced),
        },
      });
    } catch (error) {
      if (["ENOENT", "ECONNREFUSED"].includes(errorCode(error) ?? "")) return undefined;
      throw error;
    }
  }

  async #startHolder(token: string) {
    const { paths, graceMs, log } = this.options;
    log.info({ socket: paths.socket }, "starting the connection holder");
    const errors = openSync(paths.log, "a", 0o600);
    try {
      const args = [HOLDER_PROGRAM, paths.socket, paths.token, paths.spool, String(graceMs)];
      const child = spawn(process.execPath, [...HOLDER_NODE_FLAGS, ...args], {
        detached: true,
        cwd: paths.directory,
        env: { TMPDIR: process.env.TMPDIR, NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS },
        stdio: ["ignore", "ignore", errors],
      });
      child.on("error", (error) => log.error({ err: error }, "the connection holder cannot be started"));
      child.unref();
    } finally {
      closeSync(errors);
    }
    const deadline = Date.now() + START_WITHIN_MS;
    while (Date.now() < deadline && this.#stopping === undefined) {
      await delay(15);
      const opened = await this.#tryOpen(token);
      if (opened) return opened;
    }
    throw new Error(`the connection holder did not start within ${START_WITHIN_MS} ms; ${paths.log} may say why`);
  }

  #lost(reason: string, replaced: boolean): void {
    this.#link = undefined;
    if (this.#stopping !== undefined) return;
    this.options.events.lost(reason, replaced);
    if (!replaced) this.#loop = this.#attach();
  }
}
