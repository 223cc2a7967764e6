import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import {
  decodeToHolder,
  encodeToBridge,
  MAX_FRAME_TO_HOLDER,
  PROTOCOL_VERSION,
  type ToBridge,
  type ToHolder,
} from "./frames.js";
import { FrameReader } from "./packing.js";
import { proofOf, proves } from "./proof.js";

/** A stranger has so long to prove who they are. */
const PROVE_WITHIN_MS = 5_000;

type Proved = Extract<ToHolder, { type: "prove" }>;

export interface SessionEvents {
  /** The peer has shown that it knows the token. */
  proved(session: BridgeSession, frame: Proved): void;
  frame(frame: ToHolder): void;
  ended(session: BridgeSession): void;
}

/** The holder's side of one connection on the unix socket. */
export class BridgeSession {
  readonly #reader = new FrameReader(MAX_FRAME_TO_HOLDER);
  readonly #nonce = randomBytes(16).toString("hex");
  #bridgeNonce: string | undefined;
  #proved = false;
  #over = false;
  readonly #deadline: NodeJS.Timeout;

  constructor(
    private readonly socket: Socket,
    private readonly token: string,
    private readonly instance: string,
    private readonly events: SessionEvents,
  ) {
    this.#deadline = setTimeout(() => this.end(), PROVE_WITHIN_MS);
    socket.on("data", (chunk) => this.#received(chunk));
    // The close that follows an error says all there is to say.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(this.#deadline);
      this.#over = true;
      events.ended(this);
    });
  }

  send(frame: ToBridge): void {
    if (!this.#over && this.socket.writable) this.socket.write(encodeToBridge(frame));
  }

  /** Ends the session; nothing that arrives later is looked at. */
  end(): void {
    this.#over = true;
    this.socket.destroy();
  }

  /** Tells the bridge that another took its place, and ends. */
  replace(): void {
    this.send({ type: "replaced" });
    this.#over = true;
    this.socket.end();
    this.socket.destroySoon();
  }

  #received(chunk: Buffer): void {
    if (this.#over) return;
    try {
      for (const bytes of this.#reader.push(chunk)) {
        this.#take(decodeToHolder(bytes));
        if (this.#isOver()) return;
      }
    } catch (error) {
      process.stderr.write(
        `a frame of the bridge was refused: ${error instanceof Error ? error.message : String(error)}\n`,
      );
      this.end();
    }
  }

  #isOver(): boolean {
    return this.#over;
  }

  #take(frame: ToHolder): void {
    if (this.#proved) {
      this.events.frame(frame);
      return;
    }
    if (frame.type === "hello" && this.#bridgeNonce === undefined) {
      this.#bridgeNonce = frame.nonce;
      const proof = proofOf("holder", this.token, frame.nonce, this.#nonce);
      this.send({ type: "challenge", version: PROTOCOL_VERSION, nonce: this.#nonce, proof, instance: this.instance });
      return;
    }
    const expected =
      this.#bridgeNonce === undefined ? undefined : proofOf("bridge", this.token, this.#bridgeNonce, this.#nonce);
    if (frame.type !== "prove" || expected === undefined || !proves(frame.proof, expected)) {
      this.end();
      return;
    }
    clearTimeout(this.#deadline);
    this.#proved = true;
    this.events.proved(this, frame);
  }
}
