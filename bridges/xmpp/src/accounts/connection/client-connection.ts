import { client, type ClientEntity } from "node-xmpp-client";
import { containedParser } from "../../stream/contained-parser.js";
import { xml, type Element } from "../../stream/element.js";
import { messageOf } from "../../stream/errors.js";
import type { ConnectionListener, Ended, StreamConnection, StreamTuning } from "../../stream/reconnecting-stream.js";
import { serialise } from "../../stream/serialise.js";
import { NS_STREAMS, streamErrorOf } from "../../stream/stream-error.js";
import type { Place } from "./places.js";
import { SecurableSocket } from "./securable-socket.js";
import { SignInError } from "./sasl.js";
import { negotiate, NS_SM, type AccountAddress, type Bound, type Session } from "./negotiation.js";

export interface ClientConnectionOptions {
  readonly account: AccountAddress;
  /** Where the server is. */
  readonly place: () => Promise<Place>;
  /** A session to go on with. */
  readonly session: Session | undefined;
  readonly tuning: StreamTuning;
}

/** The library wants one; the socket knows where to connect to. */
const SERVICE = "xmpp://server";
/** Elements that wait to be looked at while the stream is made. */
const MOST_WAITING = 100;

/**
 * One connection of a client, over @xmpp/client (as `node-xmpp-client`), of which only opening, restarting and parsing are
 * used: it signs in without encryption where it is offered none, does not look at a server's proof (RFC 5802 §3),
 * acknowledges what nobody has dealt with yet, and reconnects for ever with a wrong password.
 */
export class ClientConnection implements StreamConnection {
  readonly #options: ClientConnectionOptions;
  readonly #listener: ConnectionListener;
  readonly #entity: ClientEntity;
  #socket: SecurableSocket | undefined;
  #timer: NodeJS.Timeout;
  #waiting: Element[] = [];
  #taker: { readonly resolve: (element: Element) => void; readonly reject: (error: Error) => void } | undefined;
  #bound: Bound | undefined;
  #ended: Ended | undefined;
  /** The server asked how much was dealt with, and was not told everything. */
  #owesCount = false;

  constructor(
    options: ClientConnectionOptions,
    listener: ConnectionListener,
    private readonly onBound: (bound: Bound) => void,
  ) {
    this.#options = options;
    this.#listener = listener;
    const { account, tuning } = options;
    const { domain } = account;
    const entity = client({ service: SERVICE, domain });
    this.#entity = entity;
    entity.reconnect.stop();
    // All that the library would do with what the server says.
    entity.removeAllListeners("element");
    entity._onElement = (element) => this.#element(element);
    entity.timeout = tuning.connectTimeoutMs;
    entity.on("error", (error) => this.#end({ reason: messageOf(error) }));
    entity.on("close", () => this.#closed("The server closed the stream"));
    entity.on("disconnect", () => this.#closed("The server closed the connection"));
    this.#timer = setTimeout(
      () => this.#end({ reason: `The server of ${domain} did not answer within ${tuning.connectTimeoutMs} ms` }),
      tuning.connectTimeoutMs,
    );
    void this.#run().catch((error: unknown) => this.#failed(error));
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
    if (this.#ended) return;
    const socket = this.#socket;
    if (!this.#bound || !socket) {
      this.#end({ reason });
      return;
    }
    this.#acknowledge();
    socket.end('<presence type="unavailable"/></stream:stream>');
    this.#end({ reason }, false);
    // The other side may never read: what it does not take within a moment is dropped.
    const gone = setTimeout(() => socket.destroy(), 1_000);
    socket.once("close", () => clearTimeout(gone));
  }

  destroy(reason: string): void {
    this.#end({ reason });
  }

  /** Sends one element. */
  async send(element: Element): Promise<void> {
    const text = serialise(element, this.#options.tuning);
    if (typeof text !== "string") throw new Error(text.reason);
    await this.#entity.write(text);
  }

  /** The next element that the server sends, while the stream is made. */
  next(): Promise<Element> {
    const first = this.#waiting.shift();
    if (first) return Promise.resolve(first);
    if (this.#ended) return Promise.reject(new Error(this.#ended.reason));
    return new Promise((resolve, reject) => {
      this.#taker = { resolve, reject };
    });
  }

  async #run(): Promise<void> {
    const { account, place: findPlace, session } = this.#options;
    const place = await findPlace();
    if (this.#isOver()) return;
    await this.#connect(place);
    if (place.security === "direct") await this.#secure();
    const bound = await negotiate(
      {
        send: (element) => this.send(element),
        next: () => this.next(),
        open: (again) => this.#open(again),
        secure: () => this.#secure(),
        isSecure: () => this.#socket?.isSecure === true,
      },
      { account, place, session },
    );
    if (this.#isOver()) return;
    clearTimeout(this.#timer);
    this.#bound = bound;
    this.onBound(bound);
    this.#listener.online();
    for (const element of this.#waiting.splice(0)) this.#element(element);
  }

  #isOver(): boolean {
    return this.#ended !== undefined;
  }

  async #connect(place: Place): Promise<void> {
    const entity = this.#entity;
    const base = entity._findTransport(SERVICE);
    if (!base) throw new Error("The XMPP library has no transport over TCP");
    const own = (socket: SecurableSocket) => {
      this.#socket = socket;
      socket.on("data", this.#listener.alive);
    };
    class Guarded extends base {}
    Guarded.prototype.Socket = class extends SecurableSocket {
      constructor() {
        super(place);
        own(this);
      }
    };
    Guarded.prototype.Parser = containedParser(this.#options.tuning);
    entity.transports = [Guarded];
    await entity.connect(SERVICE);
  }

  /** Opens the stream, or opens it anew, and returns what the server offers then (RFC 6120 §4.3). */
  async #open(again: boolean): Promise<Element> {
    const { domain } = this.#options.account;
    const opened = again ? this.#entity.restart() : this.#entity.open({ domain });
    // Whoever waits for the features sees it.
    opened.catch((error: unknown) => this.#failed(error));
    const features = await this.next();
    if (!features.is("features", NS_STREAMS)) throw new Error(`The server began with <${features.getName()}/>`);
    return features;
  }

  async #secure(): Promise<void> {
    const { domain } = this.#options.account;
    // What came in the open may be anybody's.
    if (this.#waiting.length > 0) throw new Error("The server said more before the connection was encrypted");
    try {
      await this.#socket?.secure(domain);
    } catch (error) {
      throw new Error(
        `The server has not proved that it is ${domain} (${messageOf(error)}); the password was not shown to it`,
        { cause: error },
      );
    }
  }

  #element(element: Element): void {
    if (this.#ended) return;
    const error = streamErrorOf(element);
    if (error) {
      this.#end(error);
      return;
    }
    if (this.#bound) {
      this.#running(element, this.#bound);
      return;
    }
    const taker = this.#taker;
    this.#taker = undefined;
    if (taker) taker.resolve(element);
    else if (this.#waiting.push(element) > MOST_WAITING) this.#end({ reason: "The server says too much at once" });
  }

  #running(element: Element, { jid, session }: Bound): void {
    if (["message", "presence", "iq"].includes(element.name)) {
      const stanza = this.#addressed(element, jid);
      if (session) session.handled.take(() => this.#listener.stanza(stanza));
      else this.#listener.stanza(stanza);
    } else if (element.is("r", NS_SM) && session) {
      this.#owesCount = session.handled.isBehind;
      this.#acknowledge();
    }
  }

  /** More was dealt with: the server is told where it asked before. */
  progress(): void {
    const session = this.#bound?.session;
    if (this.#ended || !session || !this.#owesCount || session.handled.isBehind) return;
    this.#owesCount = false;
    this.#acknowledge();
  }

  #acknowledge(): void {
    const session = this.#bound?.session;
    if (!session) return;
    // A failure ends the connection.
    this.send(xml("a", { xmlns: NS_SM, h: String(session.handled.count) })).catch(() => undefined);
  }

  /** What comes from nobody is from the own account, what is to nobody is to this client (RFC 6120 §8.1). */
  #addressed(element: Element, jid: string): Element {
    const { from = "", to = "" } = element.attrs;
    if (from !== "" && to !== "") return element;
    const { account } = this.#options;
    const attrs = { ...element.attrs, from: from || account.jid, to: to || jid };
    return xml(element.name, attrs, ...element.children);
  }

  /** Why it closes may have been said just before, and is still to be looked at. */
  #closed(reason: string): void {
    if (this.#bound) this.#end({ reason });
    else setImmediate(() => this.#end({ reason }));
  }

  #failed(error: unknown): void {
    const condition = error instanceof SignInError ? error.condition : undefined;
    this.#end({ ...(condition !== undefined && { condition }), reason: messageOf(error) });
  }

  #end(ended: Ended, destroy = true): void {
    if (this.#ended) return;
    this.#ended = ended;
    clearTimeout(this.#timer);
    const error = new Error(ended.reason);
    this.#taker?.reject(error);
    // What the system still holds must not go out behind a later connection, on which it may be asked for and sent again.
    if (destroy) this.#socket?.reset();
    this.#bound?.session?.handled.cut();
    // Whoever still waits in the library is let go.
    this.#entity.emit("error", error);
    this.#listener.ended(ended);
  }
}
