import { randomUUID } from "node:crypto";
import { component, xml, type XmppComponent, type XmppElement } from "@xmpp/component";
import { waitFor } from "../../tools/wait.js";
import { doesSomething, readRoomMessage, type RoomMessage } from "./room-message.js";
import type { Speakers } from "./speakers.js";
import { TextSocket } from "./text-socket.js";

const MUC = "http://jabber.org/protocol/muc";
/** A person whom the room has not let in tries again after so long. */
const joinAgainMs = 3_000;

/** The people on XMPP, in all rooms: users of a component, over the bare library, who come back whatever happens. */
export class XmppPeople implements Speakers {
  /** What rooms have shown to the first of the people while they were there, by room. */
  readonly seen = new Map<string, RoomMessage[]>();
  /** Who is in each room, as the first of the people sees it. */
  readonly #occupants = new Map<string, Map<string, string>>();
  /** `room/nick` of those who are in. */
  readonly #in = new Set<string>();
  readonly #collecting = new Map<string, (result: XmppElement) => void>();
  readonly #component: XmppComponent;
  readonly #timer: NodeJS.Timeout;
  #messages = 0;

  constructor(
    server: { readonly componentPort: number; readonly secret: string },
    private readonly domain: string,
    private readonly rooms: readonly string[],
    readonly nicks: readonly string[],
    private readonly note: (text: string) => void,
    /** Whether everybody in a room sees who everybody is (XEP-0045 §4.2). */
    private readonly isOpen: boolean,
  ) {
    for (const room of rooms) {
      this.seen.set(room, []);
      this.#occupants.set(room, new Map());
    }
    const service = `xmpp://127.0.0.1:${server.componentPort}`;
    this.#component = component({ service, domain, password: server.secret });
    this.#component.Socket = TextSocket;
    this.#component.reconnect.delay = 50;
    // A server that has just started takes its time on a busy machine.
    this.#component.timeout = 30_000;
    this.#component.on("error", (error) => this.note(`people: ${error.message}`));
    this.#component.on("stanza", (stanza) => this.#take(stanza));
    this.#component.on("online", () => this.#enter());
    this.#component.on("disconnect", () => this.#left());
    // Who was not let in, or was forgotten by a server that stopped.
    this.#timer = setInterval(() => this.#enter(), joinAgainMs);
  }

  /** Resolves when everybody is in every room. */
  async start(): Promise<void> {
    await this.#component.start();
    await waitFor("the people on XMPP in their rooms", 30_000, () => this.areIn());
  }

  /** Whether everybody is in every room. */
  areIn(): boolean {
    return this.rooms.every((room) => this.nicks.every((nick) => this.isIn(room, nick)));
  }

  isIn(room: string, nick: string): boolean {
    return this.#in.has(`${room}/${nick}`);
  }

  /** Who is in a room, by nick: the address behind it, as far as the room tells. */
  occupants(room: string): ReadonlyMap<string, string> {
    return this.#occupants.get(room) ?? new Map();
  }

  shownIn(room: string): readonly RoomMessage[] {
    return this.seen.get(room) ?? [];
  }

  addressOf(room: string, nick: string): string {
    return `${room}/${nick}`;
  }

  /**
   * Sends a message, where the person is in the room, and returns the id that they gave it. Whether the room took it, its
   * archive says.
   */
  say(room: string, nick: string, ...children: readonly XmppElement[]): string | undefined {
    if (!this.isIn(room, nick)) return undefined;
    const id = `crash${++this.#messages}`;
    this.#send(xml("message", { from: this.#jid(nick), to: room, type: "groupchat", id }, ...children));
    return id;
  }

  /** Asks, as the first of the people; `collect` is given what comes before the answer under the same `queryid`. */
  async ask(
    room: string,
    queryid: string,
    query: XmppElement,
    collect: (result: XmppElement) => void,
  ): Promise<XmppElement> {
    this.#collecting.set(queryid, collect);
    try {
      const iq = xml("iq", { type: "set", from: this.#jid(this.nicks[0] ?? ""), to: room, id: randomUUID() }, query);
      return await this.#component.iqCaller.request(iq, 30_000);
    } finally {
      this.#collecting.delete(queryid);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#component.reconnect.stop();
    if (this.#component.status === "online") await this.#component.stop();
  }

  #enter(): void {
    if (this.#component.status !== "online") return;
    for (const room of this.rooms)
      for (const nick of this.nicks) {
        if (this.isIn(room, nick)) continue;
        const history = xml("history", { maxstanzas: "0" });
        this.#send(
          xml("presence", { from: this.#jid(nick), to: `${room}/${nick}` }, xml("x", { xmlns: MUC }, history)),
        );
      }
  }

  #left(): void {
    this.#in.clear();
    for (const occupants of this.#occupants.values()) occupants.clear();
  }

  #take(stanza: XmppElement): void {
    const { from = "", to = "", type } = stanza.attrs;
    const [room, nick] = split(from);
    const result = stanza.getChild("result", "urn:xmpp:mam:2");
    if (result) this.#collecting.get(result.attrs["queryid"] ?? "")?.(result);
    else if (stanza.name === "presence") this.#presence(stanza, room, nick);
    else if (stanza.name !== "message") return;
    else if (type === "error") {
      this.note(`people: ${from} refused ${to}: ${errorOf(stanza)}`);
      // XEP-0045 §7.4: who is not in the room cannot speak in it.
      this.#in.delete(`${room}/${to.slice(0, to.indexOf("@"))}`);
    } else if (type === "groupchat" && to === this.#jid(this.nicks[0] ?? "")) {
      const message = readRoomMessage(stanza);
      if (doesSomething(message)) this.seen.get(room)?.push(message);
    }
  }

  #presence(stanza: XmppElement, room: string, nick: string): void {
    const { from = "", to = "", type } = stanza.attrs;
    if (type === "error") {
      this.note(`people: ${from} refused ${to}: ${errorOf(stanza)}`);
      return;
    }
    const user = stanza.getChild("x", `${MUC}#user`);
    const codes = user?.getChildren("status").map(({ attrs }) => attrs["code"]);
    if (codes?.includes("201") === true) this.#open(room, to);
    if (to === this.#jid(this.nicks[0] ?? "")) {
      if (type === "unavailable") this.#occupants.get(room)?.delete(nick);
      else this.#occupants.get(room)?.set(nick, user?.getChild("item")?.attrs["jid"] ?? "");
    }
    if (to !== this.#jid(nick)) return;
    if (type === "unavailable") this.#in.delete(`${room}/${nick}`);
    else this.#in.add(`${room}/${nick}`);
  }

  /** A new room is closed to others until its owner has configured it (XEP-0045 §10.1.2). */
  #open(room: string, owner: string): void {
    const field = (name: string, value: string): XmppElement => xml("field", { var: name }, xml("value", {}, value));
    const fields = this.isOpen
      ? [field("FORM_TYPE", `${MUC}#roomconfig`), field("muc#roomconfig_whois", "anyone")]
      : [];
    const form = xml("x", { xmlns: "jabber:x:data", type: "submit" }, ...fields);
    this.#send(
      xml(
        "iq",
        { type: "set", from: owner, to: room, id: randomUUID() },
        xml("query", { xmlns: `${MUC}#owner` }, form),
      ),
    );
  }

  #send(stanza: XmppElement): void {
    // What does not go out was not said.
    this.#component.send(stanza).catch((error: unknown) => this.note(`people: ${String(error)}`));
  }

  #jid(nick: string): string {
    return `${nick}@${this.domain}/desk`;
  }
}

function errorOf(stanza: XmppElement): string {
  const children = stanza.getChild("error")?.children ?? [];
  return children.map((child) => (typeof child === "string" ? child : child.name)).join(" ");
}

function split(jid: string): [string, string] {
  const slash = jid.indexOf("/");
  return slash === -1 ? [jid, ""] : [jid.slice(0, slash), jid.slice(slash + 1)];
}
