import { isRecord } from "../appservice/event.js";
import type { TypingReceived } from "../connector/events.js";
import { ChannelId, RoomId } from "../connector/ids.js";
import type { Ghosts } from "./ghosts.js";
import type { BridgeRuntime } from "./runtime.js";
import type { Authors } from "./to-network/authors.js";

const signalsAtOnce = 16;

/** Typing on the network, shown in the rooms. Never waited for; dropped when too much of it comes at once. */
export class EphemeralToMatrix {
  #running = 0;

  constructor(
    readonly runtime: BridgeRuntime,
    readonly ghosts: Ghosts,
  ) {}

  typing(event: TypingReceived): void {
    if (this.#running >= signalsAtOnce) return;
    this.#running += 1;
    void this.#typing(event)
      .catch((error: unknown) => this.runtime.log.debug({ err: error }, "A typing signal was lost"))
      .finally(() => {
        this.#running -= 1;
      });
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

/** Typing and read receipts on Matrix, for connectors that take them. Other people's private receipts are nobody's business. */
export class EphemeralToNetwork {
  #running = 0;

  constructor(
    readonly runtime: BridgeRuntime,
    readonly authors: Authors,
  ) {}

  take(events: readonly unknown[]): void {
    const { typing, receipt } = this.runtime.handlers;
    for (const event of events) {
      if (!isRecord(event) || !isRecord(event.content) || typeof event.room_id !== "string") continue;
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

  async #typing(roomId: RoomId, content: unknown): Promise<void> {
    const { runtime } = this;
    const links = await runtime.links.ofRoom(roomId);
    const users = isRecord(content) && Array.isArray(content.user_ids) ? content.user_ids : [];
    if (links.length === 0) return;
    const room = await runtime.rooms.ensure(roomId);
    const authors = [];
    for (const user of users) {
      if (typeof user !== "string" || runtime.isOwn(user)) continue;
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
        if (runtime.isOwn(user)) continue;
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
