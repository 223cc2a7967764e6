import type { RemoteUser, TypingReceived, TypingSignal } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import type { IrcMessage } from "../../wire/message.js";
import { channelIdOf, type Place } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import { takesTags } from "../outward/speech.js";

const TAG = "typing";
/** IRCv3 typing: who is active is said again every three seconds, and forgotten after six; a pause lasts for thirty. */
const AGAIN_MS = 3_000;
const ACTIVE_MS = 6_000;
const PAUSED_MS = 30_000;
/** A homeserver says by then that somebody has stopped. */
const LONGEST_MS = 60_000;
const MOST_CHANNELS = 1_000;

/** What a TAGMSG says of who is typing; `undefined` where it says nothing of it. */
export function typingOf(
  { tags }: IrcMessage,
  network: string,
  channel: string,
  user: RemoteUser,
): TypingReceived | undefined {
  const state = tags.get(`+${TAG}`) ?? tags.get(`+draft/${TAG}`);
  if (state === undefined) return undefined;
  const forMs = state === "active" ? ACTIVE_MS : state === "paused" ? PAUSED_MS : 0;
  return { kind: "typing", channel: channelIdOf(network, channel), user, forMs };
}

interface Typists {
  readonly clients: Map<string, Connection>;
  readonly timer: NodeJS.Timeout;
  readonly until: number;
}

/** Shows on one network who types on Matrix: by their own client alone, and only where there is room for it among the messages. */
export class TypingSignals {
  readonly #channels = new Map<string, Typists>();

  constructor(private readonly network: IrcNetwork) {}

  show(place: Place, { channel, authors }: TypingSignal): void {
    const clients = new Map<string, Connection>();
    for (const { userId } of authors) {
      const connection = this.network.puppets.get(userId)?.seat.connection;
      if (!connection) continue;
      const target = targetOf(this.network, place, connection);
      if (target !== undefined && takesTags(connection, TAG)) clients.set(target + connection.id, connection);
    }
    const before = this.#channels.get(channel);
    for (const [key, connection] of before?.clients ?? [])
      if (!clients.has(key)) say(connection, targetOf(this.network, place, connection), "done");
    this.#stop(channel);
    if (clients.size === 0 || this.#channels.size >= MOST_CHANNELS) return;
    for (const connection of clients.values()) say(connection, targetOf(this.network, place, connection), "active");
    const timer = setInterval(() => this.#again(channel, place), AGAIN_MS);
    this.#channels.set(channel, { clients, timer, until: performance.now() + LONGEST_MS });
  }

  close(): void {
    for (const channel of [...this.#channels.keys()]) this.#stop(channel);
  }

  #again(channel: string, place: Place): void {
    const typists = this.#channels.get(channel);
    if (!typists || performance.now() > typists.until) {
      this.#stop(channel);
      return;
    }
    for (const connection of typists.clients.values())
      say(connection, targetOf(this.network, place, connection), "active");
  }

  #stop(channel: string): void {
    clearInterval(this.#channels.get(channel)?.timer);
    this.#channels.delete(channel);
  }
}

function targetOf(network: IrcNetwork, place: Place, { view }: Connection): string | undefined {
  return place.kind === "channel" ? view.channels.get(place.channel) : network.nickOf(place.nick);
}

function say(connection: Connection, target: string | undefined, state: "active" | "done"): void {
  if (target !== undefined && connection.ready) connection.outgoing.aside("TAGMSG", [target], { [`+${TAG}`]: state });
}
