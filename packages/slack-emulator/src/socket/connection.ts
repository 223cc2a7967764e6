import type { WebSocket } from "ws";
import { z } from "zod";
import { isJsonObject, type Json, type JsonObject } from "../json.js";

/** Why Slack asks a client to leave. */
export type DisconnectReason = "warning" | "refresh_requested" | "link_disabled" | "too_many_websockets";

/** What the answer to an envelope was, or that it will not come any more. */
export type Acknowledgement =
  | { readonly acked: true; readonly payload: JsonObject }
  | { readonly acked: false; readonly reason: "timeout" | "closed" };

const ackFrame = z.object({ envelope_id: z.string(), payload: z.json().optional() });

const normalClosure = 1000;

/** One socket of an app. */
export class SocketConnection {
  readonly id: string;
  readonly appId: string;
  /** It was asked to leave for good: it gets no new envelopes, but its acknowledgements count until it is closed. */
  draining = false;
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, (acknowledgement: Acknowledgement) => void>();

  constructor(id: string, appId: string, socket: WebSocket, onClose: () => void) {
    this.id = id;
    this.appId = appId;
    this.#socket = socket;
    socket.on("message", (data: Buffer, isBinary) => {
      if (!isBinary) this.#receive(data.toString("utf8"));
    });
    socket.on("error", () => socket.terminate());
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("close", () => {
      onClose();
      for (const settle of this.#waiting.values()) settle({ acked: false, reason: "closed" });
      this.#waiting.clear();
    });
  }

  /** Whether frames can be sent. */
  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Sends a frame as it is: also one a client should not be able to cope with. */
  send(frame: Json | string): void {
    if (this.open) this.#socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Sends an envelope; the promise is resolved by its acknowledgement, by the end of the connection or by {@link forget}. */
  sendEnvelope(envelopeId: string, envelope: JsonObject): Promise<Acknowledgement> {
    return new Promise((resolve) => {
      this.#waiting.set(envelopeId, resolve);
      this.send(envelope);
    });
  }

  /** Waits no longer for the acknowledgement of an envelope. */
  forget(envelopeId: string): void {
    const settle = this.#waiting.get(envelopeId);
    this.#waiting.delete(envelopeId);
    settle?.({ acked: false, reason: "timeout" });
  }

  /** Asks the client to leave. */
  askToLeave(reason: DisconnectReason, host: string): void {
    this.draining = this.draining || reason !== "warning";
    this.send({ type: "disconnect", reason, debug_info: { host } });
  }

  /** Closes it with a close frame. */
  close(): void {
    this.#socket.close(normalClosure);
  }

  /** Cuts it without a close frame, as a broken network does. */
  cut(): void {
    this.#socket.terminate();
  }

  #receive(text: string): void {
    const frame = ackFrame.safeParse(parse(text));
    if (!frame.success) return;
    const settle = this.#waiting.get(frame.data.envelope_id);
    if (settle === undefined) return;
    this.#waiting.delete(frame.data.envelope_id);
    const { payload } = frame.data;
    settle({ acked: true, payload: isJsonObject(payload) ? payload : {} });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
