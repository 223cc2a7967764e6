import { createHash, randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Credentials, NetworkFake, NetworkSetting, SayOptions, Seen, SharedFile } from "@trestle/conformance";
import { until } from "../../../../test/support/bounded.js";
import type { XmppServer, XmppServerOptions } from "../../../../test/support/servers/xmpp-server.js";
import { xml, type Child, type Element } from "../../dist/stream/index.js";
import { ObservedStream } from "./observed-stream.js";
import { idOf, ShownStanzas } from "./shown-stanzas.js";
import { WireSpy } from "./wire-spy.js";

const MUC = "http://jabber.org/protocol/muc";
const VCARD = "vcard-temp";
const CHAT_STATES = "http://jabber.org/protocol/chatstates";
/** The component that the people of the tests are on; the server must know it. */
export const PEOPLE = "people.localhost";

/** Somebody with an account, who is on Matrix. */
const IVY = "ivy@localhost";
const SECRET = "ivy's own secret: 7 <owls>";

/** What the server must have, and know. */
export const needed: XmppServerOptions = {
  components: [PEOPLE],
  users: [{ name: "ivy", password: SECRET }],
};

/** Checks that have nothing to look at. */
export const withoutReceipts: Readonly<Record<string, string>> = {
  "can.receipt":
    "what Matrix users have read is told only in rooms whose members all know each other; that is looked at elsewhere",
};

/** Checks that take long, and in which it makes no difference which server it is. */
export const withoutCrashes: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...["lost.crash-accepted", "lost.crash-received", "lost.crash-load"],
    ...["twice.crash-sending", "twice.crash-unanswered", "twice.crash-parts", "twice.crash-bridging"],
  ].map((id) => [id, "the bridge is killed with Prosody, and in the crash suite"]),
);

/** A real XMPP server for the conformance suite, and people on it. */
export class XmppFake implements NetworkFake {
  readonly people = ["Carol", "it's <Bob>", "Ünï/@x"] as const;
  /** The rooms keep an archive. */
  readonly remembers = true;
  readonly credentials: Credentials = {
    right: [IVY, SECRET],
    wrong: [IVY, "no password of hers"],
    secret: SECRET,
    account: IVY,
  };
  readonly #start: () => Promise<XmppServer>;
  readonly #joined = new Map<string, Promise<void>>();
  #server: XmppServer | undefined;
  #spy: WireSpy | undefined;
  /** Between the bridge and the server, for accounts of Matrix users. */
  #accountSpy: WireSpy | undefined;
  #stream: ObservedStream | undefined;
  readonly #rooms = new Map<string, { readonly stanzas: ShownStanzas; next: number }>();
  readonly #names = new Map<string, string>();
  /** The account behind an occupant. */
  readonly #accounts = new Map<string, string>();
  readonly #pictures = new Map<string, string>();
  /** Messages that say that something has changed, of which it is not known yet what. */
  readonly #unanswered = new Set<Element>();
  readonly #reactions = new Map<string, readonly string[]>();
  readonly #files = new Map<string, Pick<SharedFile, "mimeType" | "content">>();
  #web: Server | undefined;

  constructor(start: () => Promise<XmppServer>) {
    this.#start = start;
  }

  async start(): Promise<NetworkSetting> {
    this.#joined.clear();
    this.#rooms.clear();
    this.#names.clear();
    this.#accounts.clear();
    this.#pictures.clear();
    this.#unanswered.clear();
    this.#reactions.clear();
    const server = await this.#start();
    this.#server = server;
    this.#spy = await WireSpy.before(server.componentPort);
    this.#accountSpy = await WireSpy.before(server.clientPort);
    this.#stream = await ObservedStream.online({
      port: server.componentPort,
      domain: PEOPLE,
      onStanza: (stanza) => this.#watchName(stanza),
    });
    const channels = [`hall@${server.rooms}`, `garden@${server.rooms}`] as const;
    for (const channel of channels) {
      await this.#enter(channel, this.people[0]);
      await this.#own(channel, `bridge@${server.component}`);
    }
    return {
      config: {
        port: this.#spy.port,
        domain: server.component,
        secret: server.secret,
        reconnect: { min: 0.05, max: 1 },
        accounts: {
          enabled: true,
          servers: { [server.domain]: { host: server.host, port: this.#accountSpy.port, security: "none" } },
        },
      },
      channels,
    };
  }

  async stop(): Promise<void> {
    await this.#stream?.stream.close();
    this.#web?.closeAllConnections();
    this.#web?.close();
    this.#web = undefined;
    await this.#spy?.stop();
    await this.#accountSpy?.stop();
    await this.#server?.process.stop();
  }

  async say(channel: string, person: string, text: string, { emote, replyTo }: SayOptions = {}): Promise<string> {
    const reply = replyTo === undefined ? undefined : xml("reply", { xmlns: "urn:xmpp:reply:0", id: replyTo });
    return this.#says(channel, person, xml("body", {}, emote === true ? `/me ${text}` : text), reply);
  }

  async edit(channel: string, person: string, id: string, text: string): Promise<void> {
    const given = this.#shown(channel).givenId(`${channel}/${person}`, id);
    const replace = xml("replace", { xmlns: "urn:xmpp:message-correct:0", id: given });
    await this.#says(channel, person, xml("body", {}, text), replace);
  }

  async remove(channel: string, person: string, id: string): Promise<void> {
    await this.#says(channel, person, xml("retract", { xmlns: "urn:xmpp:message-retract:1", id }), STORE());
  }

  react(channel: string, person: string, id: string, key: string): Promise<void> {
    return this.#reacts(channel, person, id, (keys) => [...keys, key]);
  }

  unreact(channel: string, person: string, id: string, key: string): Promise<void> {
    return this.#reacts(channel, person, id, (keys) => keys.filter((each) => each !== key));
  }

  async share(channel: string, person: string, { name, mimeType, content }: SharedFile): Promise<string> {
    const url = await this.#serve(`/${randomUUID()}/${encodeURIComponent(name)}`, mimeType, content);
    const oob = xml("x", { xmlns: "jabber:x:oob" }, xml("url", {}, url));
    return this.#says(channel, person, xml("body", {}, url), oob);
  }

  async type(channel: string, person: string, isTyping: boolean): Promise<void> {
    await this.#enter(channel, person);
    const state = xml(isTyping ? "composing" : "active", { xmlns: CHAT_STATES });
    await this.#send(xml("message", { from: addressOf(person), to: channel, type: "groupchat" }, state));
  }

  seesTyping(channel: string): boolean {
    const states = this.#observed.stanzas.flatMap((stanza) => {
      if (!this.#isOfBridge(channel, stanza)) return [];
      return stanza.getChildElements().flatMap((child) => (child.getNS() === CHAT_STATES ? [child.name] : []));
    });
    return states.at(-1) === "composing";
  }

  seen(channel: string): readonly Seen[] {
    return this.#shown(channel).seen;
  }

  disconnect(): Promise<void> {
    this.#spy?.refuse();
    this.#accountSpy?.refuse();
    return Promise.resolve();
  }

  reconnect(): Promise<void> {
    this.#spy?.admit();
    this.#accountSpy?.admit();
    return Promise.resolve();
  }

  async setTopic(channel: string, person: string, topic: string): Promise<void> {
    await this.#enter(channel, person);
    await this.#send(
      xml("message", { from: addressOf(person), to: channel, type: "groupchat" }, xml("subject", {}, topic)),
    );
  }

  /** The first of the people, whose room it is, does so; the others may not. */
  async setPicture(channel: string, _person: string, image: Uint8Array): Promise<void> {
    const bytes = Buffer.from(image).toString("base64");
    this.#pictures.set(channel, bytes);
    const photo = xml("PHOTO", {}, xml("TYPE", {}, "image/png"), xml("BINVAL", {}, bytes));
    const answer = await this.#observed.stream.request(
      xml("iq", { type: "set", from: addressOf(this.people[0]), to: channel }, xml("vCard", { xmlns: VCARD }, photo)),
    );
    if (answer.kind !== "result") throw new Error(`The picture of ${channel} could not be set.`);
  }

  stall(channel: string): () => void {
    if (!this.#spy) throw new Error("The network is not started.");
    return this.#spy.stall(channel);
  }

  /** Whether the bridge's own occupant is in a room. */
  connected(): boolean {
    const last = this.#observed.stanzas.findLast(
      ({ name, attrs }) =>
        name === "presence" &&
        attrs["to"] === addressOf(this.people[0]) &&
        /^hall@.*\/Matrix$/.test(attrs["from"] ?? ""),
    );
    return last !== undefined && last.attrs["type"] === undefined;
  }

  violations(): readonly string[] {
    return [this.#spy, this.#accountSpy].flatMap((spy) => spy?.streamErrors ?? []);
  }

  get #observed(): ObservedStream {
    if (!this.#stream) throw new Error("The network is not started.");
    return this.#stream;
  }

  /** What the first of the people has seen in a room, up to now. */
  #shown(channel: string): ShownStanzas {
    const shown = this.#rooms.get(channel) ?? { stanzas: new ShownStanzas(), next: 0 };
    this.#rooms.set(channel, shown);
    const { stanzas } = this.#observed;
    for (; shown.next < stanzas.length; shown.next++) {
      const stanza = stanzas[shown.next];
      if (!stanza) continue;
      // What is said after a change is seen after it.
      if (stanza.attrs["from"] === channel && this.#unanswered.has(stanza)) break;
      this.#noteOccupant(stanza);
      if (!isShown(channel, stanza)) continue;
      const account = this.#accounts.get(stanza.attrs["from"] ?? "");
      shown.stanzas.take(stanza, this.#isOfBridge(channel, stanza), account);
    }
    return shown.stanzas;
  }

  /** The owner of a room is told who is behind each nick; who has an account is none of the component's. */
  #noteOccupant(stanza: Element): void {
    const { from = "", to, type } = stanza.attrs;
    if (stanza.name !== "presence" || to !== addressOf(this.people[0])) return;
    const jid = stanza.getChild("x", `${MUC}#user`)?.getChild("item")?.attrs["jid"]?.split("/", 1)[0];
    if (type !== "unavailable" && jid === IVY) this.#accounts.set(from, jid);
    else this.#accounts.delete(from);
  }

  /** The first of the people, whose room it is, shares it with the bridge. */
  async #own(channel: string, jid: string): Promise<void> {
    const item = xml("item", { jid, affiliation: "owner" });
    const query = xml("query", { xmlns: `${MUC}#admin` }, item);
    const answer = await this.#observed.stream.request(
      xml("iq", { type: "set", from: addressOf(this.people[0]), to: channel }, query),
    );
    if (answer.kind !== "result") throw new Error(`The bridge could not be made an owner of ${channel}.`);
  }

  /** A room tells that something about it has changed (XEP-0045 §10.2.1), and not what: clients ask for its name, and its picture. */
  #watchName(stanza: Element): Promise<void> | undefined {
    const { from = "", to } = stanza.attrs;
    const statuses = stanza.getChild("x", `${MUC}#user`)?.getChildren("status") ?? [];
    const isChange = stanza.name === "message" && statuses.some(({ attrs }) => attrs["code"] === "104");
    return isChange && to === addressOf(this.people[0]) ? this.#askWhat(from, stanza) : undefined;
  }

  async #askWhat(channel: string, change: Element): Promise<void> {
    this.#unanswered.add(change);
    try {
      await this.#askName(channel);
      await this.#askPicture(channel);
    } finally {
      this.#unanswered.delete(change);
    }
  }

  async #askName(channel: string): Promise<void> {
    const info = "http://jabber.org/protocol/disco#info";
    const answer = await this.#observed.stream.request(
      xml("iq", { type: "get", from: addressOf(this.people[0]), to: channel }, xml("query", { xmlns: info })),
    );
    const query = answer.kind === "result" ? answer.stanza.getChild("query", info) : undefined;
    const name = query?.getChild("identity")?.attrs["name"] ?? "";
    if (name === "" || name === this.#names.get(channel)) return;
    this.#names.set(channel, name);
    this.#shown(channel).seen.push({ kind: "name", text: name });
  }

  async #askPicture(channel: string): Promise<void> {
    const answer = await this.#observed.stream.request(
      xml("iq", { type: "get", from: addressOf(this.people[0]), to: channel }, xml("vCard", { xmlns: VCARD })),
    );
    const photo = answer.kind === "result" ? answer.stanza.getChild("vCard", VCARD)?.getChild("PHOTO") : undefined;
    const bytes = photo?.getChildText("BINVAL") ?? "";
    if (bytes === (this.#pictures.get(channel) ?? "")) return;
    this.#pictures.set(channel, bytes);
    this.#shown(channel).seen.push({ kind: "picture", image: Buffer.from(bytes, "base64") });
  }

  #isOfBridge(channel: string, stanza: Element): boolean {
    const { from = "" } = stanza.attrs;
    const nick = from.slice(from.indexOf("/") + 1);
    return isShown(channel, stanza) && from !== channel && !this.people.some((person) => person === nick);
  }

  /** Resolves to the room's id of it, when it is shown. */
  async #says(channel: string, person: string, ...content: readonly Child[]): Promise<string> {
    await this.#enter(channel, person);
    const id = randomUUID();
    await this.#send(xml("message", { from: addressOf(person), to: channel, type: "groupchat", id }, ...content));
    const shown = await this.#observed.gets(
      `${person}'s message`,
      ({ attrs }) => attrs["id"] === id && attrs["to"] === addressOf(this.people[0]),
    );
    return idOf(shown);
  }

  async #reacts(
    channel: string,
    person: string,
    id: string,
    change: (keys: readonly string[]) => readonly string[],
  ): Promise<void> {
    const keys = change(this.#reactions.get(`${person} ${id}`) ?? []);
    this.#reactions.set(`${person} ${id}`, keys);
    const reactions = keys.map((key) => xml("reaction", {}, key));
    await this.#says(channel, person, xml("reactions", { xmlns: "urn:xmpp:reactions:0", id }, reactions), STORE());
  }

  async #serve(path: string, mimeType: string, content: Uint8Array): Promise<string> {
    this.#files.set(path, { mimeType, content });
    this.#web ??= await new Promise<Server>((resolve) => {
      const server = createServer((request, response) => {
        const file = this.#files.get(request.url ?? "");
        response.writeHead(file ? 200 : 404, { "content-type": file?.mimeType ?? "text/plain" }).end(file?.content);
      });
      server.listen(0, "127.0.0.1", () => resolve(server));
    });
    return `http://127.0.0.1:${(this.#web.address() as AddressInfo).port}${path}`;
  }

  #enter(channel: string, person: string): Promise<void> {
    const key = `${channel}/${person}`;
    const entered = this.#joined.get(key) ?? this.#join(key, person);
    this.#joined.set(key, entered);
    return entered;
  }

  async #join(occupant: string, person: string): Promise<void> {
    const from = addressOf(person);
    await this.#send(
      xml("presence", { from, to: occupant }, xml("x", { xmlns: MUC }, xml("history", { maxstanzas: "0" }))),
    );
    await this.#observed.gets(
      `${person} in the room`,
      ({ name, attrs }) => name === "presence" && attrs["from"] === occupant && attrs["to"] === from,
    );
  }

  async #send(stanza: Element): Promise<void> {
    await until(10_000, "the people connected", () =>
      this.#observed.stream.state.state === "online" ? true : undefined,
    );
    const failure = await this.#observed.stream.send(stanza);
    if (failure) throw new Error(failure.reason);
  }
}

/** Whether it is a message of a room, as the first of the people gets it. */
function isShown(channel: string, { name, attrs: { from = "", to, type } }: Element): boolean {
  return name === "message" && type === "groupchat" && from.split("/", 1)[0] === channel && to === addressOf("Carol");
}

function addressOf(person: string): string {
  return `${createHash("sha256").update(person).digest("hex").slice(0, 12)}@${PEOPLE}/desk`;
}

/** XEP-0334: archives keep what has no body only where they are told to. */
const STORE = (): Element => xml("store", { xmlns: "urn:xmpp:hints" });
