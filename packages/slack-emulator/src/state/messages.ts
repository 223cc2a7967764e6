import type { Json, JsonObject } from "../json.js";

/** A message. The channel and `ts` together name it. */
export interface Message {
  readonly ts: string;
  /** The workspace of its author. */
  readonly teamId: string;
  /** Absent for bot messages under a name of their own and for webhooks. */
  userId?: string;
  botId?: string;
  appId?: string;
  subtype?: string;
  text: string;
  blocks?: Json[];
  attachments?: Json[];
  fileIds: string[];
  username?: string;
  icons?: JsonObject;
  metadata?: JsonObject;
  readonly clientMessageId?: string;
  /** The thread it is in: the parent's `ts`; a parent has its own once it has replies. */
  threadTs?: string;
  /** A reply that is shown in the channel too. */
  broadcast: boolean;
  /** `ts` in whole seconds, as Slack gives it: it tells not every two edits apart. */
  edited?: { userId: string; ts: string };
  /** Emoji name to the users who reacted, both in order. */
  readonly reactions: Map<string, string[]>;
  pinned?: { by: string; at: number };
  /** The fields that belong to the subtype alone: `topic`, `name`, `old_name`, `inviter`, … */
  extra: JsonObject;
}

/** The messages of one channel by `ts`, oldest first. */
export class MessageLog {
  readonly #byTs = new Map<string, Message>();
  #ordered: Message[] = [];

  add(message: Message): void {
    this.#byTs.set(message.ts, message);
    const last = this.#ordered.at(-1);
    this.#ordered.push(message);
    if (last !== undefined && last.ts > message.ts) this.#ordered.sort((a, b) => (a.ts < b.ts ? -1 : 1));
  }

  get(ts: string): Message | undefined {
    return this.#byTs.get(ts);
  }

  remove(ts: string): void {
    if (this.#byTs.delete(ts)) this.#ordered = this.#ordered.filter((message) => message.ts !== ts);
  }

  /** Everything, oldest first. */
  all(): readonly Message[] {
    return this.#ordered;
  }

  /** What the channel itself shows: all but the replies that were not broadcast. */
  shown(): Message[] {
    return this.#ordered.filter(
      (message) => message.threadTs === undefined || message.threadTs === message.ts || message.broadcast,
    );
  }

  /** The replies of a thread, without its parent. */
  replies(threadTs: string): Message[] {
    return this.#ordered.filter((message) => message.threadTs === threadTs && message.ts !== threadTs);
  }
}
