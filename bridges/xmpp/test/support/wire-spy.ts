import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";

/** Stands between a component and its server: sees every byte, and can cut or stop the line. */
export class WireSpy {
  /** All that the component sent, over all connections. */
  sent = "";
  /** What the server said as it ended a stream. */
  readonly streamErrors: string[] = [];
  connections = 0;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #stopped = false;
  #refusing = false;
  #deaf = false;
  /** The room from which nothing passes, and what waits of it. */
  #stalled: { readonly room: string; readonly held: { readonly near: Socket; readonly stanza: string }[] } | undefined;

  private constructor(private readonly server: Server) {}

  /** Listens on a port of its own for what is to go to `port`. */
  static async before(port: number): Promise<WireSpy> {
    // What one side has said to its end still reaches the other, and what that says of it.
    const server = createServer({ allowHalfOpen: true });
    const spy = new WireSpy(server);
    server.on("connection", (near) => spy.#accept(near, port));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return spy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends every connection without a word. */
  cut(): void {
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /** Refuses new connections, and cuts those there are. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  admit(): void {
    this.#refusing = false;
  }

  /** Nothing passes any more in either direction, but connections stay. */
  freeze(): void {
    this.#stopped = true;
    for (const [near, far] of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  /** The server learns that the frozen connections are gone, and new ones pass again. */
  thaw(): void {
    this.#stopped = false;
    this.cut();
  }

  /** What the server says is lost, without a word. */
  deafen(): void {
    this.#deaf = true;
  }

  hear(): void {
    this.#deaf = false;
  }

  /** What a room says waits until the returned function is called; all else goes on. */
  stall(room: string): () => void {
    const stalled = { room, held: [] };
    this.#stalled = stalled;
    return () => this.#release(stalled);
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  #accept(near: Socket, port: number): void {
    this.connections += 1;
    if (this.#refusing) {
      near.destroy();
      return;
    }
    const far = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    const pair = [near, far] as const;
    const stanzas = new Stanzas();
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    near.on("end", () => far.end());
    far.on("end", () => near.end());
    near.on("data", (data) => {
      this.sent += data.toString("latin1");
      if (!this.#stopped) far.write(data);
    });
    far.on("data", (data) => {
      const error = /<stream:error>.*/s.exec(data.toString("latin1"))?.[0];
      if (error !== undefined) this.streamErrors.push(error);
      if (this.#stopped || this.#deaf) return;
      for (const stanza of stanzas.take(data)) this.#pass(near, stanza);
    });
  }

  #pass(near: Socket, stanza: string): void {
    const stalled = this.#stalled;
    const from = /^\s*<[a-z]+[^>]*\sfrom=['"]([^'"/]*)/.exec(stanza)?.[1];
    if (stalled && from === stalled.room) stalled.held.push({ near, stanza });
    else near.write(stanza);
  }

  #release({ held }: { readonly held: readonly { readonly near: Socket; readonly stanza: string }[] }): void {
    this.#stalled = undefined;
    for (const { near, stanza } of held) if (!near.destroyed) near.write(stanza);
  }
}

/** Takes a stream apart into what stands between its stanzas and the stanzas. */
class Stanzas {
  readonly #decoder = new StringDecoder("utf8");
  #text = "";

  take(data: Buffer): string[] {
    this.#text += this.#decoder.write(data);
    const whole: string[] = [];
    let [depth, start] = [0, 0];
    for (const tag of this.#text.matchAll(/<([/?]?)([^\s>/]+)(?:[^>"']|"[^"]*"|'[^']*')*?(\/?)>/g)) {
      const [matched, opening, name, closing] = tag;
      // The stream itself is no stanza.
      if (opening !== "?" && name !== "stream:stream") depth += opening === "/" ? -1 : closing === "/" ? 0 : 1;
      if (depth > 0) continue;
      whole.push(this.#text.slice(start, tag.index + matched.length));
      start = tag.index + matched.length;
    }
    this.#text = this.#text.slice(start);
    return whole;
  }
}
