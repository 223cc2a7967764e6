import { join } from "node:path";
import {
  RoomAlias,
  RoomId,
  type ChannelId,
  type ChannelInfo,
  type ChannelLink,
  type Network,
  type RemoteUserId,
  type UserId,
} from "@trestle/core";
import { bareJidOf, bareOf, parseJid, type Jid } from "../address/index.js";
import type { BridgePart } from "../bridge-part.js";
import type { XmppConfig } from "../config.js";
import { localName, readPresence, readIq, uriOfJid } from "../content/index.js";
import type { Element, XmppStream } from "../stream/index.js";
import { channelOfView, gatewayChannel, roomOfAddress } from "./address.js";
import { Allowance } from "./allowance.js";
import { Archive } from "./archive.js";
import { refusal, refused, type Refusal } from "./errors.js";
import { gatewayHandlers } from "./handlers.js";
import { Lanes } from "./lanes.js";
import { Outbox } from "./outbox.js";
import type { GatewayParts } from "./parts.js";
import { GatewayRoom } from "./room.js";
import { serviceAnswer } from "./service.js";
import { defaultGatewayTuning, type GatewayTuning } from "./tuning.js";
import { upToDate } from "./up-to-date.js";

export interface GatewayOptions {
  readonly stream: XmppStream;
  readonly network: Network;
  readonly config: XmppConfig;
  /** Of the bridge; what the gateway derives from it nobody can guess. */
  readonly secret: string;
  readonly tuning?: Partial<GatewayTuning>;
}

/**
 * The Matrix rooms as rooms of the component's own domain (XEP-0045).
 *
 * A room of the gateway is a channel of the connector whose id is the room's bare JID: `#name#server@domain` after the
 * canonical alias, `!id@domain` where there is none. Whoever joins it is a remote user by the bare JID, with a ghost in
 * the Matrix room; Matrix users are its occupants. It is linked like every channel, by `link gateway` in the room or
 * in the configuration; where the operator says so (`gateway.rooms: public`) a public room is linked when somebody joins it.
 *
 * What an occupant says is shown to the others once it is on disk (`network.receive`), in the order in which it came;
 * what Matrix says is delivered once it is in the room's archive. Who is in the rooms is on disk too: after a restart, and
 * after every loss of the stream, they are told that they are out (333; 332 at an orderly end), and come in again.
 */
export class Gateway implements BridgePart {
  readonly handlers = gatewayHandlers(this);
  readonly #parts: GatewayParts;
  readonly #rooms = new Map<string, GatewayRoom>();
  /** What is being linked because somebody came. */
  readonly #opening = new Map<string, Promise<ChannelId | undefined>>();
  #isOnline = false;
  #isClosed = false;

  constructor({ stream, network, config, secret, tuning }: GatewayOptions) {
    const tuned = { ...defaultGatewayTuning, ...tuning };
    this.#parts = {
      ...{ stream, network, config, secret, tuning: tuned },
      archive: new Archive(join(network.bridge.dataDirectory, "gateway.db"), config.gateway.archive),
      outbox: new Outbox(stream),
      lanes: new Lanes(),
      allowance: new Allowance(tuned.burst, tuned.refillMs, () => performance.now()),
    };
  }

  /** Whether a channel is a room of the gateway, linked or not. */
  owns(channel: string): boolean {
    return roomOfAddress(this.#parts.config.domain, channel) !== undefined;
  }

  get(channel: ChannelId): GatewayRoom | undefined {
    return this.#rooms.get(channel);
  }

  /** The rooms that anybody may join, for lists. */
  publicRooms(): { readonly jid: string; readonly name: string }[] {
    return [...this.#rooms.values()].flatMap(({ state }) => {
      const view = state.view.known;
      if (view === undefined || state.isMembersOnly) return [];
      return [{ jid: state.jid, name: view.name ?? view.alias ?? state.jid }];
    });
  }

  add({ channel, room }: ChannelLink): void {
    const known = this.#rooms.get(channel);
    if (known) {
      known.state.rooms.add(room);
      return;
    }
    const added = new GatewayRoom(this.#parts, channel, room, (jid) => this.#isBlocked(jid));
    this.#rooms.set(channel, added);
    if (this.#isOnline) added.online();
    this.#parts.network.report({ connection: channel, state: this.#isOnline ? "connected" : "waiting" });
  }

  async remove({ channel }: ChannelLink): Promise<void> {
    const room = this.#rooms.get(channel);
    this.#rooms.delete(channel);
    await room?.unlink();
    this.#parts.network.report({ connection: channel, state: "closed" });
  }

  /** What a person types to link a room to the gateway: the word, or the address itself. `undefined`: something else. */
  async resolve(text: string, room: RoomId | undefined): Promise<ChannelInfo | undefined> {
    const { config, network } = this.#parts;
    const typed = text.trim();
    if (typed.toLowerCase() === "gateway") {
      if (room === undefined) throw new Error("Say which Matrix room is to be a room of XMPP.");
      const view = await network.lookAtRoom(room);
      return { id: channelOfView(config.domain, view), name: view.name ?? view.alias ?? view.room };
    }
    const wanted = roomOfAddress(config.domain, typed.replace(/^xmpp:/i, "").split("?", 1)[0] ?? "");
    if (wanted === undefined) return undefined;
    return { id: gatewayChannel(config.domain, wanted), name: wanted };
  }

  /** What a Matrix room is here, by an alias or its id; throws a `RangeError` for what is neither. */
  addressOf(matrix: string): ChannelInfo {
    const room = matrix.startsWith("!") ? RoomId(matrix) : RoomAlias(matrix);
    return { id: gatewayChannel(this.#parts.config.domain, room), name: matrix };
  }

  /**
   * Somebody asks a Matrix user directly to come into a room here (XEP-0249); why that is not done, where it is not.
   * `from` is the asker's address.
   */
  async invite(
    room: string,
    { from, user, reason }: { readonly from: string; readonly user: UserId; readonly reason?: string },
  ): Promise<Refusal | undefined> {
    const found = this.#rooms.get(bareJidOf(room) ?? "");
    if (!found) return notLinked;
    await upToDate(found.state);
    const person = found.state.roster.people.get(bareJidOf(from) ?? "");
    if (!person) return refusal("modify", "not-acceptable", "You are not in this room. Join it first.");
    return found.invites.ofUser(person, user, reason);
  }

  /** The power that somebody has in the Matrix room of a room here; 0 where that is not known. */
  async powerIn(channel: string, person: RemoteUserId): Promise<number> {
    const state = this.#rooms.get(channel)?.state;
    if (!state) return 0;
    await upToDate(state);
    return state.view.powerOf(person);
  }

  online(): void {
    if (this.#isOnline) return;
    this.#isOnline = true;
    for (const [connection, room] of this.#rooms) {
      room.online();
      this.#parts.network.report({ connection, state: "connected" });
    }
  }

  lost(): void {
    if (!this.#isOnline) return;
    this.#isOnline = false;
    for (const connection of this.#rooms.keys()) this.#parts.network.report({ connection, state: "waiting" });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const room of this.#rooms.values()) room.close();
    // Behind all that was to be told.
    await this.#parts.outbox.flushed();
  }

  /** Nothing comes any more, and nothing is dealt with. */
  end(): void {
    this.#parts.archive.close();
  }

  /** Takes what is meant for a room of the gateway, linked or not, and what asks the domain for its rooms. */
  take(stanza: Element): Promise<void> | undefined | "unknown" {
    const { config } = this.#parts;
    const to = parseJid(stanza.attrs["to"] ?? "");
    const from = parseJid(stanza.attrs["from"] ?? "");
    if (to?.domain !== config.domain || !from) return "unknown";
    if (to.local === undefined) return this.#service(stanza);
    const address = bareOf(to);
    if (!this.owns(address)) return "unknown";
    if (this.#isClosed) return this.#refuse(stanza, stopping);
    const room = this.#rooms.get(address);
    if (room) return room.take(stanza, from, to.resource);
    return this.#elsewhere(stanza, from, address, to.resource);
  }

  #service(stanza: Element): undefined | "unknown" {
    const answer = serviceAnswer(stanza, this.publicRooms());
    if (answer === undefined) return "unknown";
    void this.#parts.outbox.send(answer, [stanza.attrs["from"] ?? ""]);
    return undefined;
  }

  /** A room that is not linked: it may be another alias of one that is, or be linked now. */
  #elsewhere(stanza: Element, from: Jid, address: string, nick: string | undefined): Promise<void> | undefined {
    const known = this.#ofAlias(address);
    if (known) return this.#refuse(stanza, moved(known));
    if (!this.#mayOpen(stanza, from, nick)) return this.#refuse(stanza, notLinked);
    const key = `open ${address}`;
    return this.#parts.lanes.run(`${address} ${stanza.attrs["from"] ?? ""}`, async () => {
      const opening =
        this.#opening.get(key) ?? this.#open(address, bareOf(from)).finally(() => this.#opening.delete(key));
      this.#opening.set(key, opening);
      const channel = await opening.catch((error: unknown) => {
        this.#parts.network.log.warn({ err: error, room: address }, "A room could not be opened for somebody");
        return "not now" as const;
      });
      const room = channel && this.#rooms.get(channel);
      if (channel === "not now") void this.#refuse(stanza, notNow);
      else if (channel === undefined || !room) void this.#refuse(stanza, notLinked);
      else if (channel !== address) void this.#refuse(stanza, moved(channel));
      // Not in this lane, in which it would wait for itself.
      else queueMicrotask(() => this.#again(room, stanza, from, nick));
    });
  }

  #again(room: GatewayRoom, stanza: Element, from: Jid, nick: string | undefined): void {
    room.take(stanza, from, nick)?.catch((error: unknown) => {
      this.#parts.network.log.error({ err: error }, "Somebody could not be let into a room");
    });
  }

  /** Somebody joins, or asks what it is; and the operator lets them. */
  #mayOpen(stanza: Element, from: Jid, nick: string | undefined): boolean {
    const { config, allowance } = this.#parts;
    if (config.gateway.rooms !== "public" || this.#isBlocked(from)) return false;
    const isAsked =
      localName(stanza) === "presence"
        ? nick !== undefined && readPresence(stanza).what.kind === "roomJoin"
        : localName(stanza) === "iq" && nick === undefined && readIq(stanza).what.kind === "discoInfo";
    return isAsked && this.#rooms.size < config.gateway.maxRooms && allowance.take(`open ${bareOf(from)}`);
  }

  async #open(address: string, by: string): Promise<ChannelId | undefined> {
    const { network, config } = this.#parts;
    const room = roomOfAddress(config.domain, address);
    if (room === undefined) return undefined;
    const opened = await network.openRoom({
      room,
      by,
      channel: (view) => ({
        id: this.#ofRoom(view.room) ?? channelOfView(config.domain, view),
        name: view.name ?? view.alias ?? view.room,
      }),
    });
    if (opened) this.add(opened);
    return opened?.channel;
  }

  #ofRoom(room: RoomId): ChannelId | undefined {
    for (const { state } of this.#rooms.values()) if (state.rooms.has(room)) return state.channel;
    return undefined;
  }

  #ofAlias(address: string): ChannelId | undefined {
    const wanted = roomOfAddress(this.#parts.config.domain, address);
    for (const { state } of this.#rooms.values()) {
      const view = state.view.known;
      const names: readonly (string | undefined)[] = [view?.alias, ...(view?.otherAliases ?? []), ...state.rooms];
      if (names.includes(wanted)) return state.channel;
    }
    return undefined;
  }

  #isBlocked({ local, domain }: Jid): boolean {
    const { config } = this.#parts;
    const { blocked } = config.gateway;
    return (
      domain === config.domain ||
      blocked.includes(domain) ||
      blocked.includes(bareOf({ domain, ...(local !== undefined && { local }) }))
    );
  }

  #refuse(stanza: Element, why: Refusal): Promise<void> | undefined {
    const answer = refused(stanza, why);
    if (answer) void this.#parts.outbox.send(answer, [stanza.attrs["from"] ?? ""]);
    return undefined;
  }
}

const notLinked = refusal(
  "cancel",
  "item-not-found",
  "This Matrix room is not linked. A moderator of the room links it there with the bridge bot's command “link gateway”.",
);
const notNow = refusal("wait", "internal-server-error", "The Matrix room cannot be read now. Try again in a minute.");
const stopping = refusal("wait", "recipient-unavailable", "The bridge to Matrix stops. Come back in a minute.");

function moved(channel: ChannelId): Refusal {
  const text = `This room goes by the name ${channel}.`;
  return { ...refusal("modify", "gone", text), address: `${uriOfJid(channel)}?join` };
}
