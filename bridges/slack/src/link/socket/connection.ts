import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Logger } from "@trestle/core";
import { ping, WebSocket, type Dispatcher } from "undici";
import type { Delivery, Taken } from "../intake/intake.js";
import { readFrame, type Frame } from "./frames.js";

export interface ConnectionOptions {
  readonly url: string;
  readonly wire: { readonly dispatcher: Dispatcher; readonly destroy: () => void };
  readonly take: (delivery: Delivery) => Promise<Taken>;
  readonly log: Logger;
  /** How long the handshake and Slack's hello may take. */
  readonly helloMs: number;
  /** How often Slack is asked whether it is there; after two questions without an answer it is not. */
  readonly pingMs: number;
}

/** Why a connection is of no more use, or soon will be. */
export interface Leaving {
  /** `asked`: Slack wants it renewed, and it goes on until then. `closed`: it is gone. `unwanted`: Slack wants no such connection. */
  readonly why: "asked" | "closed" | "unwanted";
  readonly reason: string;
}

/** More than this that is not on disk yet is not read further into memory: Slack sends it again. */
const mostUnderWay = 2_000;
const closeMs = 2_000;
const unwantedReasons: ReadonlySet<string> = new Set(["link_disabled", "too_many_websockets"]);

/**
 * One WebSocket of Socket Mode. It acknowledges what `take` has resolved for, and nothing else; it never throws, and
 * whatever ends it is said by `leaving` and `ended`.
 */
export class SocketConnection {
  /** Resolves when Slack has said hello, to the app's id; rejects when it has not in time. */
  readonly opened: Promise<string | undefined>;
  /** Resolves when the connection should be replaced. */
  readonly leaving: Promise<Leaving>;
  /** Resolves when it is closed. */
  readonly ended: Promise<void>;
  readonly #socket: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #timers: { hello?: NodeJS.Timeout; ping?: NodeJS.Timeout; close?: NodeJS.Timeout } = {};
  #greet: (appId: string | undefined) => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  #leave: (leaving: Leaving) => void = () => undefined;
  #end: () => void = () => undefined;
  #unanswered = 0;
  #underWay = 0;
  #idle: () => void = () => undefined;
  #over = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.opened = new Promise((resolve, reject) => ([this.#greet, this.#fail] = [resolve, reject]));
    // Whoever opened it may have gone.
    this.opened.catch(() => undefined);
    this.leaving = new Promise((resolve) => (this.#leave = resolve));
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#socket = new WebSocket(options.url, { dispatcher: options.wire.dispatcher });
    this.#socket.addEventListener("message", ({ data }) => this.#frame(readFrame(data)));
    this.#socket.addEventListener("close", ({ code, reason }) => this.#closed(`closed with ${code} ${reason}`.trim()));
    this.#socket.addEventListener("error", ({ message }) => this.#closed(message));
    subscribe("undici:websocket:pong", this.#pong);
    this.#timers.hello = setTimeout(() => this.#closed(`no hello within ${options.helloMs} ms`), options.helloMs);
  }

  /** Takes what still comes and acknowledges what is under way, for a moment, then closes. */
  async retire(): Promise<void> {
    if (this.#over) return;
    if (this.#underWay > 0) {
      let timer: NodeJS.Timeout | undefined;
      const idle = new Promise<void>((resolve) => (this.#idle = resolve));
      const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, closeMs)));
      await Promise.race([idle, enough]);
      clearTimeout(timer);
    }
    this.#close("replaced");
    await this.ended;
  }

  #frame(frame: Frame): void {
    const { log } = this.#options;
    switch (frame.kind) {
      case "hello":
        clearTimeout(this.#timers.hello);
        this.#timers.ping = setInterval(() => this.#ask(), this.#options.pingMs);
        this.#greet(frame.appId);
        return;
      case "disconnect":
        this.#leave({
          why: unwantedReasons.has(frame.reason) ? "unwanted" : "asked",
          reason: `Slack asked for it: ${frame.reason}`,
        });
        return;
      case "envelope":
        this.#envelope(frame);
        return;
      case "unused":
        log.debug({ type: frame.type }, "Slack sent something of which the bridge makes nothing");
        this.#send(frame.envelope, {});
        return;
      case "malformed":
        log.warn({ why: frame.why }, "Slack sent a frame that cannot be read; it is left out");
    }
  }

  #envelope({ envelope, delivery, takesReply }: Extract<Frame, { kind: "envelope" }>): void {
    const { take, log } = this.#options;
    if (this.#underWay >= mostUnderWay) {
      log.warn("More events come than the disk takes; Slack has to send them again");
      return;
    }
    this.#underWay += 1;
    take(delivery)
      .then(
        (taken) => {
          if (taken.outcome === "foreign") return;
          const reply = taken.outcome === "taken" && takesReply ? taken.reply : undefined;
          this.#send(envelope, reply ?? {});
        },
        (error: unknown) =>
          log.error({ err: error }, "An event could not be kept and is not acknowledged: Slack sends it again"),
      )
      .finally(() => {
        this.#underWay -= 1;
        if (this.#underWay === 0) this.#idle();
      })
      .catch((error: unknown) => log.error({ err: error }, "An event could not be acknowledged"));
  }

  /** On a connection that is gone the acknowledgement is lost; the event comes again and is known by its id. */
  #send(envelope: string, payload: Readonly<Record<string, unknown>>): void {
    if (this.#socket.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify({ envelope_id: envelope, payload }));
  }

  #ask(): void {
    if (this.#unanswered >= 2) {
      this.#closed("Slack answers no ping");
      return;
    }
    this.#unanswered += 1;
    if (this.#socket.readyState === WebSocket.OPEN) ping(this.#socket);
  }

  /** The channel tells of every WebSocket of the process. */
  readonly #pong = (message: unknown): void => {
    if (typeof message === "object" && message !== null && "websocket" in message && message.websocket === this.#socket)
      this.#unanswered = 0;
  };

  /** It is of no more use, whatever the other side still thinks. */
  #closed(reason: string): void {
    this.#fail(new Error(reason));
    this.#leave({ why: "closed", reason });
    this.#close(reason);
    this.#finish();
  }

  #close(reason: string): void {
    clearInterval(this.#timers.ping);
    if (this.#over || this.#timers.close) return;
    this.#leave({ why: "closed", reason });
    this.#fail(new Error(reason));
    // A peer that is gone answers no close.
    this.#timers.close = setTimeout(() => this.#finish(), closeMs);
    try {
      this.#socket.close(1000);
    } catch {
      this.#finish();
    }
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timers.hello);
    clearInterval(this.#timers.ping);
    clearTimeout(this.#timers.close);
    unsubscribe("undici:websocket:pong", this.#pong);
    this.#options.wire.destroy();
    this.#end();
  }
}
