import { component, type ComponentEntity } from "@xmpp/component";
import type { Socket } from "node:net";
import { containedParser, type InputLimits } from "./contained-parser.js";
import { messageOf } from "./errors.js";
import { GuardedSocket } from "./guarded-socket.js";
import type { ConnectionListener, Ended, StreamConnection } from "./reconnecting-stream.js";
import { streamErrorOf } from "./stream-error.js";

/** Where a component connects to (XEP-0114). */
export interface ComponentAddress {
  readonly host: string;
  readonly port: number;
  /** The component's own domain. */
  readonly domain: string;
  readonly secret: string;
}

/** One connection of a component, over @xmpp/component, of which only opening, handshake and parsing are used. */
export class ComponentConnection implements StreamConnection {
  readonly #entity: ComponentEntity;
  readonly #listener: ConnectionListener;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #online = false;
  #closing = false;

  constructor(
    readonly address: ComponentAddress,
    listener: ConnectionListener,
    private readonly limits: InputLimits & { readonly connectTimeoutMs: number; readonly closeTimeoutMs: number },
  ) {
    const { host, port, domain, secret } = address;
    this.#listener = listener;
    const service = `xmpp://${host.includes(":") ? `[${host}]` : host}:${port}`;
    const entity = component({ service, domain, password: secret });
    this.#entity = entity;
    // It reconnects every second for ever, and answers queries in the component's name.
    entity.reconnect.stop();
    entity.removeAllListeners("element");
    entity.timeout = limits.connectTimeoutMs;
    // The library constructs a socket at each attempt to connect, of which there is one.
    const owner = (socket: Socket) => (this.#socket = socket);
    entity.Socket = class extends GuardedSocket {
      constructor() {
        super();
        owner(this);
        this.on("data", listener.alive);
      }
    };
    entity.Parser = containedParser(limits);
    entity.on("error", (error) => this.#failed(error));
    // The library tells of stream errors as errors, except of one that names another host, which it would connect to.
    entity.on("nonza", (element) => {
      const ended = streamErrorOf(element);
      if (ended) this.#end(ended);
    });
    entity.on("stanza", (stanza) => {
      if (!this.#ended) listener.stanza(stanza);
    });
    entity.on("close", () => this.#end({ reason: "The server closed the stream" }));
    entity.on("disconnect", () => this.#end({ reason: "The server closed the connection" }));
    entity.on("online", () => this.#becameOnline());
    this.#timer = setTimeout(
      () => this.#end({ reason: `The server at ${host}:${port} did not answer within ${limits.connectTimeoutMs} ms` }),
      limits.connectTimeoutMs,
    );
    void this.#open(service, domain, limits.connectTimeoutMs);
  }

  get backlog(): number {
    return this.#socket?.writableLength ?? 0;
  }

  write(text: string): Promise<void> {
    return this.#entity.write(text);
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  close(reason: string): void {
    if (this.#ended || this.#closing) return;
    if (!this.#online) {
      this.#end({ reason });
      return;
    }
    this.#closing = true;
    // What the server has given out for us before it reads this is still to come: nobody would send it again. It is the
    // server that ends the connection (RFC 6120 §4.4): one that reads its end at once drops what it has not written yet.
    this.#socket?.write("</stream:stream>");
    this.#timer = setTimeout(() => this.#end({ reason }), this.limits.closeTimeoutMs);
  }

  destroy(reason: string): void {
    this.#end({ reason });
  }

  async #open(service: string, domain: string, timeout: number): Promise<void> {
    try {
      await this.#entity.connect(service);
      await this.#entity.open({ domain, timeout });
    } catch (error) {
      this.#end({ reason: messageOf(error) });
    }
  }

  #becameOnline(): void {
    if (this.#ended) return;
    clearTimeout(this.#timer);
    this.#online = true;
    this.#listener.online();
  }

  #failed(error: Error & { readonly condition?: unknown }): void {
    const { condition } = error;
    this.#end({ ...(typeof condition === "string" && { condition }), reason: messageOf(error) });
  }

  #end(ended: Ended): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    // What the system still holds must not go out behind a later connection, on which it may be asked for and sent again.
    if (this.#online && !this.#closing) this.#socket?.resetAndDestroy();
    else this.#socket?.destroy();
    // Whoever still waits in the library (with timers, and once to connect elsewhere) is let go.
    this.#entity.emit("error", new Error(ended.reason));
    this.#listener.ended(ended);
  }
}
