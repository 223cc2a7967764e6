import { parseJson, type ChannelId, type ConnectorStorage } from "@trestle/core";
import { z } from "zod";
import type { MessageStanza } from "../content/index.js";
import { Recent } from "./recent.js";

const habitsSchema = z.object({ chatStates: z.boolean(), markers: z.boolean() });
/** What the client of the other person understands, as their messages have shown. */
export type Habits = Readonly<z.output<typeof habitsSchema>>;

const none: Habits = { chatStates: false, markers: false };

/** Nothing is told to clients that did not say that they know it (XEP-0085 §5.1, XEP-0333). Kept over a restart. */
export class ConversationHabits {
  readonly #known = new Recent<Habits>(1_000);

  constructor(private readonly storage: ConnectorStorage) {}

  async of(channel: ChannelId): Promise<Habits> {
    const known = this.#known.get(channel);
    if (known) return known;
    const stored = parseJson((await this.storage.get(keyOf(channel))) ?? "", habitsSchema) ?? none;
    this.#known.set(channel, stored);
    return stored;
  }

  /** Notes what a message shows; written where it is new. */
  async learn(channel: ChannelId, { chatState, markable }: MessageStanza): Promise<void> {
    const before = await this.of(channel);
    const habits = { chatStates: before.chatStates || chatState !== undefined, markers: markable };
    if (habits.chatStates === before.chatStates && habits.markers === before.markers) return;
    this.#known.set(channel, habits);
    await this.storage.set(keyOf(channel), JSON.stringify(habits));
  }

  async forget(channel: ChannelId): Promise<void> {
    this.#known.delete(channel);
    await this.storage.delete(keyOf(channel));
  }
}

function keyOf(channel: ChannelId): string {
  return `habits ${channel}`;
}
