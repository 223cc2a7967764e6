import { randomUUID } from "node:crypto";
import { xml, type XmppComponent, type XmppElement } from "@xmpp/component";
import { client } from "node-xmpp-client";
import { waitFor } from "../../tools/wait.js";

const MUC = "http://jabber.org/protocol/muc";
const MAM = "urn:xmpp:mam:2";
const CARBONS = "urn:xmpp:carbons:2";
/** A room that has not let it in is asked again after so long. */
const joinAgainMs = 3_000;
/** A connection that is gone is made anew after so long. */
const connectAgainMs = 100;
/** One on which nobody is signed in by then is given up: with a server that is about to end it may stand still. */
const onlineWithinMs = 20_000;

export interface AccountClientOptions {
  readonly server: { readonly clientPort: number; readonly domain: string };
  readonly user: string;
  readonly resource: string;
  /** Rooms in which it is, and what it is called there. */
  readonly rooms: readonly string[];
  readonly nick: string;
  readonly note: (text: string) => void;
  /** Takes a message: what came, or what another client of the same account has sent or got. */
  readonly onMessage: (message: XmppElement) => void;
}

/**
 * A person's client over the bare library, which comes back whatever happens: each time with a new object, for one whose
 * connection ended while it signed in answers for that sign-in in all that follow.
 */
export class AccountClient {
  readonly jid: string;
  /** The name, which is the password. */
  readonly user: string;
  readonly #options: AccountClientOptions;
  #client: XmppComponent | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #in = new Set<string>();
  readonly #collecting = new Map<string, (result: XmppElement) => void>();
  #isOnline = false;
  #isClosed = false;
  #again: NodeJS.Timeout | undefined;

  constructor(options: AccountClientOptions) {
    this.#options = options;
    const { server, user } = options;
    this.user = user;
    this.jid = `${user}@${server.domain}`;
    this.#timer = setInterval(() => this.#enter(), joinAgainMs);
  }

  /** Resolves when it is in its rooms. */
  async start(): Promise<void> {
    this.#connect();
    await waitFor(`${this.jid} in the rooms`, 30_000, () => this.isIn());
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Whether it is in every room, or in this one. */
  isIn(room?: string): boolean {
    if (room !== undefined) return this.#isOnline && this.#in.has(room);
    return this.#isOnline && this.#options.rooms.every((each) => this.#in.has(each));
  }

  /** Sends a message, and returns the id that it gave it. */
  say(to: string, type: "chat" | "groupchat", ...children: readonly XmppElement[]): string {
    const id = `own${randomUUID()}`;
    this.#send(xml("message", { to, type, id }, ...children));
    return id;
  }

  /** Asks the archive of its account. */
  async ask(queryid: string, query: XmppElement, collect: (result: XmppElement) => void): Promise<XmppElement> {
    if (!this.#client) throw new Error(`${this.jid} is not connected`);
    this.#collecting.set(queryid, collect);
    try {
      return await this.#client.iqCaller.request(xml("iq", { type: "set", id: randomUUID() }, query), 30_000);
    } finally {
      this.#collecting.delete(queryid);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#again);
    if (this.#isOnline) await this.#client?.stop();
    else await this.#client?.disconnect().catch(() => undefined);
  }

  #connect(): void {
    const { server, user, resource, note } = this.#options;
    const bare = client({
      service: `xmpp://127.0.0.1:${server.clientPort}`,
      domain: server.domain,
      username: user,
      password: user,
      resource,
    });
    this.#client = bare;
    // Usually two seconds, which are over before a crowded machine has answered.
    bare.timeout = 30_000;
    // The library counts what it was given otherwise than ejabberd does, and sends once more what was not acknowledged.
    const onElement = bare._onElement.bind(bare);
    bare._onElement = (element) => {
      element.children = element.children.filter((child) => typeof child === "string" || child.name !== "sm");
      onElement(element);
    };
    bare.reconnect.stop();
    bare.on("error", (error) => note(`${this.jid}: ${error.message}`));
    bare.on("online", () => this.#online());
    bare.on("disconnect", () => this.#lost(bare));
    bare.on("stanza", (stanza) => this.#take(stanza));
    // What went wrong is said as an error too.
    bare.start().catch(() => this.#lost(bare));
    this.#again = setTimeout(() => this.#lost(bare), onlineWithinMs);
  }

  /** Not twice for the same. */
  #lost(bare: XmppComponent): void {
    if (this.#client !== bare) return;
    clearTimeout(this.#again);
    this.#client = undefined;
    this.#isOnline = false;
    this.#in.clear();
    // A connection on which the sign-in failed is still there.
    bare.disconnect().catch(() => undefined);
    if (!this.#isClosed) this.#again = setTimeout(() => this.#connect(), connectAgainMs);
  }

  #online(): void {
    clearTimeout(this.#again);
    this.#isOnline = true;
    this.#send(xml("iq", { type: "set", id: randomUUID() }, xml("enable", { xmlns: CARBONS })));
    this.#send(xml("presence"));
    this.#enter();
  }

  #enter(): void {
    if (!this.#isOnline) return;
    const { rooms, nick } = this.#options;
    for (const room of rooms) {
      if (this.#in.has(room)) continue;
      const history = xml("history", { maxstanzas: "0" });
      this.#send(xml("presence", { to: `${room}/${nick}` }, xml("x", { xmlns: MUC }, history)));
    }
  }

  #take(stanza: XmppElement): void {
    const { from = "", type } = stanza.attrs;
    const result = stanza.getChild("result", MAM);
    if (result) this.#collecting.get(result.attrs["queryid"] ?? "")?.(result);
    else if (stanza.name === "presence") this.#presence(from, type);
    else if (stanza.name !== "message") return;
    else if (type === "error") {
      this.#options.note(`${this.jid}: ${from} refused a message`);
      this.#in.delete(from.split("/", 1)[0] ?? "");
    } else {
      const carbon = stanza.getChild("sent", CARBONS) ?? stanza.getChild("received", CARBONS);
      const message = carbon?.getChild("forwarded", "urn:xmpp:forward:0")?.getChild("message") ?? stanza;
      this.#options.onMessage(message);
    }
  }

  #presence(from: string, type: string | undefined): void {
    const { nick, note } = this.#options;
    const [room = "", who] = from.split("/");
    if (type === "error") note(`${this.jid}: ${from} refused it`);
    else if (who !== nick) return;
    else if (type === "unavailable") this.#in.delete(room);
    else this.#in.add(room);
  }

  #send(stanza: XmppElement): void {
    // What does not go out was not said.
    this.#client?.send(stanza).catch((error: unknown) => this.#options.note(`${this.jid}: ${String(error)}`));
  }
}
