import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text as textOf } from "node:stream/consumers";
import type { StandIn, StandInSeen } from "@trestle/cli/testing";
import type { ApiEvent } from "./api.js";

const LONGEST_WAIT_MS = 10_000;

/** The network in this process: its server, and the people on it. */
export class MyNetworkStandIn implements StandIn {
  readonly people = ["bob", "dave"] as const;
  #events: ApiEvent[] = [];
  #waiting = new Set<() => void>();
  #server = createServer();
  #port = 0;

  async start() {
    this.#events = [];
    await this.#listen(0);
    return { config: { url: `http://127.0.0.1:${this.#port}` }, channels: ["lobby", "garden"] as const };
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#wake();
    this.#server.closeAllConnections();
    await closed;
  }

  /** An outage. */
  async disconnect(): Promise<void> {
    await this.stop();
  }

  async reconnect(): Promise<void> {
    await this.#listen(this.#port);
  }

  async say(channel: string, person: string, text: string): Promise<string> {
    return this.#add({ channel, sender: person, text }).id;
  }

  seen(channel: string): readonly StandInSeen[] {
    return this.#events
      .filter((event) => event.channel === channel && event.key !== undefined)
      .map(({ id, sender, text }) => ({ kind: "message", id, text: `<${sender}> ${text}` }));
  }

  async #listen(port: number): Promise<void> {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    const address = this.#server.address();
    this.#port = typeof address === "object" && address !== null ? address.port : port;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const reply = (body: unknown) => response.end(JSON.stringify(body));
    if (request.method === "POST") reply(this.#add(JSON.parse(await textOf(request)) as Omit<ApiEvent, "id">));
    else if (pathname === "/messages") reply(this.#events.filter(({ key }) => key === searchParams.get("key")));
    else reply(await this.#after(Number(searchParams.get("after"))));
  }

  #add(event: Omit<ApiEvent, "id">): ApiEvent {
    const added = { ...event, id: String(this.#events.length + 1) };
    this.#events.push(added);
    this.#wake();
    return added;
  }

  async #after(id: number): Promise<ApiEvent[]> {
    if (this.#events.length <= id) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LONGEST_WAIT_MS);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.#events.slice(id);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
