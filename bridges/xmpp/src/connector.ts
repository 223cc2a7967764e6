import { createHash } from "node:crypto";
import { defineConnector, type ConnectContext, type Network, type NetworkHandlers } from "@trestle/core";
import { sameJid } from "./address/index.js";
import { answerTo } from "./answers.js";
import type { BridgePart, limits } from "./bridge-part.js";
import { configSchema, type XmppConfig } from "./config.js";
import { Discovery } from "./discovery/discovery.js";
import { LinkActions } from "./discovery/link-actions.js";
import { userCaps } from "./discovery/features.js";
import { dispatch } from "./dispatch.js";
import { examineXmpp } from "./doctor/doctor.js";
import { findRoom } from "./find-room.js";
import { Gateway, type GatewayTuning } from "./gateway/index.js";
import { matrixBifrost } from "./import/matrix-bifrost.js";
import { XmppMetrics } from "./metrics.js";
import { OwnIds } from "./own-ids.js";
import { defaultPeopleTuning, type PeopleTuning } from "./people/parts.js";
import { People } from "./people/people.js";
import { defaultRoomTuning, type RoomTuning } from "./rooms/parts.js";
import { Rooms } from "./rooms/rooms.js";
import type { StanzaTaker } from "./stanza-taker.js";
import { ComponentStream, type Element, type StreamState, type StreamTuning } from "./stream/index.js";
import { Uploads } from "./uploads.js";

/** What the core gives, and what a test adds to it. */
type TunedContext = ConnectContext<XmppConfig> & {
  readonly tuning?: {
    readonly stream?: Partial<StreamTuning>;
    readonly rooms?: Partial<RoomTuning>;
    readonly gateway?: Partial<GatewayTuning>;
    readonly people?: Partial<PeopleTuning>;
  };
};

/** What a channel is given to say. */
export type XmppLimits = typeof limits;

/** The XMPP bridge, as `connector: xmpp` of a configuration names it. */
export const xmppConnector = defineConnector({
  network: "xmpp",
  displayName: "XMPP",
  config: configSchema,
  doctor: examineXmpp,
  importers: { "matrix-bifrost": matrixBifrost },
  async connect(context: TunedContext) {
    const links = await context.network.links();
    return new XmppConnection(
      context,
      links.filter(({ kind }) => kind !== "direct").map(({ channel }) => channel),
    ).handlers();
  },
});

/** One bridge's parts, put together. */
class XmppConnection {
  readonly #network: Network;
  readonly #stream: ComponentStream;
  readonly #metrics: XmppMetrics;
  readonly #gateway: Gateway | undefined;
  readonly #people: People;
  /** The first that owns a channel has it. */
  readonly #parts: readonly BridgePart[];
  /** Asked in this order whether a stanza is for them. */
  readonly #takers: readonly StanzaTaker[];

  constructor({ config, network, tuning }: TunedContext, known: ConstructorParameters<typeof Rooms>[1]) {
    const { host, port, domain, secret } = config;
    this.#network = network;
    const metrics = new XmppMetrics(network.metrics);
    this.#metrics = metrics;
    this.#stream = new ComponentStream({
      address: { host, port, domain, secret },
      tuning: {
        backoffMinMs: config.reconnect.min * 1000,
        backoffMaxMs: config.reconnect.max * 1000,
        ...tuning?.stream,
      },
      sameAddress: sameJid,
      onStanza: (stanza) => this.#take(stanza),
      onState: (state) => this.#became(state),
      onTraffic: (direction, stanza) => metrics.stanza(direction, stanza),
    });
    const stream = this.#stream;
    // What is derived from it nobody can guess.
    const own = createHash("sha256").update(`trestle\n${domain}\n${secret}`).digest("base64url");
    const ids = new OwnIds(own);
    const uploads = new Uploads({ stream, network, domain, service: config.upload });
    const rooms = new Rooms(
      { stream, network, config, ids, uploads, metrics, tuning: { ...defaultRoomTuning, ...tuning?.rooms } },
      known,
    );
    if (config.gateway.enabled)
      this.#gateway = new Gateway({
        ...{ stream, network, config, secret: own },
        ...(tuning?.gateway && { tuning: tuning.gateway }),
      });
    const gateway = this.#gateway ? [this.#gateway] : [];
    const people = { ...defaultPeopleTuning, ...tuning?.people };
    this.#people = new People({ stream, network, config, ids, uploads, tuning: people }, userCaps, this.#gateway);
    const { matrixPeople } = this.#people;
    const hasRooms = config.gateway.enabled;
    const links = new LinkActions({ stream, network, domain, gateway: this.#gateway });
    const discovery = new Discovery({ stream, log: network.log, domain, matrixPeople, links, hasRooms });
    this.#parts = [...gateway, this.#people, rooms];
    this.#takers = [rooms, discovery, ...gateway, this.#people];
    stream.start();
  }

  handlers(): NetworkHandlers<XmppLimits> {
    const people = this.#people;
    return {
      ...dispatch(this.#parts, (author) => people.matrixPeople.note(author)),
      interpret: (raw) => people.interpret(raw),
      presence: (signal) => people.presences.status(signal),
      openMedia: (reference) => people.profiles.open(reference),
      resolveUser: (text) => people.find(text),
      directChannel: (user, remote) => new Promise((resolve) => resolve(people.channelWith(user, remote))),
      resolveChannel: async (text, room) =>
        (await this.#gateway?.resolve(text, room)) ?? (await findRoom(this.#stream, text)),
      close: async () => {
        for (const part of this.#parts) await part.close();
        this.#stream.close();
      },
    };
  }

  #take(stanza: Element): Promise<void> | undefined {
    for (const taker of this.#takers) {
      const taken = taker.take(stanza);
      if (taken !== "unknown") return taken;
    }
    const answer = answerTo(stanza);
    if (answer) void this.#stream.send(answer);
    return undefined;
  }

  #became(became: StreamState): void {
    this.#metrics.stream(became);
    const { state, detail } = became;
    for (const part of this.#parts) {
      if (state === "online") part.online();
      else part.lost();
    }
    this.#network.report({
      connection: this.#stream.address,
      state: state === "online" ? "connected" : state,
      ...(detail !== undefined && { detail }),
    });
  }
}
