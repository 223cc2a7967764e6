import { WebSocket } from "ws";
import { z } from "zod";
import { patiently } from "../../../../test/support/bounded.js";

const frameSchema = z.looseObject({ type: z.string(), reason: z.string().optional() });

const envelopeSchema = z.looseObject({
  envelope_id: z.string(),
  type: z.string(),
  retry_attempt: z.number().optional(),
  retry_reason: z.string().optional(),
  payload: z.looseObject({
    event_id: z.string().optional(),
    event: z.looseObject({ type: z.string(), text: z.string().optional() }).optional(),
  }),
});

type Frame = z.output<typeof frameSchema>;
type Envelope = z.output<typeof envelopeSchema>;

/** A socket without a library behind it: acknowledges only when it is told to. */
export class RawSocket {
  readonly frames: Frame[] = [];
  readonly envelopes: Envelope[] = [];
  readonly commands: Envelope[] = [];
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  #last: string | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("message", (data: Buffer) => this.#receive(JSON.parse(data.toString("utf8"))));
  }

  /** Resolves with the first frame. */
  static async open(url: string): Promise<RawSocket> {
    const socket = new WebSocket(url);
    const raw = new RawSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("message", () => resolve());
    });
    return raw;
  }

  get hello(): Frame | undefined {
    return this.frames[0];
  }

  texts(): string[] {
    return this.envelopes.map((envelope) => envelope.payload.event?.text ?? "");
  }

  /** Acknowledges the latest envelope. */
  acknowledge(payload: object = {}): void {
    this.#socket.send(JSON.stringify({ envelope_id: this.#last, payload }));
  }

  cut(): void {
    this.#socket.terminate();
  }

  /** Waits until all that was sent before arrived: for the answer to a ping. */
  async settle(): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const pong = new Promise<void>((resolve) => this.#socket.once("pong", () => resolve()));
    this.#socket.ping();
    await pong;
  }

  async waitFor(condition: () => boolean): Promise<void> {
    for (const deadline = Date.now() + patiently(8_000); !condition();) {
      if (Date.now() > deadline) throw new Error(`Waited in vain; the frames were ${JSON.stringify(this.frames)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #receive(json: unknown): void {
    this.frames.push(frameSchema.parse(json));
    const envelope = envelopeSchema.safeParse(json);
    if (!envelope.success) return;
    this.#last = envelope.data.envelope_id;
    (envelope.data.type === "events_api" ? this.envelopes : this.commands).push(envelope.data);
  }
}
