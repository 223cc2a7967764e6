import { z } from "zod";

const eventSchema = z.object({
  id: z.string().min(1),
  channel: z.string().min(1),
  sender: z.string().min(1),
  text: z.string(),
  /** What the sender of a message named it by; only the bridge does. */
  key: z.string().optional(),
});

export type ApiEvent = z.output<typeof eventSchema>;

/** The network answered that it does not take a request. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(readonly status: number) {
    super(`the network answered with status ${status}`);
  }

  /** Another try may succeed: too many requests, or trouble on the other side. */
  get passes(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

/** The network's HTTP API. */
export class Api {
  constructor(private readonly url: string) {}

  async post(message: { channel: string; sender: string; text: string; key: string }, signal: AbortSignal) {
    const body = JSON.stringify(message);
    return eventSchema.parse(await this.#ask("messages", { method: "POST", body, signal }));
  }

  /** The message that was posted under a key. */
  async find(key: string, signal: AbortSignal) {
    return z.array(eventSchema).parse(await this.#ask(`messages?key=${encodeURIComponent(key)}`, { signal }))[0];
  }

  /** What happened after an event, in order; waits a while when there is nothing yet. */
  async events(after: string, signal: AbortSignal) {
    return z.array(eventSchema).parse(await this.#ask(`events?after=${encodeURIComponent(after)}`, { signal }));
  }

  async #ask(path: string, init: RequestInit): Promise<unknown> {
    const response = await fetch(new URL(path, this.url), init);
    if (!response.ok) throw new ApiError(response.status);
    return response.json();
  }
}
