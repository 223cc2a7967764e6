import { ChannelId, type ChannelLink, type Failure, type Network, RoomId } from "@trestle/core";
import { parseXml, type XmlElement } from "../../../dist/content/index.js";
import { Discovery } from "../../../dist/discovery/discovery.js";
import { LinkActions } from "../../../dist/discovery/link-actions.js";
import { MatrixPeople } from "../../../dist/people/matrix-people.js";
import {
  stanzaErrorOf,
  type Element,
  type Answer,
  type StreamState,
  type XmppStream,
} from "../../../dist/stream/index.js";
import { until } from "../../../../../test/support/bounded.js";
import { FakeCore } from "../../support/fake-core.js";
import { publicRoom } from "../../gateway/support/gateway-stage.js";
import type { Gateway } from "../../../dist/gateway/index.js";

export const DOMAIN = "matrix.test";
const COMMANDS = "http://jabber.org/protocol/commands";

/** What a command led to. */
export interface Step {
  readonly status: string | undefined;
  readonly note: string;
  readonly sessionId: string | undefined;
  /** The names of the questions of a form. */
  readonly questions: readonly (string | undefined)[];
  readonly xml: string;
}

/** What is asked of the component, answered over a server that is scripted and a core in memory. */
export class Desk {
  readonly core = new FakeCore();
  readonly sent: XmlElement[] = [];
  /** What rooms answer to a query, by their address and the namespace of what is asked. */
  readonly answers = new Map<string, string>();
  readonly asked: XmlElement[] = [];
  readonly requests: unknown[] = [];
  readonly removed: string[] = [];
  requestLink: Network["requestLink"] = (request) => {
    this.requests.push(request);
    return Promise.resolve("asked");
  };
  joinRule = "public";
  readonly discovery: Discovery;
  readonly people: MatrixPeople;
  #ids = 0;

  constructor(gateway?: Gateway) {
    const network = this.#network();
    const stream = this.#stream();
    const matrixPeople = new MatrixPeople(network, () => undefined);
    this.people = matrixPeople;
    const links = new LinkActions({ stream, network, domain: DOMAIN, gateway });
    this.discovery = new Discovery({
      ...{ stream, domain: DOMAIN, matrixPeople, links },
      log: network.log,
      hasRooms: gateway !== undefined,
    });
  }

  link(channel: string, room: string): void {
    this.core.links.push({ channel: ChannelId(channel), room: RoomId(room), kind: "plumbed" } satisfies ChannelLink);
  }

  /** Lets a room tell what it is, and who owns it. */
  room(address: string, owner?: string): void {
    const muc = "http://jabber.org/protocol/muc";
    this.answers.set(
      `${address} http://jabber.org/protocol/disco#info`,
      `<query xmlns="http://jabber.org/protocol/disco#info"><identity category="conference" type="text" name="A room"/><feature var="${muc}"/></query>`,
    );
    if (owner !== undefined)
      this.answers.set(
        `${address} ${muc}#admin`,
        `<query xmlns="${muc}#admin"><item affiliation="owner" jid="${owner}"/></query>`,
      );
  }

  async asks(from: string, type: "get" | "set", payload: string): Promise<XmlElement> {
    const id = `q${++this.#ids}`;
    const stanza = parseXml(`<iq from="${from}" to="${DOMAIN}" type="${type}" id="${id}">${payload}</iq>`);
    if (!stanza || this.discovery.take(stanza) === "unknown") throw new Error(`Nobody answers ${payload}`);
    return until(5_000, "the answer", () => this.sent.find(({ attrs }) => attrs["id"] === id));
  }

  /** One step of a command; `typed` is what stands in its form. */
  async runs(from: string, node: string, typed?: Readonly<Record<string, string>>, more = ""): Promise<Step> {
    const fields = Object.entries(typed ?? {}).map(
      ([name, value]) => `<field var="${name}"><value>${value.replaceAll("&", "&amp;")}</value></field>`,
    );
    const form = typed ? `<x xmlns="jabber:x:data" type="submit">${fields.join("")}</x>` : "";
    const answer = await this.asks(
      from,
      "set",
      `<command xmlns="${COMMANDS}" node="${node}" ${more}>${form}</command>`,
    );
    const command = answer.getChild("command", COMMANDS);
    const asked = command?.getChild("x", "jabber:x:data")?.getChildren("field") ?? [];
    return {
      status: command?.attrs["status"],
      note: command?.getChildText("note") ?? "",
      sessionId: command?.attrs["sessionid"],
      questions: asked.flatMap(({ attrs }) => (attrs["var"] === "FORM_TYPE" ? [] : [attrs["var"]])),
      xml: answer.toString(),
    };
  }

  #stream(): XmppStream {
    const state: StreamState = { state: "online" };
    return {
      ...{ address: DOMAIN, state },
      start: () => undefined,
      send: (stanza: Element): Promise<Failure | undefined> => {
        this.sent.push(stanza);
        return Promise.resolve(undefined);
      },
      request: (iq: Element): Promise<Answer> => {
        this.asked.push(iq);
        const [payload] = iq.getChildElements();
        const answer = this.answers.get(`${iq.attrs["to"] ?? ""} ${payload?.getNS() ?? ""}`);
        const condition = answer === undefined ? "item-not-found" : "forbidden";
        if (answer === undefined || answer === "forbidden") {
          const stanza = parsed(
            `<iq type="error"><error type="cancel"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></iq>`,
          );
          return Promise.resolve({ kind: "error", error: stanzaErrorOf(stanza) });
        }
        return Promise.resolve({ kind: "result", stanza: parsed(`<iq type="result">${answer}</iq>`) });
      },
      interrupt: () => undefined,
      close: () => Promise.resolve(),
    };
  }

  #network(): Network {
    return {
      ...this.core.network,
      requestLink: (request) => this.requestLink(request),
      removeLinks: (channel, by) => {
        this.removed.push(`${channel} by ${by}`);
        return Promise.resolve(this.core.links.filter((link) => link.channel === channel));
      },
      lookAtRoom: (room) => Promise.resolve(publicRoom({ room, joinRule: this.joinRule })),
      status: () =>
        Promise.resolve({
          ...{ name: "xmpp", network: "xmpp", links: 2 },
          connections: [
            { connection: DOMAIN, state: "connected" },
            { connection: "secret@muc.test", state: "connected" },
          ],
          toNetwork: { queued: 3, dead: 0, oldestMs: 0, delivered: 5 },
          toMatrix: { queued: 0, dead: 1, oldestMs: 0, delivered: 7 },
          policyLists: [],
        }),
    };
  }
}

function parsed(xml: string): Element {
  const stanza = parseXml(xml);
  if (!stanza) throw new Error(`No stanza: ${xml}`);
  return stanza;
}
