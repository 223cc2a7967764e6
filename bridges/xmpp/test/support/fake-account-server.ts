import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { within } from "../../../../test/support/bounded.js";

/** What a server for clients does, on purpose or not. */
export interface FakeAccountServerOptions {
  /** With this key and certificate (PEM) it offers to encrypt; without it does not. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** It encrypts from the start, without being asked. */
  readonly direct?: boolean;
  readonly mechanisms?: readonly string[];
  /** What it answers to a sign-in instead of looking. */
  readonly failure?: string;
  /** It does not know the password, and yet lets in. */
  readonly impostor?: boolean;
  /** Sent in the same packet as the answer that encryption may begin. */
  readonly injected?: string;
  /** The address it gives, instead of the one asked for. */
  readonly bound?: string;
  readonly iterations?: number;
  /** It keeps an archive (XEP-0313) of these messages, by their ids. */
  readonly archive?: Map<string, string>;
}

export const PASSWORD = "pencil";
const FEATURES = "<stream:features>";
const header = (id: number) =>
  `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='localhost' id='s${id}' version='1.0'>`;
const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const SM = "urn:xmpp:sm:3";

/** A server for clients (RFC 6120), small, whose every answer a test decides. Everybody's password is {@link PASSWORD}. */
export class FakeAccountServer {
  readonly sessions: FakeClientSession[] = [];
  /** Sessions that can go on (XEP-0198), by their ids: how many stanzas each has been sent. */
  readonly kept = new Map<string, string[]>();
  readonly #sockets = new Set<Socket>();
  readonly #watchers = new Set<() => void>();

  private constructor(
    private readonly server: Server,
    public options: FakeAccountServerOptions,
  ) {
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => this.#sockets.delete(socket));
      const session = new FakeClientSession(this, socket, this.sessions.length);
      this.sessions.push(session);
      for (const watcher of [...this.#watchers]) watcher();
    });
  }

  static async start(options: FakeAccountServerOptions = {}): Promise<FakeAccountServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new FakeAccountServer(server, options);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The connection of this number, from 0. */
  async session(number: number): Promise<FakeClientSession> {
    let watcher: (() => void) | undefined;
    const found = new Promise<FakeClientSession>((resolve) => {
      watcher = () => {
        const session = this.sessions[number];
        if (session) resolve(session);
      };
      this.#watchers.add(watcher);
      watcher();
    });
    return within(10_000, `connection ${number}`, found).finally(() => watcher && this.#watchers.delete(watcher));
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}

/** One connection of a client. */
export class FakeClientSession {
  /** All that came, and what of it came unencrypted. */
  received = "";
  plain = "";
  #socket: Socket;
  #text = "";
  #streams = 0;
  #isSecure = false;
  #isIn = false;
  #scram: Scram | undefined;
  #session: string | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(
    private readonly server: FakeAccountServer,
    socket: Socket,
    private readonly number: number,
  ) {
    this.#socket = socket;
    if (server.options.direct === true) this.#encrypt();
    else this.#listen();
  }

  /** Sends stanzas; where the session is kept, they are part of it. */
  send(...stanzas: string[]): void {
    if (this.#session !== undefined) this.server.kept.get(this.#session)?.push(...stanzas);
    this.write(stanzas.join(""));
  }

  /** Sends what is no stanza. */
  write(text: string): void {
    if (!this.#socket.destroyed) this.#socket.write(text);
  }

  cut(): void {
    this.#socket.destroy();
  }

  async receives(what: string, pattern: RegExp): Promise<string> {
    let watcher: (() => void) | undefined;
    const found = new Promise<string>((resolve) => {
      watcher = () => {
        const match = pattern.exec(this.received)?.[0];
        if (match !== undefined) resolve(match);
      };
      this.#watchers.add(watcher);
      watcher();
    });
    return within(10_000, what, found, () => this.received.slice(-2_000)).finally(
      () => watcher && this.#watchers.delete(watcher),
    );
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on("error", () => undefined);
    socket.on("data", (data: Buffer) => {
      const text = data.toString("utf8");
      this.received += text;
      if (!this.#isSecure) this.plain += text;
      this.#text += text;
      this.#work();
      for (const watcher of [...this.#watchers]) watcher();
    });
  }

  #encrypt(): void {
    const { tls } = this.server.options;
    if (!tls) throw new Error("The fake server has no certificate");
    this.#socket.removeAllListeners("data");
    this.#isSecure = true;
    this.#socket = new TLSSocket(this.#socket, { isServer: true, secureContext: createSecureContext(tls) });
    this.#listen();
  }

  #work(): void {
    for (;;) {
      const found = /^\s*(?:<\?xml[^>]*\?>\s*)?(<stream:stream[^>]*>|<(\w+)[^>]*?(?:\/>|>.*?<\/\2>))/s.exec(this.#text);
      if (!found) return;
      this.#text = this.#text.slice(found[0].length);
      this.#answer(found[1] ?? "");
    }
  }

  #answer(element: string): void {
    const { options } = this.server;
    if (element.startsWith("<stream:stream")) this.write(header(this.#streams++) + this.#features());
    else if (element.startsWith("<starttls")) {
      this.write(`<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${options.injected ?? ""}`);
      this.#encrypt();
    } else if (element.startsWith("<auth") || element.startsWith("<response")) this.#signIn(element);
    else if (element.includes("urn:ietf:params:xml:ns:xmpp-bind")) this.#bind(element);
    else if (element.startsWith("<enable ")) this.#enable();
    else if (element.startsWith("<resume ")) this.#resume(element);
    else if (element.startsWith("<iq ") && element.includes("urn:xmpp:carbons:2")) this.#result(element);
    else if (element.startsWith("<iq ") && element.includes("urn:xmpp:mam:2")) this.#archive(element);
  }

  #features(): string {
    const { options } = this.server;
    const mayEncrypt = options.tls !== undefined && !this.#isSecure;
    const mechanisms = (options.mechanisms ?? ["SCRAM-SHA-1", "SCRAM-SHA-256"]).map(
      (name) => `<mechanism>${name}</mechanism>`,
    );
    if (this.#isIn)
      return `${FEATURES}<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='${SM}'/></stream:features>`;
    const starttls = mayEncrypt ? "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" : "";
    return `${FEATURES}${starttls}<mechanisms xmlns='${SASL}'>${mechanisms.join("")}</mechanisms></stream:features>`;
  }

  #signIn(element: string): void {
    const { options } = this.server;
    const said = Buffer.from(/>([^<]*)</.exec(element)?.[1] ?? "", "base64").toString("utf8");
    if (options.failure !== undefined) {
      this.write(`<failure xmlns='${SASL}'><${options.failure}/></failure></stream:stream>`);
      this.#socket.end();
      return;
    }
    const mechanism = /mechanism="([^"]*)"/.exec(element)?.[1];
    if (mechanism === "PLAIN") {
      const isRight = said.endsWith(`\0${PASSWORD}`);
      this.#isIn = isRight;
      this.write(isRight ? `<success xmlns='${SASL}'/>` : `<failure xmlns='${SASL}'><not-authorized/></failure>`);
    } else if (mechanism !== undefined) {
      this.#scram = new Scram(mechanism, said, options.iterations ?? 4096, options.impostor === true);
      this.write(`<challenge xmlns='${SASL}'>${base64(this.#scram.challenge)}</challenge>`);
    } else {
      const final = this.#scram?.finish(said);
      this.#isIn = final !== undefined;
      this.write(
        final === undefined
          ? `<failure xmlns='${SASL}'><not-authorized/></failure>`
          : `<success xmlns='${SASL}'>${base64(final)}</success>`,
      );
    }
  }

  #bind(element: string): void {
    const resource = /<resource>([^<]*)</.exec(element)?.[1] ?? "r";
    const jid = this.server.options.bound ?? `alice@localhost/${resource}`;
    this.#result(element, `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${jid}</jid></bind>`);
  }

  #result(element: string, payload = ""): void {
    const id = /\sid="([^"]*)"/.exec(element)?.[1] ?? "";
    this.write(`<iq type='result' id='${id}'>${payload}</iq>`);
  }

  #archive(element: string): void {
    const { archive } = this.server.options;
    if (!archive) {
      this.#noArchive(element);
      return;
    }
    const after = /<after>([^<]*)</.exec(element)?.[1];
    const all = [...archive];
    const start = after === undefined ? 0 : all.findIndex(([id]) => id === after) + 1;
    const page = element.includes("<before") ? all.slice(-1) : all.slice(start);
    const queryid = /queryid="([^"]*)"/.exec(element)?.[1] ?? "";
    for (const [id, message] of page)
      this.write(
        `<message to='alice@localhost'><result xmlns='urn:xmpp:mam:2' queryid='${queryid}' id='${id}'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-11-22T10:00:00Z'/>${message}</forwarded></result></message>`,
      );
    this.#result(element, `<fin xmlns='urn:xmpp:mam:2' complete='true'/>`);
  }

  #noArchive(element: string): void {
    const id = /\sid="([^"]*)"/.exec(element)?.[1] ?? "";
    this.write(
      `<iq type='error' id='${id}'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
    );
  }

  #enable(): void {
    this.#session = `session-${this.number}`;
    this.server.kept.set(this.#session, []);
    this.write(`<enabled xmlns='${SM}' id='${this.#session}' resume='true'/>`);
  }

  /** Gives again what the client has not counted. */
  #resume(element: string): void {
    const id = /previd="([^"]*)"/.exec(element)?.[1] ?? "";
    const sent = this.server.kept.get(id);
    if (!sent) {
      this.write(`<failed xmlns='${SM}'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`);
      return;
    }
    this.#session = id;
    const counted = Number(/\sh="(\d+)"/.exec(element)?.[1]);
    this.write(`<resumed xmlns='${SM}' previd='${id}' h='0'/>${sent.slice(counted).join("")}`);
  }
}

/** The server's side of SCRAM (RFC 5802), written from the specification for the tests alone. */
class Scram {
  readonly challenge: string;
  readonly #hash: string;
  readonly #bare: string;

  constructor(
    mechanism: string,
    clientFirst: string,
    private readonly iterations: number,
    private readonly isImpostor: boolean,
  ) {
    this.#hash = mechanism === "SCRAM-SHA-1" ? "sha1" : "sha256";
    this.#bare = clientFirst.replace(/^n,,/, "");
    const nonce = /r=([^,]*)/.exec(this.#bare)?.[1] ?? "";
    this.challenge = `r=${nonce}-and-the-servers,s=${base64("salt and pepper")},i=${iterations}`;
  }

  finish(clientFinal: string): string | undefined {
    const length = this.#hash === "sha1" ? 20 : 32;
    const salted = pbkdf2Sync(PASSWORD, "salt and pepper", this.iterations, length, this.#hash);
    const [unproven = "", proof = ""] = clientFinal.split(",p=");
    const said = `${this.#bare},${this.challenge},${unproven}`;
    const key = this.#hmac(salted, "Client Key");
    const stored = createHash(this.#hash).update(key).digest();
    const signature = this.#hmac(stored, said);
    const expected = key.map((byte, index) => byte ^ (signature[index] ?? 0));
    if (this.isImpostor) return `v=${Buffer.alloc(length, 7).toString("base64")}`;
    if (Buffer.from(expected).toString("base64") !== proof) return undefined;
    return `v=${this.#hmac(this.#hmac(salted, "Server Key"), said).toString("base64")}`;
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest();
  }
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
