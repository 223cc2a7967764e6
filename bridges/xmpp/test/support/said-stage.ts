import {
  ChannelId,
  textContent,
  type Content,
  type EditEffect,
  type NetworkEvent,
  type Outcome,
  type ReactEffect,
  type RedactEffect,
} from "@trestle/core";
import { toPlainText } from "@trestle/rich-text";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson, type SeenStanza } from "../../../../test/support/xmpp-person.js";
import { effectOf, type FakeCore } from "./fake-core.js";
import { RunningBridge, type BridgeOptions } from "./running-bridge.js";
import { WireSpy } from "./wire-spy.js";
import { settle } from "../../../../test/support/settle.js";

export const USERS = ["alice", "bob"];
/** A Matrix user. */
export const BOB = "@bob:example.org";
export const NS = {
  correction: "urn:xmpp:message-correct:0",
  reactions: "urn:xmpp:reactions:0",
  reply: "urn:xmpp:reply:0",
  fallback: "urn:xmpp:fallback:0",
  retraction: "urn:xmpp:message-retract:1",
  references: "urn:xmpp:reference:0",
  oob: "jabber:x:oob",
  sfs: "urn:xmpp:sfs:0",
  file: "urn:xmpp:file:metadata:0",
  url: "http://jabber.org/protocol/url-data",
} as const;

/** A real server with alice on it, and the bridge to rooms that she makes. */
export class SaidStage {
  #bridge: RunningBridge | undefined;
  #rooms = 0;

  private constructor(
    readonly install: SlixmppInstall,
    readonly server: XmppServer,
    readonly spy: WireSpy,
    readonly alice: XmppPerson,
  ) {}

  static async build(install: SlixmppInstall, start: () => Promise<XmppServer>): Promise<SaidStage> {
    const server = await start();
    const spy = await WireSpy.before(server.componentPort);
    return new SaidStage(install, server, spy, await XmppPerson.connect(install, server, "alice"));
  }

  /** The bridge itself, as rooms give it rights. */
  get bridge(): string {
    return `bridge@${this.server.component}`;
  }

  get handlers(): RunningBridge["handlers"] {
    if (!this.#bridge) throw new Error("No bridge runs.");
    return this.#bridge.handlers;
  }

  /** A room of alice's, which she may `prepare`, with the bridge in it. */
  async bridged(
    more: Partial<BridgeOptions> = {},
    prepare: (room: ChannelId) => Promise<void> = async () => undefined,
  ): Promise<{ readonly room: ChannelId; readonly core: FakeCore }> {
    const room = ChannelId(`said${++this.#rooms}@${this.server.rooms}`);
    await this.alice.join(room, "alice");
    await prepare(room);
    this.#bridge = await RunningBridge.start({ server: this.server, port: this.spy.port, rooms: [room], ...more });
    await this.#bridge.ready();
    return { room, core: this.#bridge.core };
  }

  /** The bridge stops, and starts anew with what the core has. */
  async again(core: FakeCore, room: ChannelId): Promise<void> {
    await this.#bridge?.close();
    core.statuses.clear();
    this.#bridge = await RunningBridge.start({ server: this.server, port: this.spy.port, rooms: [room], core });
    await this.#bridge.ready();
  }

  async stopBridge(): Promise<void> {
    this.spy.admit();
    await this.#bridge?.close();
    this.#bridge = undefined;
  }

  /** Of Bob on Matrix, without what makes it a message. */
  effect(room: ChannelId): Omit<EditEffect, "target" | "content"> {
    const { content: _content, part: _part, parts: _parts, ...base } = effectOf({ channel: room, text: "", user: BOB });
    return base;
  }

  /** Bob says something on Matrix; resolves to what the room calls the first part of it. */
  async say(room: ChannelId, content: Content | string, more: object = {}): Promise<string> {
    const base = this.effect(room);
    const whole = typeof content === "string" ? textContent(content) : content;
    const parts = (await this.handlers.split?.({ ...base, content: whole })) ?? [0];
    const ids: string[] = [];
    for (const part of parts.keys()) {
      const effect = { ...base, content: whole, part, parts: parts.length, ...more };
      ids.push(idIn(await settle(() => this.handlers.message(effect))));
    }
    return ids[0] ?? "";
  }

  edit(effect: EditEffect): Promise<Outcome> {
    return settle(async () => this.handlers.edit?.(effect));
  }

  redact(effect: RedactEffect): Promise<Outcome> {
    return settle(async () => this.handlers.redact?.(effect));
  }

  react(effect: ReactEffect): Promise<Outcome> {
    return settle(async () => this.handlers.react?.(effect));
  }

  unreact(effect: ReactEffect): Promise<Outcome> {
    return settle(async () => this.handlers.unreact?.(effect));
  }

  /** Alice sees something in a room. */
  groupchat(what: string, room: string, wanted: (stanza: SeenStanza) => boolean): Promise<SeenStanza> {
    return this.alice.sees(
      what,
      (stanza) => stanza.type === "groupchat" && stanza.from?.startsWith(room) === true && wanted(stanza),
    );
  }

  /** Alice says something; resolves to what the room calls it. */
  async said(core: FakeCore, room: ChannelId, body: string, id: string): Promise<string> {
    await this.raw(room, id, `<body>${body}</body>`);
    await core.until(body, () => core.texts(room).includes(body));
    return core.messages(room).findLast(({ content }) => textIn(content) === body)?.id ?? "";
  }

  /** Alice sends a message to a room, with this in it. */
  raw(room: string, id: string, inner: string): Promise<void> {
    return this.alice.raw(`<message to="${room}" type="groupchat" id="${id}">${inner}</message>`);
  }

  /** Somebody else on XMPP. */
  person(name: string): Promise<XmppPerson> {
    return XmppPerson.connect(this.install, this.server, name);
  }

  /** Bob on XMPP, in a room as `robert`, says something. */
  async another(room: string, id: string, inner: string): Promise<void> {
    const bob = await XmppPerson.connect(this.install, this.server, "bob");
    try {
      await bob.join(room, "robert");
      await bob.raw(`<message to="${room}" type="groupchat" id="${id}">${inner}</message>`);
      await this.groupchat("what bob said", room, (stanza) => stanza.id === id);
    } finally {
      await bob.end();
    }
  }

  /** Configures a room. */
  async configure(room: string, fields: Readonly<Record<string, string>>): Promise<void> {
    const all = { FORM_TYPE: "http://jabber.org/protocol/muc#roomconfig", ...fields };
    const form = Object.entries(all).map(([name, value]) => `<field var="${name}"><value>${value}</value></field>`);
    const x = `<x xmlns="jabber:x:data" type="submit">${form.join("")}</x>`;
    await this.alice.query(room, "set", `<query xmlns="http://jabber.org/protocol/muc#owner">${x}</query>`);
  }

  /** Gives somebody an affiliation with a room. */
  async affiliate(room: string, jid: string, affiliation: string): Promise<void> {
    const item = `<item jid="${jid}" affiliation="${affiliation}"/>`;
    const answer = await this.alice.query(
      room,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#admin">${item}</query>`,
    );
    if (!answer.includes(`type="result"`)) throw new Error(answer);
  }

  async close(): Promise<void> {
    await this.alice.end();
    await this.spy.stop();
    await this.server.process.stop();
  }
}

function idIn(outcome: Outcome): string {
  if (outcome === undefined || "failed" in outcome) throw new Error(JSON.stringify(outcome));
  return outcome.id ?? "";
}

export function textIn(content: Content): string {
  return content.type === "text" ? toPlainText(content.body) : content.type;
}

/** The reactions in a stanza, one behind the other. */
export function setIn(xml: string): string {
  if (!xml.includes(NS.reactions)) return "";
  return [...xml.matchAll(/reaction>([^<]+)</g)].map(([, key]) => key).join("");
}

/** The reactions that Matrix was told of, in order. */
export function reactionsIn(received: readonly NetworkEvent[]): string[] {
  return received.flatMap((event) =>
    event.kind === "reaction" ? [`+${event.key}`] : event.kind === "reactionRemoved" ? [`-${event.key}`] : [],
  );
}
