import { createHash } from "node:crypto";
import type { ChannelId, ConnectContext, Network, NetworkHandlers } from "@trestle/core";
import { parseJid, sameJid } from "../address/index.js";
import { answerTo } from "../answers.js";
import type { limits } from "../bridge-part.js";
import type { XmppConfig } from "../config.js";
import { dispatch } from "../dispatch.js";
import { findRoom } from "../find-room.js";
import { XmppMetrics } from "../metrics.js";
import { OwnIds } from "../own-ids.js";
import { defaultPeopleTuning } from "../people/parts.js";
import { OccupantPictures } from "../rooms/occupant-pictures.js";
import { defaultRoomTuning, type RoomTuning } from "../rooms/parts.js";
import { Rooms } from "../rooms/rooms.js";
import { xml, type Element, type StreamState, type StreamTuning } from "../stream/index.js";
import { Uploads } from "../uploads.js";
import { ClientStream } from "./connection/client-stream.js";
import { accountIn, placesOf } from "./owned-account.js";

export interface RelayOptions extends Pick<ConnectContext<XmppConfig>, "config" | "network"> {
  /** The account through which everything goes. */
  readonly account: NonNullable<XmppConfig["account"]>;
  /** Channels that were linked before this start. */
  readonly known: Iterable<ChannelId>;
  readonly tuning?: { readonly stream?: Partial<StreamTuning>; readonly rooms?: Partial<RoomTuning> };
}

/** A bridge without a component: one account is in every linked room, and says there who says what on Matrix. */
export class Relay {
  readonly #network: Network;
  readonly #metrics: XmppMetrics;
  readonly #stream: ClientStream;
  readonly #rooms: Rooms;
  readonly #pictures: OccupantPictures;

  constructor({ config, network, account, known, tuning }: RelayOptions) {
    const { jid, password } = account;
    this.#network = network;
    const metrics = new XmppMetrics(network.metrics);
    this.#metrics = metrics;
    // The same at every start: the server ends what is left of an earlier session.
    const mark = createHash("sha256").update(network.bridge.name).digest("hex").slice(0, 12);
    const stream = new ClientStream({
      account: accountIn({ jid, password, neverShow: false }, `trestle-${mark}`),
      places: () => placesOf(config.accounts, jid),
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
    this.#stream = stream;
    // What is derived from it nobody can guess.
    const ids = new OwnIds(createHash("sha256").update(`trestle\n${jid}\n${password}`).digest("base64url"));
    const server = parseJid(jid)?.domain ?? jid;
    const uploads = new Uploads({ stream, network, asker: jid, server, service: config.upload });
    const relayed = { ...config, domain: jid, ghosts: false };
    const rooms = { ...defaultRoomTuning, ...tuning?.rooms };
    this.#rooms = new Rooms({ stream, network, config: relayed, ids, uploads, metrics, tuning: rooms }, known);
    const { profileTimeoutMs } = defaultPeopleTuning;
    this.#pictures = new OccupantPictures(stream, (room) => this.#rooms.get(room), profileTimeoutMs);
    stream.start();
  }

  handlers(): NetworkHandlers<typeof limits> {
    return {
      ...dispatch([this.#rooms], () => undefined),
      openMedia: (reference) => this.#pictures.open(reference),
      resolveChannel: (text) => findRoom(this.#stream, text),
      close: async () => {
        await this.#rooms.close();
        await this.#stream.close();
      },
    };
  }

  #take(stanza: Element): Promise<void> | undefined {
    const taken = this.#rooms.takeForBridge(stanza);
    if (taken !== "unknown") return taken;
    const answer = stanza.name === "iq" ? answerTo(stanza) : undefined;
    if (answer) void this.#stream.send(answer);
    return undefined;
  }

  #became(became: StreamState): void {
    this.#metrics.stream(became);
    const { state, detail } = became;
    if (state === "online") {
      // What is written to the account alone goes to whoever uses it with a client, not here.
      void this.#stream.send(xml("presence", {}, xml("priority", {}, "-1")));
      this.#rooms.online();
    } else this.#rooms.lost();
    this.#network.report({
      connection: this.#stream.account,
      state: state === "online" ? "connected" : state,
      ...(detail !== undefined && { detail }),
    });
  }
}
