import { createHash } from "node:crypto";
import {
  defineConnector,
  refused,
  type ConnectContext,
  type EffectBase,
  type Network,
  type NetworkHandlers,
  type Outcome,
} from "@trestle/core";
import { sameJid } from "./address/index.js";
import { answerTo } from "./answers.js";
import { configSchema, type XmppConfig } from "./config.js";
import { findRoom } from "./find-room.js";
import { Gateway, withGateway, type GatewayTuning } from "./gateway/index.js";
import { OwnIds } from "./own-ids.js";
import { defaultRoomTuning, type RoomTuning } from "./rooms/parts.js";
import type { Room } from "./rooms/room.js";
import { Rooms } from "./rooms/rooms.js";
import type { StanzaTaker } from "./stanza-taker.js";
import { Uploads } from "./uploads.js";
import { ComponentStream, type Element, type StreamState, type StreamTuning } from "./stream/index.js";

/** What the core gives, and what a test adds to it. */
type TunedContext = ConnectContext<XmppConfig> & {
  readonly tuning?: {
    readonly stream?: Partial<StreamTuning>;
    readonly rooms?: Partial<RoomTuning>;
    readonly gateway?: Partial<GatewayTuning>;
  };
};

/** What a room takes; how a long text is cut is the bridge's own. */
const limits = { media: true, location: true, replies: true } as const;

/** What a room is given to say. */
export type XmppLimits = typeof limits;

/** The XMPP bridge, as `connector: xmpp` of a configuration names it. */
export const xmppConnector = defineConnector({
  network: "xmpp",
  displayName: "XMPP",
  config: configSchema,
  async connect(context: TunedContext) {
    const links = await context.network.links();
    return new XmppConnection(
      context,
      links.map(({ channel }) => channel),
    ).handlers();
  },
});

/** One bridge's parts, put together. */
class XmppConnection {
  readonly #network: Network;
  readonly #stream: ComponentStream;
  readonly #rooms: Rooms;
  readonly #gateway: Gateway | undefined;
  /** Asked in this order. */
  readonly #takers: readonly StanzaTaker[];

  constructor({ config, network, tuning }: TunedContext, known: ConstructorParameters<typeof Rooms>[1]) {
    const { host, port, domain, secret } = config;
    this.#network = network;
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
    });
    const own = createHash("sha256").update(`trestle\n${domain}\n${secret}`).digest("base64url");
    const ids = new OwnIds(own);
    const rooms = { ...defaultRoomTuning, ...tuning?.rooms };
    const uploads = new Uploads({ stream: this.#stream, network, domain, service: config.upload });
    this.#rooms = new Rooms({ stream: this.#stream, network, config, ids, uploads, tuning: rooms }, known);
    const gateway = {
      stream: this.#stream,
      network,
      config,
      secret: own,
      ...(tuning?.gateway && { tuning: tuning.gateway }),
    };
    this.#gateway = config.gateway.enabled ? new Gateway(gateway) : undefined;
    this.#takers = [this.#rooms, ...(this.#gateway ? [this.#gateway] : [])];
    this.#stream.start();
  }

  handlers(): NetworkHandlers<XmppLimits> {
    const base = this.#handlers();
    return this.#gateway ? withGateway(base, this.#gateway) : base;
  }

  #handlers(): NetworkHandlers<XmppLimits> {
    const rooms = this.#rooms;
    return {
      limits,
      // What the parts say is made again when they are sent: only how many there are is kept.
      split: (message) =>
        rooms
          .get(message.channel)
          ?.outward.split(message)
          .map((_, index) => index) ?? [0],
      message: (effect) => this.#in(effect, (room) => room.outward.say(effect)),
      edit: (effect) => this.#in(effect, (room) => room.outward.edit(effect)),
      redact: (effect) => this.#in(effect, (room) => room.outward.redact(effect)),
      react: (effect) => this.#in(effect, (room) => room.outward.react(effect)),
      unreact: (effect) => this.#in(effect, (room) => room.outward.unreact(effect)),
      findSent: async (effect) => (await rooms.get(effect.channel)?.findSent(effect)) ?? null,
      topic: (effect) => this.#in(effect, (room) => room.outward.setTopic(effect)),
      membership: (effect) => this.#in(effect, (room) => room.membership(effect)),
      typing: async (signal) => rooms.get(signal.channel)?.typing(signal),
      receipt: async (signal) => rooms.get(signal.channel)?.receipt(signal),
      catchUp: (channel, cursor) => {
        rooms.cursor(channel, cursor);
        return Promise.resolve();
      },
      linked: ({ channel }) => {
        rooms.add(channel);
        return Promise.resolve();
      },
      unlinked: ({ channel }) => rooms.remove(channel),
      resolveChannel: (text) => findRoom(this.#stream, text),
      close: async () => {
        await rooms.close();
        this.#stream.close();
      },
    };
  }

  #in(effect: EffectBase, act: (room: Room) => Promise<Outcome>): Promise<Outcome> {
    const room = this.#rooms.get(effect.channel);
    return room ? act(room) : Promise.resolve(refused(`${effect.channel} is no room that can be entered`));
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

  #became({ state, detail }: StreamState): void {
    const { address } = this.#stream;
    for (const part of [this.#rooms, this.#gateway]) {
      if (state === "online") part?.online();
      else part?.lost();
    }
    this.#network.report({
      connection: address,
      state: state === "online" ? "connected" : state,
      ...(detail !== undefined && { detail }),
    });
  }
}
