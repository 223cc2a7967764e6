import { isRecord } from "../appservice/event.js";
import type { PresenceSignal } from "../connector/effects.js";
import type { MomentaryEvent, PresenceReceived, ReadReceived, TypingReceived } from "../connector/events.js";
import { ChannelId, EventId, RoomId, UserId } from "../connector/ids.js";
import { toNetwork } from "../delivery/entry.js";
import type { Link } from "../mapping/links.js";
import type { MappedMessage } from "../mapping/messages.js";
import type { Ghosts } from "./ghosts.js";
import type { Permissions } from "./permissions.js";
import type { BridgeRuntime } from "./runtime.js";
import type { Authors } from "./to-network/authors.js";

const signalsAtOnce = 16;
const triesForUnsent = 5;
const unsentPauseMs = 200;

/** A homeserver without presence, or that lets us not set it, is asked again after so long. */
const presenceRefusedForMs = 3_600_000;

/** Typing, reading and presence on the network, shown in the rooms. Never waited for; dropped when too much of it comes at once. */
export class EphemeralToMatrix {
  #running = 0;
  #presenceRefusedUntil = 0;

  constructor(
    readonly runtime: BridgeRuntime,
    readonly ghosts: Ghosts,
  ) {}

  take(event: MomentaryEvent): void {
    if (this.#running >= signalsAtOnce) return;
    this.#running += 1;
    void this.#show(event)
      .catch((error: unknown) => this.runtime.log.debug({ err: error }, "A typing or receipt signal was lost"))
      .finally(() => {
        this.#running -= 1;
      });
  }

  #show(event: MomentaryEvent): Promise<void> {
    switch (event.kind) {
      case "read":
        return this.#read(event);
      case "presence":
        return this.#presence(event);
      case "typing":
        return this.#typing(event);
    }
  }

  async #presence({ user, presence, status }: PresenceReceived): Promise<void> {
    const { clock, client, log } = this.runtime;
    const ghost = await this.ghosts.find(user.id);
    if (!ghost || clock.now() < this.#presenceRefusedUntil) return;
    const set = await client.setPresence({ user: ghost.user, presence, ...(status !== undefined && { status }) });
    if (set.ok || set.failure.kind !== "answered" || ![403, 404, 405].includes(set.failure.status)) return;
    this.#presenceRefusedUntil = clock.now() + presenceRefusedForMs;
    log.info({ status: set.failure.status }, "The homeserver does not take the presence of ghosts");
  }

  async #read({ channel, user, upTo }: ReadReceived): Promise<void> {
    const { runtime } = this;
    const ghost = await this.ghosts.find(user.id);
    if (!ghost) return;
    for (const link of await runtime.links.ofChannel(channel)) {
      const part = await this.#messageOf(link, upTo);
      if (part) await runtime.client.sendReceipt({ room: link.room, eventId: EventId(part.event), asUser: ghost.user });
    }
  }

  /** Somebody may have read what was sent a moment ago, before it is known under which id it was. */
  async #messageOf({ room, channel, channelKey }: Link, remote: string): Promise<MappedMessage | undefined> {
    const { rooms, messages, journal, clock } = this.runtime;
    const { key } = await rooms.ensure(room);
    for (let attempt = 1; ; attempt += 1) {
      const part = (await messages.ofRemote(channelKey, remote, key)).at(-1);
      if (
        part ||
        attempt === triesForUnsent ||
        journal.flow(toNetwork)?.isBusyBefore(channel, Number.MAX_SAFE_INTEGER) !== true
      )
        return part;
      await new Promise<void>((resolve) => clock.after(unsentPauseMs, resolve));
    }
  }

  async #typing(event: TypingReceived): Promise<void> {
    const ghost = await this.ghosts.find(event.user.id);
    if (!ghost) return;
    for (const link of await this.runtime.links.ofChannel(event.channel)) {
      await this.runtime.client.setTyping({
        room: link.room,
        user: ghost.user,
        typing: event.forMs > 0,
        forMs: event.forMs,
      });
    }
  }
}

/** Typing, read receipts and presence on Matrix, for connectors that take them. Other people's private receipts are nobody's business. */
export class EphemeralToNetwork {
  #running = 0;

  constructor(
    readonly runtime: BridgeRuntime,
    readonly authors: Authors,
    readonly permissions: Permissions,
  ) {}

  take(events: readonly unknown[]): void {
    const { typing, receipt, presence } = this.runtime.handlers;
    for (const event of events) {
      if (!isRecord(event) || !isRecord(event.content)) continue;
      const signal = event.type === "m.presence" ? presenceIn(event) : undefined;
      if (signal && presence && this.#isPassedOn(signal.user)) this.#start(() => presence(signal));
      if (typeof event.room_id !== "string") continue;
      const room = RoomId(event.room_id);
      // An older draft called it edu_type.
      const type = event.type ?? event.edu_type;
      if (type === "m.typing" && typing) this.#start(() => this.#typing(room, event.content));
      if (type === "m.receipt" && receipt) this.#start(() => this.#receipts(room, event.content));
    }
  }

  #start(work: () => Promise<void>): void {
    if (this.#running >= signalsAtOnce) return;
    this.#running += 1;
    void work()
      .catch((error: unknown) => this.runtime.log.debug({ err: error }, "A typing or receipt signal was lost"))
      .finally(() => {
        this.#running -= 1;
      });
  }

  #isPassedOn(user: string): boolean {
    return !this.runtime.isOwn(user) && this.permissions.atLeast(user, "relay");
  }

  async #typing(roomId: RoomId, content: unknown): Promise<void> {
    const { runtime } = this;
    const links = await runtime.links.ofRoom(roomId);
    const users = isRecord(content) && Array.isArray(content.user_ids) ? content.user_ids : [];
    if (links.length === 0) return;
    const room = await runtime.rooms.ensure(roomId);
    const authors = [];
    for (const user of users) {
      if (typeof user !== "string" || !this.#isPassedOn(user)) continue;
      const author = await this.authors.of(room, user);
      if (author.ok) authors.push(author.body);
    }
    for (const link of links) await runtime.handlers.typing?.({ channel: ChannelId(link.channel), authors });
  }

  async #receipts(roomId: RoomId, content: unknown): Promise<void> {
    const { runtime } = this;
    const links = await runtime.links.ofRoom(roomId);
    if (links.length === 0 || !isRecord(content)) return;
    const room = await runtime.rooms.ensure(roomId);
    for (const [event, receipts] of Object.entries(content)) {
      const read = isRecord(receipts) && isRecord(receipts["m.read"]) ? Object.keys(receipts["m.read"]) : [];
      for (const user of read) {
        if (!this.#isPassedOn(user)) continue;
        const author = await this.authors.of(room, user);
        if (!author.ok) continue;
        for (const link of links) {
          const [message] = await runtime.messages.ofEvent(event, link.channelKey);
          if (message)
            await runtime.handlers.receipt?.({ channel: link.channel, author: author.body, upTo: message.remote });
        }
      }
    }
  }
}

const presences = ["online", "unavailable", "offline"] as const;

function presenceIn({ sender, content }: Readonly<Record<string, unknown>>): PresenceSignal | undefined {
  const { presence: told, status_msg: status } = isRecord(content) ? content : {};
  const presence = presences.find((each) => each === told);
  if (typeof sender !== "string" || presence === undefined) return undefined;
  const hasStatus = typeof status === "string" && status !== "";
  return { user: UserId(sender), presence, ...(hasStatus && { status }) };
}
