import { createHash, randomUUID } from "node:crypto";
import type { NetworkFake, NetworkSetting, SayOptions, Seen } from "@trestle/conformance";
import { until } from "../../../../test/support/bounded.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { xml, type Element } from "../../dist/stream/index.js";
import { ObservedStream } from "./observed-stream.js";
import { WireSpy } from "./wire-spy.js";

const MUC = "http://jabber.org/protocol/muc";
/** The component that the people of the tests are on; the server must know it. */
export const PEOPLE = "people.localhost";

/** A real XMPP server for the conformance suite, and people on it. */
export class XmppFake implements NetworkFake {
  readonly people = ["Carol", "it's <Bob>", "Ünï/@x"] as const;
  /** The rooms keep an archive. */
  readonly remembers = true;
  readonly #start: () => Promise<XmppServer>;
  readonly #joined = new Map<string, Promise<void>>();
  #server: XmppServer | undefined;
  #spy: WireSpy | undefined;
  #stream: ObservedStream | undefined;

  constructor(start: () => Promise<XmppServer>) {
    this.#start = start;
  }

  async start(): Promise<NetworkSetting> {
    this.#joined.clear();
    const server = await this.#start();
    this.#server = server;
    this.#spy = await WireSpy.before(server.componentPort);
    this.#stream = await ObservedStream.online({ port: server.componentPort, domain: PEOPLE });
    const channels = [`hall@${server.rooms}`, `garden@${server.rooms}`] as const;
    for (const channel of channels) await this.#enter(channel, this.people[0]);
    return {
      config: {
        port: this.#spy.port,
        domain: server.component,
        secret: server.secret,
        reconnect: { min: 0.05, max: 1 },
      },
      channels,
    };
  }

  async stop(): Promise<void> {
    this.#stream?.stream.close();
    await this.#spy?.stop();
    await this.#server?.process.stop();
  }

  async say(channel: string, person: string, text: string, options: SayOptions = {}): Promise<string> {
    await this.#enter(channel, person);
    const id = randomUUID();
    const body = options.emote === true ? `/me ${text}` : text;
    await this.#send(
      xml("message", { from: addressOf(person), to: channel, type: "groupchat", id }, xml("body", {}, body)),
    );
    const shown = await this.#observed.gets(
      `${person}'s message`,
      ({ attrs }) => attrs["id"] === id && attrs["to"] === addressOf(this.people[0]),
    );
    return idOf(shown);
  }

  seen(channel: string): readonly Seen[] {
    return this.#observed.stanzas.flatMap((stanza) => this.#seenIn(channel, stanza));
  }

  disconnect(): Promise<void> {
    this.#spy?.refuse();
    return Promise.resolve();
  }

  reconnect(): Promise<void> {
    this.#spy?.admit();
    return Promise.resolve();
  }

  async setTopic(channel: string, person: string, topic: string): Promise<void> {
    await this.#enter(channel, person);
    await this.#send(
      xml("message", { from: addressOf(person), to: channel, type: "groupchat" }, xml("subject", {}, topic)),
    );
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
    return this.#spy?.streamErrors ?? [];
  }

  get #observed(): ObservedStream {
    if (!this.#stream) throw new Error("The network is not started.");
    return this.#stream;
  }

  /** What the first of the people sees of those who are none. */
  #seenIn(channel: string, stanza: Element): Seen[] {
    const { from = "", to, type } = stanza.attrs;
    const room = from.split("/", 1)[0];
    const nick = from.slice(from.indexOf("/") + 1);
    if (stanza.name !== "message" || type !== "groupchat" || room !== channel || to !== addressOf(this.people[0]))
      return [];
    if (from === room || this.people.some((person) => person === nick)) return [];
    const [body, subject] = [stanza.getChildText("body"), stanza.getChildText("subject")];
    if (body === null) return subject === null || subject === "" ? [] : [{ kind: "topic", text: subject }];
    const action = /^\/me (.*)$/s.exec(body)?.[1];
    return [{ kind: "message", id: idOf(stanza), text: action ?? body, emote: action !== undefined }];
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

function addressOf(person: string): string {
  return `${createHash("sha256").update(person).digest("hex").slice(0, 12)}@${PEOPLE}/desk`;
}

function idOf(message: Element): string {
  return message.getChild("stanza-id", "urn:xmpp:sid:0")?.attrs["id"] ?? message.attrs["id"] ?? "";
}
