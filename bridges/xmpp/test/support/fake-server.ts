import { createHash } from "node:crypto";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { within } from "../../../../test/support/bounded.js";

export const SECRET = "correct horse";
export const STREAM_HEADER = `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='bridge.test' id='s1'>`;

/** What a server that misbehaves on purpose does with a component that connects. */
export interface FakeServerOptions {
  /** Answers the stream header with this instead of its own. */
  readonly header?: string;
  /** Answers the handshake with this instead of `<handshake/>`; `null` for nothing at all. */
  readonly handshake?: string | null;
  /** Sends back whatever comes after the handshake, as a server does with what a component sends to itself. */
  readonly echo?: boolean;
}

/** A component that is connected to the fake server. */
export class FakeSession {
  /** All that it sent after the handshake. */
  received = "";
  readonly #watchers = new Set<() => void>();

  constructor(readonly socket: Socket) {}

  /** Sends bytes as they are; resolves when the system has them. */
  async send(data: string | Buffer): Promise<void> {
    await new Promise<void>((resolve) => this.socket.write(data, () => resolve()));
  }

  async receives(what: string, wanted: (received: string) => boolean): Promise<string> {
    let watcher: (() => void) | undefined;
    const found = new Promise<string>((resolve) => {
      watcher = () => wanted(this.received) && resolve(this.received);
      this.#watchers.add(watcher);
      watcher();
    });
    return within(10_000, what, found, () => this.received.slice(-2_000)).finally(
      () => watcher && this.#watchers.delete(watcher),
    );
  }

  take(text: string): void {
    this.received += text;
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** A server for one component (XEP-0114), whose every byte a test decides. */
export class FakeServer {
  readonly sessions: FakeSession[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #sockets = new Set<Socket>();
  connections = 0;

  private constructor(
    private readonly server: Server,
    public options: FakeServerOptions,
  ) {
    server.on("connection", (socket) => this.#accept(socket));
  }

  static async start(options: FakeServerOptions = {}): Promise<FakeServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new FakeServer(server, options);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The session of this number, from 0, when it has shaken hands. */
  async session(number: number): Promise<FakeSession> {
    let watcher: (() => void) | undefined;
    const found = new Promise<FakeSession>((resolve) => {
      watcher = () => {
        const session = this.sessions[number];
        if (session) resolve(session);
      };
      this.#watchers.add(watcher);
      watcher();
    });
    return within(10_000, `session ${number}`, found).finally(() => watcher && this.#watchers.delete(watcher));
  }

  async stop(): Promise<void> {
    for (const { socket } of this.sessions) socket.destroy();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  #accept(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => this.#sockets.delete(socket));
    let text = "";
    let session: FakeSession | undefined;
    let greeted = false;
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      if (session) {
        session.take(chunk);
        if (this.options.echo === true) socket.write(chunk);
        return;
      }
      text += chunk;
      if (!greeted && text.includes("<stream:stream")) {
        greeted = true;
        socket.write(this.options.header ?? STREAM_HEADER);
      }
      const digest = /<handshake>([0-9a-f]+)<\/handshake>/.exec(text)?.[1];
      if (digest === undefined) return;
      const { handshake } = this.options;
      const right = createHash("sha1").update(`s1${SECRET}`).digest("hex") === digest;
      if (handshake === null) return;
      session = new FakeSession(socket);
      socket.write(handshake ?? (right ? "<handshake/>" : streamError("not-authorized")));
      this.sessions.push(session);
      for (const watcher of [...this.#watchers]) watcher();
    });
  }
}

export function streamError(condition: string): string {
  return `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`;
}
