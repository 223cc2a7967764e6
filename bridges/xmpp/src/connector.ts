import { createHash } from "node:crypto";
import {
  defineConnector,
  editFallback,
  refused,
  type ConnectContext,
  type EffectBase,
  type Network,
  type NetworkHandlers,
  type Outcome,
  type TextOnly,
} from "@trestle/core";
import { sameJid } from "./address/index.js";
import { answerTo } from "./answers.js";
import { configSchema, type XmppConfig } from "./config.js";
import { Discovery } from "./discovery/discovery.js";
import { userCaps } from "./discovery/features.js";
import { findRoom } from "./find-room.js";
import { OwnIds } from "./own-ids.js";
import { defaultPeopleTuning, type PeopleTuning } from "./people/parts.js";
import { People } from "./people/people.js";
import { defaultRoomTuning, type RoomTuning } from "./rooms/parts.js";
import type { Room } from "./rooms/room.js";
import { Rooms } from "./rooms/rooms.js";
import type { StanzaTaker } from "./stanza-taker.js";
import { ComponentStream, type Element, type StreamState, type StreamTuning } from "./stream/index.js";

/** What the core gives, and what a test adds to it. */
type TunedContext = ConnectContext<XmppConfig> & {
  readonly tuning?: {
    readonly stream?: Partial<StreamTuning>;
    readonly rooms?: Partial<RoomTuning>;
    readonly people?: Partial<PeopleTuning>;
  };
};

/** The XMPP bridge, as `connector: xmpp` of a configuration names it. */
export const xmppConnector = defineConnector({
  network: "xmpp",
  displayName: "XMPP",
  config: configSchema,
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
  readonly #rooms: Rooms;
  readonly #people: People;
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
    const ids = new OwnIds(createHash("sha256").update(`trestle\n${domain}\n${secret}`).digest("base64url"));
    const rooms = { ...defaultRoomTuning, ...tuning?.rooms };
    this.#rooms = new Rooms({ stream: this.#stream, network, config, ids, tuning: rooms }, known);
    const people = { ...defaultPeopleTuning, ...tuning?.people };
    this.#people = new People({ stream: this.#stream, network, config, ids, tuning: people }, userCaps);
    const { matrixPeople } = this.#people;
    const discovery = new Discovery({ stream: this.#stream, log: network.log, domain, matrixPeople });
    this.#takers = [this.#rooms, discovery, this.#people];
    this.#stream.start();
  }

  handlers(): NetworkHandlers<TextOnly> {
    const rooms = this.#rooms;
    const people = this.#people;
    const { outward } = people;
    return {
      // With every character escaped it is still less than the stream sends, and servers take.
      limits: { textBytes: 40_000 },
      message: (effect) =>
        people.has(effect.channel) ? outward.say(effect) : this.#in(effect, (room) => room.say(effect)),
      edit: (effect) =>
        people.has(effect.channel)
          ? outward.edit(effect)
          : this.#in(effect, (room) =>
              room.say({ ...effect, content: editFallback(effect.content), part: 0, parts: 1 }),
            ),
      redact: (effect) => (people.has(effect.channel) ? outward.redact(effect) : notInRooms()),
      react: (effect) => (people.has(effect.channel) ? outward.react(effect) : notInRooms()),
      unreact: (effect) => (people.has(effect.channel) ? outward.unreact(effect) : notInRooms()),
      typing: (signal) => outward.typing(signal),
      receipt: (signal) => outward.receipt(signal),
      presence: (signal) => people.presences.status(signal),
      openMedia: (reference) => people.profiles.open(reference),
      findSent: async (effect) =>
        people.has(effect.channel)
          ? outward.findSent(effect)
          : ((await rooms.get(effect.channel)?.findSent(effect)) ?? null),
      interpret: (raw) => people.interpret(raw),
      topic: (effect) => this.#in(effect, (room) => room.setTopic(effect)),
      membership: (effect) =>
        people.has(effect.channel) ? people.membership(effect) : this.#in(effect, (room) => room.membership(effect)),
      catchUp: (channel, cursor) => {
        rooms.cursor(channel, cursor);
        return Promise.resolve();
      },
      linked: (link) => {
        if (people.has(link.channel)) people.linked(link);
        else rooms.add(link.channel);
        return Promise.resolve();
      },
      unlinked: (link) => (people.has(link.channel) ? people.unlinked(link) : rooms.remove(link.channel)),
      resolveUser: (text) => people.find(text),
      directChannel: (user, remote) => new Promise((resolve) => resolve(people.channelWith(user, remote))),
      resolveChannel: (text) => findRoom(this.#stream, text),
      close: async () => {
        await rooms.close();
        await people.presences.close();
        this.#stream.close();
      },
    };
  }

  #in(effect: EffectBase, act: (room: Room) => Promise<Outcome>): Promise<Outcome> {
    const room = this.#rooms.get(effect.channel);
    this.#people.matrixPeople.note(effect.author);
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
    if (state === "online") {
      this.#rooms.online();
      this.#people.online();
    } else {
      this.#rooms.lost();
      this.#people.lost();
    }
    this.#network.report({
      connection: address,
      state: state === "online" ? "connected" : state,
      ...(detail !== undefined && { detail }),
    });
  }
}

/** What rooms are not told. */
function notInRooms(): Promise<undefined> {
  return Promise.resolve(undefined);
}
