import { createHash } from "node:crypto";
import { defineConnector, type ConnectContext, type Network, type NetworkHandlers, type UserId } from "@trestle/core";
import { Accounts } from "./accounts/accounts.js";
import { Relay } from "./accounts/relay.js";
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
import { OccupantPictures } from "./rooms/occupant-pictures.js";
import { defaultRoomTuning, type RoomTuning } from "./rooms/parts.js";
import { PrivateMessages } from "./rooms/private-messages.js";
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
    readonly accounts?: Partial<StreamTuning>;
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
    const known = links.filter(({ kind }) => kind !== "direct").map(({ channel }) => channel);
    const { account } = context.config;
    return account
      ? new Relay({ ...context, account, known }).handlers()
      : new XmppConnection(context, known).handlers();
  },
});

/** One bridge's parts, put together. */
class XmppConnection {
  readonly #network: Network;
  readonly #stream: ComponentStream;
  readonly #metrics: XmppMetrics;
  readonly #gateway: Gateway | undefined;
  readonly #people: People;
  readonly #privates: PrivateMessages;
  readonly #pictures: OccupantPictures;
  readonly #accounts: Accounts;
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
    // The server is that of which the component's domain is a part.
    const server = domain.slice(domain.indexOf(".") + 1);
    const uploads = new Uploads({ stream, network, asker: domain, server, service: config.upload });
    const accounts = new Accounts({ network, config, ids, uploads, metrics, tuning: tuning?.accounts ?? {} });
    this.#accounts = accounts;
    const voiceOf = (user: UserId) => accounts.voiceOf(user);
    const shared = { stream, network, config, ids, uploads };
    const rooms = new Rooms({ ...shared, metrics, voiceOf, tuning: { ...defaultRoomTuning, ...tuning?.rooms } }, known);
    if (config.gateway.enabled)
      this.#gateway = new Gateway({
        ...{ stream, network, config, secret: own },
        ...(tuning?.gateway && { tuning: tuning.gateway }),
      });
    const gateway = this.#gateway ? [this.#gateway] : [];
    const people = { ...shared, tuning: { ...defaultPeopleTuning, ...tuning?.people } };
    this.#people = new People(people, userCaps, (user) => accounts.wayOf(user), this.#gateway);
    this.#privates = new PrivateMessages(people, (room) => rooms.get(room));
    this.#pictures = new OccupantPictures(stream, (room) => rooms.get(room), people.tuning.profileTimeoutMs);
    accounts.serve({ people: this.#people, rooms });
    const { matrixPeople } = this.#people;
    const hasRooms = config.gateway.enabled;
    const links = new LinkActions({ stream, network, domain, gateway: this.#gateway });
    const discovery = new Discovery({ stream, log: network.log, domain, matrixPeople, links, hasRooms });
    this.#parts = [...gateway, this.#people, this.#privates, rooms];
    this.#takers = [this.#privates, rooms, discovery, ...gateway, this.#people];
    stream.start();
  }

  handlers(): NetworkHandlers<XmppLimits> {
    const people = this.#people;
    const privates = this.#privates;
    return {
      ...dispatch(this.#parts, (author) => people.matrixPeople.note(author)),
      ...this.#accounts.handlers,
      interpret: (raw) => (privates.owns(raw.channel) ? privates.interpret(raw) : people.interpret(raw)),
      presence: (signal) => people.presences.status(signal),
      openMedia: (reference) =>
        this.#pictures.isOne(reference) ? this.#pictures.open(reference) : people.profiles.open(reference),
      resolveUser: (text) => people.find(text),
      directChannel: (user, remote) =>
        new Promise((resolve) => resolve(privates.channelWith(user, remote) ?? people.channelWith(user, remote))),
      resolveChannel: async (text, room) =>
        (await this.#gateway?.resolve(text, room)) ?? (await findRoom(this.#stream, text)),
      close: async () => {
        await this.#accounts.close();
        for (const part of this.#parts) await part.close();
        await this.#stream.close();
        this.#gateway?.end();
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
