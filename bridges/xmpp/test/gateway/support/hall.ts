import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Author,
  ChannelId,
  type ChannelLink,
  type EffectBase,
  EffectId,
  EventId,
  type Failure,
  type Network,
  type OpenRequest,
  retry,
  type RoomView,
  textContent,
  UserId,
} from "@trestle/core";
import { configSchema } from "@trestle/xmpp";
import type { z } from "zod";
import { parseXml, type XmlElement } from "../../../dist/content/index.js";
import { Gateway, type GatewayTuning } from "../../../dist/gateway/index.js";
import { serialise, type Element, type StreamState, type XmppStream } from "../../../dist/stream/index.js";
import { FakeCore } from "../../support/fake-core.js";
import { publicRoom, ROOM } from "./gateway-stage.js";

export const DOMAIN = "matrix.test";

/** A stream that keeps what is sent; nothing is ever sent that no server would take. */
class KeptStream implements XmppStream {
  readonly address = DOMAIN;
  state: StreamState = { state: "online" };
  readonly sent: XmlElement[] = [];
  readonly interruptions: string[] = [];

  start(): void {
    this.state = { state: "online" };
  }

  send(stanza: Element): Promise<Failure | undefined> {
    if (this.state.state !== "online") return Promise.resolve(retry("offline"));
    const written = serialise(stanza, { maxStanzaBytes: 256 * 1024 });
    if (typeof written !== "string") return Promise.reject(new Error(written.reason));
    const read = parseXml(written);
    if (!read) return Promise.reject(new Error(`No XML: ${written}`));
    this.sent.push(read);
    return Promise.resolve(undefined);
  }

  request(): Promise<never> {
    return Promise.reject(new Error("The gateway asks nobody."));
  }

  interrupt(reason: string): void {
    this.interruptions.push(reason);
  }

  close(): Promise<void> {
    this.state = { state: "closed" };
    return Promise.resolve();
  }
}

export interface HallOptions {
  readonly gateway?: z.input<typeof configSchema>["gateway"];
  readonly tuning?: Partial<GatewayTuning>;
  readonly view?: RoomView;
  readonly unlinked?: boolean;
}

/** The gateway by itself, with one room, and whoever a test lets come. */
export class Hall {
  readonly core = new FakeCore();
  readonly channel = ChannelId(`#trestle#example.org@${DOMAIN}`);
  readonly directory = mkdtempSync(join(tmpdir(), "trestle-hall-"));
  stream = new KeptStream();
  view: RoomView;
  beforeView: () => Promise<void> = async () => undefined;
  openRoom: (request: OpenRequest) => Promise<ChannelLink | undefined> = () => Promise.resolve(undefined);
  readonly typing: { user: string; forMs: number }[] = [];
  /** Who has read up to which message. */
  readonly read: [string, string][] = [];
  lookUpUser: Network["lookUpUser"] = () => Promise.resolve({ is: "user" });
  gateway: Gateway;
  #effects = 0;
  #ids = 0;

  constructor(private readonly options: HallOptions = {}) {
    this.view = options.view ?? publicRoom();
    this.gateway = this.#gateway();
    if (options.unlinked !== true) this.gateway.add({ channel: this.channel, room: ROOM, kind: "plumbed" });
    this.gateway.online();
  }

  get handlers(): Gateway["handlers"] {
    return this.gateway.handlers;
  }

  /** As after `kill -9`: nothing is said to anybody, and what is on disk is there. */
  async crash(): Promise<void> {
    this.stream.state = { state: "closed" };
    await this.gateway.close();
    this.gateway.end();
    this.stream = new KeptStream();
    this.gateway = this.#gateway();
    this.gateway.add({ channel: this.channel, room: ROOM, kind: "plumbed" });
    this.gateway.online();
    await this.settled();
  }

  async close(): Promise<void> {
    await this.gateway.close();
    this.gateway.end();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A stanza from a client, as it stands; `undefined` where it is for nobody here. */
  async takes(xml: string): Promise<void> {
    const stanza = parseXml(xml);
    if (!stanza) throw new Error(`No stanza: ${xml}`);
    await this.gateway.take(stanza);
    await this.settled();
  }

  async joins(jid: string, nick: string, history = '<history maxstanzas="0"/>'): Promise<void> {
    const to = `${this.channel}/${nick}`;
    await this.takes(
      element("presence", { from: jid, to }, `<x xmlns="http://jabber.org/protocol/muc">${history}</x>`),
    );
  }

  async says(jid: string, body: string, more = "", id = `m${++this.#ids}`): Promise<void> {
    const content = `<body>${escaped(body)}</body>${more}`;
    await this.takes(element("message", { from: jid, to: this.channel, type: "groupchat", id }, content));
  }

  /** Asks the room, and returns the answer. */
  async asks(jid: string, type: "get" | "set", payload: string, nick?: string): Promise<XmlElement> {
    const id = `q${++this.#ids}`;
    const to = nick === undefined ? this.channel : `${this.channel}/${nick}`;
    await this.takes(element("iq", { from: jid, to, type, id }, payload));
    const answer = this.to(jid).find(({ name, attrs }) => name === "iq" && attrs["id"] === id);
    if (!answer) throw new Error(`No answer to ${payload}`);
    return answer;
  }

  /** What was sent to a client, in order. */
  to(jid: string): XmlElement[] {
    return this.stream.sent.filter(({ attrs }) => attrs["to"] === jid);
  }

  /** The bodies that a client was shown. */
  bodies(jid: string): string[] {
    return this.to(jid).flatMap((stanza) => (stanza.name === "message" ? (stanza.getChildText("body") ?? []) : []));
  }

  /** The condition of the last error that a client got. */
  error(jid: string): string | undefined {
    const last = this.to(jid).findLast(({ attrs }) => attrs["type"] === "error");
    return last?.getChild("error")?.getChildElements()[0]?.name;
  }

  forget(): void {
    this.stream.sent.length = 0;
  }

  /** What every effect says. */
  effect(who: string, id = `e${++this.#effects}`): EffectBase {
    const author: Author = { userId: UserId(`@${who.toLowerCase()}:example.org`), name: who };
    const { signal } = new AbortController();
    const event = EventId(`$${id}`);
    const from = { channel: this.channel, room: ROOM, event, author, at: 0, signal };
    return { effect: EffectId(id), attempt: 1, maybeSent: false, ...from };
  }

  /** Somebody on Matrix says something; returns the id that the room gave it. */
  async say(who: string, text: string, id?: string): Promise<string> {
    const effect = this.effect(who, id);
    await this.handlers.message({ ...effect, content: textContent(text), part: 0, parts: 1 });
    await this.settled();
    return effect.effect;
  }

  /** All that is under way and needs nobody else is done. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  #gateway(): Gateway {
    const gateway = { enabled: true, ...this.options.gateway };
    const config = configSchema.parse({ domain: DOMAIN, secret: "s", gateway });
    const tuning = { viewMs: 0, ...this.options.tuning };
    return new Gateway({ stream: this.stream, network: this.#network(), config, secret: "secret", tuning });
  }

  #network(): Network {
    const { network } = this.core;
    return {
      ...network,
      bridge: { ...network.bridge, dataDirectory: this.directory },
      signal: (signal) => {
        if (signal.kind === "typing") this.typing.push({ user: signal.user.id, forMs: signal.forMs });
        if (signal.kind === "read") this.read.push([signal.user.id, signal.upTo]);
      },
      lookUpUser: (user) => this.lookUpUser(user),
      openRoom: (request) => this.openRoom(request),
      lookAtRoom: async () => {
        await this.beforeView();
        return this.view;
      },
    };
  }
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function element(name: string, attributes: Readonly<Record<string, string>>, content: string): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  return `<${name}${written.join("")}>${content}</${name}>`;
}

/** The codes of a presence. */
export function codes(stanza: XmlElement | undefined): number[] {
  const statuses = stanza?.getChild("x", "http://jabber.org/protocol/muc#user")?.getChildren("status") ?? [];
  return statuses.map(({ attrs }) => Number(attrs["code"])).sort((one, other) => one - other);
}
