import type { ConnectionStatus, Logger } from "@trestle/core";
import { z } from "zod";
import { deadTokenCodes } from "../api/refusals.js";
import type { SlackApi } from "../api/slack-api.js";
import type { Transport } from "../api/transport.js";
import type { Delivery, Taken } from "../intake/intake.js";
import { SocketConnection } from "./connection.js";
import { pause, pauseBefore } from "./pause.js";

export interface GatewayOptions {
  readonly api: SlackApi;
  readonly transport: Transport;
  readonly appToken: string;
  /** How many connections are kept open, 1 to 10. */
  readonly count: number;
  readonly take: (delivery: Delivery) => Promise<Taken>;
  readonly report: (status: ConnectionStatus) => void;
  readonly log: Logger;
  /** Told when a connection is open after there was none: something may have been missed. */
  readonly onBack?: () => void;
  /** Told of the app's id as Slack's hello has it. */
  readonly onAppId?: (appId: string) => void;
  /** How long after one connection the next is opened, so that they are not renewed together. In milliseconds. */
  readonly staggerMs?: number;
  readonly helloMs?: number;
  /** How long Slack may take to close a connection that was replaced. */
  readonly lingerMs?: number;
  readonly pingMs?: number;
  /** How long to wait where somebody has to do something first, such as turning Socket Mode on. */
  readonly hopelessMs?: number;
  readonly retryMinMs?: number;
  readonly retryMaxMs?: number;
}

const openSchema = z.looseObject({ url: z.url({ protocol: /^wss?$/ }) });

const mostConnections = 10;
/** A connection that lived so long had no trouble of its own. */
const healthyMs = 10_000;

interface Slot {
  readonly name: string;
  current: SocketConnection | undefined;
  /** Slack wants the current one renewed, and may send nothing more on it. */
  isLeaving: boolean;
  attempt: number;
}

type Opened =
  | { readonly connection: SocketConnection }
  | { readonly reason: string; readonly hopeless: boolean; readonly afterMs: number };

/**
 * The connections of Socket Mode. Each is supervised by a loop of its own: opened one after the other so that Slack does
 * not ask for all to be renewed at once, replaced before the old one closes, opened again after pauses that grow up to a
 * cap. Nothing ends a loop but `close`.
 */
export class SocketGateway {
  readonly #closing = new AbortController();
  readonly #loops: Promise<void>[] = [];
  readonly #retiring = new Set<Promise<void>>();
  readonly #slots: Slot[];
  #anyOpen = false;

  constructor(readonly options: GatewayOptions) {
    const { count } = options;
    if (count < 1 || count > mostConnections) throw new RangeError("Slack allows 1 to 10 connections of Socket Mode.");
    this.#slots = Array.from({ length: count }, (_, index) => ({
      name: `socket ${index + 1}`,
      current: undefined,
      isLeaving: false,
      attempt: 0,
    }));
  }

  /** How many connections Slack has said hello on. */
  get open(): number {
    return this.#slots.filter(({ current }) => current !== undefined).length;
  }

  /** Begins to connect; does not wait for Slack. */
  start(): void {
    const { staggerMs = 5_000, log } = this.options;
    for (const [index, slot] of this.#slots.entries()) {
      const loop = this.#supervise(slot, index * staggerMs).catch((error: unknown) =>
        log.error({ err: error, connection: slot.name }, "The supervision of a connection to Slack ended unexpectedly"),
      );
      this.#loops.push(loop);
    }
  }

  /** Takes nothing more; resolves when every connection is closed. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { current } of this.#slots) if (current) this.#retire(current);
    await Promise.all(this.#loops);
    await Promise.all(this.#retiring);
    for (const { name } of this.#slots) this.options.report({ connection: name, state: "closed" });
  }

  async #supervise(slot: Slot, delayMs: number): Promise<void> {
    const { signal } = this.#closing;
    await pause(delayMs, signal);
    while (!signal.aborted) {
      if (!slot.current) this.#report(slot, "connecting");
      const opened = await this.#open();
      if (!("connection" in opened)) {
        slot.attempt += 1;
        await this.#wait(slot, opened);
        continue;
      }
      await this.#use(slot, opened.connection);
    }
  }

  /** Puts a new connection in the place of the old one; resolves when it needs to be replaced itself. */
  async #use(slot: Slot, connection: SocketConnection): Promise<void> {
    const { signal } = this.#closing;
    const since = performance.now();
    const before = slot.current;
    slot.current = connection;
    slot.isLeaving = false;
    // The old one has gone on until now, so that there is no moment without a connection.
    if (before) this.#leaveBehind(before);
    this.#report(slot, "connected");
    this.#opened();
    if (signal.aborted) this.#retire(connection);
    const leaving = await connection.leaving;
    if (signal.aborted) {
      await connection.ended;
      slot.current = undefined;
      return;
    }
    if (performance.now() - since > healthyMs) slot.attempt = 0;
    if (leaving.why === "asked") {
      slot.isLeaving = true;
      // Where Slack wants all renewed at once, what happens meanwhile comes on none.
      if (this.#slots.every(({ current, isLeaving }) => !current || isLeaving)) this.#anyOpen = false;
      // It goes on until Slack closes it or the next one is open, whichever is first.
      void connection.ended.then(() => this.#lost(slot, connection));
      this.options.log.debug({ connection: slot.name, reason: leaving.reason }, "A connection to Slack is renewed");
      return;
    }
    this.#retire(connection);
    this.#lost(slot, connection);
    slot.attempt += 1;
    const hopeless = leaving.why === "unwanted";
    await this.#wait(slot, { reason: leaving.reason, hopeless, afterMs: hopeless ? this.#hopelessMs : 0 });
  }

  async #open(): Promise<Opened> {
    const { api, appToken, transport, take, log, helloMs = 15_000, pingMs = 10_000 } = this.options;
    const { signal } = this.#closing;
    const answer = await api.call({
      team: "app",
      token: appToken,
      method: "apps.connections.open",
      answer: openSchema,
      signal,
    });
    if (!answer.ok) {
      const hopeless = answer.failed === "permanent" || deadTokenCodes.has(answer.code ?? "");
      return { reason: answer.reason, hopeless, afterMs: hopeless ? this.#hopelessMs : (answer.afterMs ?? 0) };
    }
    const connection = new SocketConnection({
      url: answer.body.url,
      wire: transport.forWebSocket(),
      take,
      log,
      helloMs,
      pingMs,
    });
    const abort = (): void => this.#retire(connection);
    signal.addEventListener("abort", abort, { once: true });
    try {
      const appId = await connection.opened;
      if (appId !== undefined) this.options.onAppId?.(appId);
      return { connection };
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error), hopeless: false, afterMs: 0 };
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #wait(slot: Slot, trouble: { reason: string; hopeless: boolean; afterMs: number }): Promise<void> {
    const ms = Math.max(trouble.afterMs, this.#pauseOf(slot));
    if (this.#closing.signal.aborted) return;
    if (!slot.current) this.#report(slot, trouble.hopeless ? "failed" : "waiting", trouble.reason);
    const what = { connection: slot.name, reason: trouble.reason, againInMs: ms };
    if (trouble.hopeless)
      this.options.log.error(what, "Slack does not let the bridge connect: see to the app's token and Socket Mode");
    else this.options.log.warn(what, "A connection to Slack is opened again");
    await pause(ms, this.#closing.signal);
  }

  get #hopelessMs(): number {
    return this.options.hopelessMs ?? 60_000;
  }

  #pauseOf({ attempt }: Slot): number {
    const { retryMinMs = 250, retryMaxMs = 30_000 } = this.options;
    return pauseBefore(Math.max(1, attempt), { minMs: retryMinMs, maxMs: retryMaxMs });
  }

  /**
   * Lets Slack close a connection that was replaced: what it sends while we close would not be read any more. Where that
   * would be too many connections, or takes too long, we close it.
   */
  #leaveBehind(connection: SocketConnection): void {
    const { lingerMs = 15_000, count } = this.options;
    const wait = 2 * count > mostConnections ? 0 : lingerMs;
    const over = new AbortController();
    void connection.ended.then(() => over.abort());
    const left: Promise<void> = pause(wait, AbortSignal.any([over.signal, this.#closing.signal]))
      .then(() => connection.retire())
      .finally(() => this.#retiring.delete(left));
    this.#retiring.add(left);
  }

  #retire(connection: SocketConnection): void {
    const retired: Promise<void> = connection.retire().finally(() => this.#retiring.delete(retired));
    this.#retiring.add(retired);
  }

  #opened(): void {
    if (this.#anyOpen) return;
    this.#anyOpen = true;
    this.options.onBack?.();
  }

  #lost(slot: Slot, connection: SocketConnection): void {
    if (slot.current !== connection) return;
    slot.current = undefined;
    if (this.open === 0) this.#anyOpen = false;
  }

  #report({ name }: Slot, state: ConnectionStatus["state"], detail?: string): void {
    this.options.report({ connection: name, state, ...(detail !== undefined && { detail }) });
  }
}
