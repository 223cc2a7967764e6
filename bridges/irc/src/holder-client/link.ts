import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import {
  type AnswerFrame,
  decodeToBridge,
  encodeToHolder,
  type HeldFrame,
  type SocketEnds,
  MAX_FRAME_TO_BRIDGE,
  PROTOCOL_VERSION,
  type StateChange,
  type ToBridge,
  type ToHolder,
  type WriteOutcome,
} from "../holder/frames.js";
import { FrameReader } from "../holder/packing.js";
import { proofOf, proves } from "../holder/proof.js";

const WELCOME_WITHIN_MS = 5_000;

export type PendingFrame = Extract<ToBridge, { type: "pending" }>;

/** What the holder has when a bridge attaches. */
export interface Welcome {
  /** Which holder it is: the same as long as it remembers what was written. */
  readonly instance: string;
  readonly held: readonly HeldFrame[];
  readonly pending: readonly PendingFrame[];
}

export interface LinkEvents {
  dialled(connection: string, ends: SocketEnds): void;
  opened(connection: string): void;
  lines(connection: string, first: number, lines: readonly Buffer[]): void;
  closed(connection: string, reason: string): void;
  /** The session is over; `replaced` says that another bridge took it. */
  ended(reason: string, replaced: boolean): void;
}

export interface LinkOptions {
  readonly path: string;
  readonly token: string;
  readonly graceMs: number;
  readonly quit: string;
  readonly events: LinkEvents;
}

/** The path leads to no holder of ours, or to one of another version. */
export class HolderMismatch extends Error {
  override readonly name = "HolderMismatch";
}

/** One session with the holder. */
export class HolderLink {
  readonly #reader = new FrameReader(MAX_FRAME_TO_BRIDGE);
  readonly #nonce = randomBytes(16).toString("hex");
  readonly #writes = new Map<number, (outcome: WriteOutcome) => void>();
  readonly #questions = new Map<number, { resolve: (answer: AnswerFrame) => void; reject: (error: Error) => void }>();
  readonly #held: HeldFrame[] = [];
  readonly #pending: PendingFrame[] = [];
  #welcome: { resolve: (welcome: Welcome) => void; reject: (error: Error) => void } | undefined;
  #instance = "";
  #lastRequest = 0;
  #over: string | undefined;
  #replaced = false;

  private constructor(
    private readonly socket: Socket,
    private readonly options: LinkOptions,
  ) {
    socket.on("data", (chunk) => this.#received(chunk));
    // The close that follows says all there is to say.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#ended("the connection holder ended"));
  }

  /** Connects and proves itself. Rejects where nobody answers (`ENOENT`, `ECONNREFUSED`) or somebody else does. */
  static async open(options: LinkOptions): Promise<{ readonly link: HolderLink; readonly welcome: Welcome }> {
    const socket = await dial(options.path);
    const link = new HolderLink(socket, options);
    const timer = setTimeout(
      () => link.#fail(new HolderMismatch(`nobody proved to be the holder at ${options.path}`)),
      WELCOME_WITHIN_MS,
    );
    try {
      const welcome = await new Promise<Welcome>((resolve, reject) => {
        link.#welcome = { resolve, reject };
        link.#send({ type: "hello", version: PROTOCOL_VERSION, nonce: link.#nonce });
      });
      return { link, welcome };
    } finally {
      clearTimeout(timer);
    }
  }

  get over(): boolean {
    return this.#over !== undefined;
  }

  send(frame: Exclude<ToHolder, { type: "write" | "ask" | "hello" | "prove" }>): void {
    this.#send(frame);
  }

  /** Writes lines that nobody waits for. */
  write(connection: string, data: Buffer): void {
    this.#send({ type: "write", connection, request: 0, key: "", meta: "", data });
  }

  /** Writes the lines of an effect; resolves when they are with the operating system, or surely not, or perhaps. */
  writeEffect(connection: string, key: string, meta: string, data: Buffer): Promise<WriteOutcome> {
    if (this.over) return Promise.resolve("gone");
    const request = this.#nextRequest();
    return new Promise((resolve) => {
      this.#writes.set(request, resolve);
      this.#send({ type: "write", connection, request, key, meta, data });
    });
  }

  /** Asks what became of an effect. Rejects when the holder is away. */
  ask(key: string): Promise<AnswerFrame> {
    if (this.#over !== undefined) return Promise.reject(new Error(this.#over));
    const request = this.#nextRequest();
    return new Promise((resolve, reject) => {
      this.#questions.set(request, { resolve, reject });
      this.#send({ type: "ask", request, key });
    });
  }

  acknowledge(connection: string, line: number, changes: readonly StateChange[]): void {
    this.#send({ type: "ack", connection, line, changes });
  }

  /** Ends the session; everything sent before is delivered first. Resolves when it is over. */
  async end(): Promise<void> {
    if (this.over) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.socket.destroy(), 3_000);
      this.socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      this.socket.end();
    });
  }

  #nextRequest(): number {
    this.#lastRequest = (this.#lastRequest % 0xffff_ffff) + 1;
    return this.#lastRequest;
  }

  #send(frame: ToHolder): void {
    if (!this.over && this.socket.writable) this.socket.write(encodeToHolder(frame));
  }

  #received(chunk: Buffer): void {
    try {
      for (const bytes of this.#reader.push(chunk)) {
        if (this.over) return;
        this.#take(decodeToBridge(bytes));
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #take(frame: ToBridge): void {
    switch (frame.type) {
      case "challenge":
        this.#prove(frame);
        return;
      case "held":
        this.#held.push(frame);
        return;
      case "pending":
        this.#pending.push(frame);
        return;
      case "ready":
        this.#welcome?.resolve({ instance: this.#instance, held: this.#held, pending: this.#pending });
        this.#welcome = undefined;
        return;
      case "dialled":
        this.options.events.dialled(frame.connection, frame);
        return;
      case "opened":
        this.options.events.opened(frame.connection);
        return;
      case "lines":
        this.options.events.lines(frame.connection, frame.first, frame.lines);
        return;
      case "closed":
        this.options.events.closed(frame.connection, frame.reason);
        return;
      case "written":
        this.#writes.get(frame.request)?.(frame.outcome);
        this.#writes.delete(frame.request);
        return;
      case "answer":
        this.#questions.get(frame.request)?.resolve(frame);
        this.#questions.delete(frame.request);
        return;
      case "replaced":
        this.#replaced = true;
        this.#ended("another bridge took over the connection holder");
        this.socket.destroy();
        return;
    }
  }

  #prove(frame: Extract<ToBridge, { type: "challenge" }>): void {
    const { token, graceMs, quit } = this.options;
    this.#instance = frame.instance;
    if (!proves(frame.proof, proofOf("holder", token, this.#nonce, frame.nonce))) {
      throw new HolderMismatch(`what answers at ${this.options.path} does not know this bridge's secret`);
    }
    this.#send({ type: "prove", proof: proofOf("bridge", token, this.#nonce, frame.nonce), graceMs, quit });
    if (frame.version === PROTOCOL_VERSION) return;
    this.#send({ type: "shutdown", lastLine: `QUIT :${quit}` });
    throw new HolderMismatch(`the connection holder is of version ${frame.version}; it is replaced`);
  }

  #fail(error: Error): void {
    this.#welcome?.reject(error);
    this.#welcome = undefined;
    this.#ended(error.message);
    this.socket.destroySoon();
  }

  #ended(reason: string): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    const wasWelcome = this.#welcome === undefined;
    this.#welcome?.reject(new Error(reason));
    for (const tell of this.#writes.values()) tell("unsure");
    this.#writes.clear();
    for (const { reject } of this.#questions.values()) reject(new Error(reason));
    this.#questions.clear();
    if (wasWelcome) this.options.events.ended(reason, this.#replaced);
  }
}

function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
