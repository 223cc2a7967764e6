import type { JsonObject } from "../json.js";
import type { Channel, Ephemeral } from "../state/channels.js";
import type { Message } from "../state/messages.js";
import type { World } from "../state/world.js";
import { messageView } from "../views/message.js";
import { waitFor, type WaitOptions } from "./wait.js";

/** A message as somebody sees it who looks at the channel. */
export interface SeenMessage {
  readonly ts: string;
  readonly text: string;
  /** The name shown over it. */
  readonly author: string;
  readonly userId: string | undefined;
  readonly botId: string | undefined;
  readonly subtype: string | undefined;
  readonly threadTs: string | undefined;
  readonly edited: boolean;
  /** Emoji name to the ids of those who reacted. */
  readonly reactions: Readonly<Record<string, readonly string[]>>;
  /** The ids of its files. */
  readonly files: readonly string[];
  readonly pinned: boolean;
  /** All of it, as the Web API shows it. */
  readonly raw: JsonObject;
}

/** A conversation as a test looks at it. */
export class ChannelHandle {
  readonly #world: World;
  readonly #channel: Channel;

  /** @internal */
  constructor(world: World, channel: Channel) {
    this.#world = world;
    this.#channel = channel;
  }

  get id(): string {
    return this.#channel.id;
  }

  get name(): string {
    return this.#channel.name;
  }

  get topic(): string {
    return this.#channel.topic.value;
  }

  get purpose(): string {
    return this.#channel.purpose.value;
  }

  get archived(): boolean {
    return this.#channel.archived;
  }

  get private(): boolean {
    return this.#channel.kind !== "public";
  }

  /** The ids of its members. */
  get members(): string[] {
    return [...this.#channel.members];
  }

  /** What the channel shows, oldest first: replies only when they were sent to the channel too. */
  messages(): SeenMessage[] {
    return this.#channel.messages.shown().map((message) => this.#see(message));
  }

  /** The texts of the messages people and apps posted, oldest first: no joins, topics and the like. */
  texts(): string[] {
    return this.messages()
      .filter((message) => message.subtype === undefined || contentSubtypes.has(message.subtype))
      .map((message) => message.text);
  }

  /** A thread: its parent first. */
  thread(ts: string): SeenMessage[] {
    const parent = this.#channel.messages.get(ts);
    return parent === undefined
      ? []
      : [parent, ...this.#channel.messages.replies(ts)].map((message) => this.#see(message));
  }

  /** One message, also a reply. */
  message(ts: string): SeenMessage | undefined {
    const message = this.#channel.messages.get(ts);
    return message === undefined ? undefined : this.#see(message);
  }

  /** What only one person sees. */
  ephemerals(userId: string): readonly Ephemeral[] {
    return this.#channel.ephemerals.filter((each) => each.userId === userId);
  }

  /** Waits for a message, in a thread too. */
  async waitForMessage(
    matches: string | ((message: SeenMessage) => boolean),
    options?: WaitOptions,
  ): Promise<SeenMessage> {
    const test = typeof matches === "string" ? (message: SeenMessage) => message.text === matches : matches;
    const what =
      typeof matches === "string"
        ? `the message "${matches}" in ${this.name || this.id}`
        : `a message in ${this.name || this.id}`;
    return waitFor(
      what,
      () =>
        this.#channel.messages
          .all()
          .map((message) => this.#see(message))
          .find(test),
      options,
    );
  }

  /** Waits until the channel is as a test wants it. */
  async waitUntil(condition: (channel: ChannelHandle) => boolean, options?: WaitOptions): Promise<void> {
    await waitFor(`a condition on ${this.name || this.id}`, () => (condition(this) ? true : undefined), options);
  }

  #see(message: Message): SeenMessage {
    const view = () => messageView(this.#world, this.#channel, message);
    return {
      ts: message.ts,
      text: message.text,
      author: this.#authorOf(message),
      userId: message.userId,
      botId: message.botId,
      subtype: message.subtype,
      threadTs: message.threadTs,
      edited: message.edited !== undefined,
      reactions: Object.fromEntries(message.reactions),
      files: [...message.fileIds],
      pinned: message.pinned !== undefined,
      // Made when it is looked at: whoever waits for a text in a long channel does not need it.
      get raw() {
        return view();
      },
    };
  }

  #authorOf(message: Message): string {
    if (message.username !== undefined) return message.username;
    const user = this.#world.users.get(message.userId ?? "");
    if (user === undefined) return message.userId ?? "";
    return user.profile.displayName || user.profile.realName;
  }
}

const contentSubtypes = new Set(["bot_message", "me_message", "thread_broadcast", "file_share"]);
