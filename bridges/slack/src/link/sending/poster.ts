import { RemoteMessageId, type EffectId, type Outcome, type Sent } from "@trestle/core";
import { z } from "zod";
import { historyPage, type HistoryProfile } from "../api/methods.js";
import type { Workspace } from "../installations/workspace.js";
import type { Echoes } from "./echoes.js";
import { compareTs, effectOf, historySchema, metadataOf, tsAt } from "./messages.js";

/** A message on its way to Slack. */
export interface Post {
  /** Whose budget, and which bot. */
  readonly workspace: Workspace;
  readonly channel: string;
  readonly effect: EffectId;
  /** The first message of the thread. */
  readonly thread?: string;
  /** What `chat.postMessage` takes besides: `text`, `blocks`, `username`, `icon_url`, … */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

/** What must be known to look for one. */
export interface Wanted extends Pick<Post, "workspace" | "channel" | "effect" | "thread" | "signal"> {
  /** When it happened on Matrix, in milliseconds since 1970: Slack cannot have it from before. */
  readonly since: number;
}

const postedSchema = z.looseObject({ ts: z.string().min(1) });

/** This machine's clock and Slack's may differ by so much. */
const clockSlackMs = 5 * 60_000;
const mostPages = 20;

/** Posts messages that Slack can be asked about afterwards: each carries the identity of its effect in its metadata. */
export class Poster {
  constructor(
    readonly echoes: Echoes,
    readonly history: HistoryProfile,
  ) {}

  async post({ workspace, channel, effect, thread, arguments: given, signal }: Post): Promise<Outcome> {
    const result = await workspace.call({
      method: "chat.postMessage",
      arguments: {
        ...given,
        channel,
        ...(thread !== undefined && { thread_ts: thread }),
        metadata: metadataOf(effect),
      },
      answer: postedSchema,
      ...(signal && { signal }),
    });
    if (!result.ok) return result;
    this.echoes.remember(channel, effect, result.body.ts);
    return { id: RemoteMessageId(result.body.ts) };
  }

  /**
   * Whether Slack has a message: by the event that came back, or by what the channel's history (or the thread) holds
   * since the message was written. `null`: surely not. Rejects when it cannot be known now.
   */
  async findSent(wanted: Wanted): Promise<Sent | null> {
    const { channel, effect } = wanted;
    const echoed = this.echoes.find(channel, effect);
    if (echoed !== undefined) return { id: RemoteMessageId(echoed) };
    const oldest = tsAt(Math.max(0, wanted.since - clockSlackMs));
    let cursor: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const answer = await this.#page(wanted, oldest, cursor);
      if (!answer.ok) throw new Error(answer.reason);
      const { messages, response_metadata, has_more } = answer.body;
      const found = messages.find((message) => effectOf(message) === effect);
      if (found) return { id: RemoteMessageId(found.ts) };
      cursor = response_metadata?.next_cursor;
      if (has_more !== true || !cursor) return null;
      const [last] = messages.slice(-1);
      // History comes newest first: behind this there is nothing new enough.
      if (wanted.thread === undefined && last && compareTs(last.ts, oldest) < 0) return null;
    }
    throw new Error(`the channel ${channel} has more new messages than were looked through`);
  }

  #page({ workspace, channel, thread, signal }: Wanted, oldest: string, cursor: string | undefined) {
    return workspace.call({
      method: thread === undefined ? "conversations.history" : "conversations.replies",
      arguments: {
        channel,
        ...(thread !== undefined && { ts: thread }),
        oldest,
        inclusive: true,
        include_all_metadata: true,
        limit: historyPage[this.history],
        ...(cursor !== undefined && { cursor }),
      },
      answer: historySchema,
      ...(signal && { signal }),
    });
  }
}
