import { historyPage, type HistoryProfile } from "../api/methods.js";
import type { SlackFailure } from "../api/result.js";
import type { Workspace } from "../installations/workspace.js";
import { compareTs, historySchema, type SlackMessage } from "../sending/messages.js";
import { patiently } from "../patience.js";

export interface HistoryRequest {
  readonly workspace: Workspace;
  readonly channel: string;
  /** The first message of a thread, to fetch its answers; otherwise the channel. */
  readonly thread?: string;
  /** From here on (Slack's `ts`). */
  readonly from: string;
  readonly profile: HistoryProfile;
  readonly signal: AbortSignal;
  readonly mostMessages: number;
}

export type History =
  { readonly ok: true; readonly messages: readonly SlackMessage[]; readonly completeFrom: string } | SlackFailure;

/** Fetches all messages since a moment, oldest first. Waits for as long as Slack is away or wants a pause; fails when Slack says no. */
export async function fetchHistory(request: HistoryRequest): Promise<History> {
  const { thread, from, mostMessages } = request;
  const messages = new Map<string, SlackMessage>();
  let cursor: string | undefined;
  for (;;) {
    const answer = await page(request, cursor);
    if (!answer.ok) return answer;
    for (const message of answer.body.messages) messages.set(message.ts, message);
    const next = answer.body.response_metadata?.next_cursor;
    const isWhole = answer.body.has_more !== true || !next || next === cursor;
    if (!isWhole && messages.size < mostMessages) {
      cursor = next;
      continue;
    }
    const sorted = [...messages.values()].sort((a, b) => compareTs(a.ts, b.ts));
    // A channel comes newest first, a thread oldest first: a thread that was not read to its end lacks the newest.
    const oldest = sorted[0]?.ts ?? from;
    return {
      ok: true,
      messages: sorted,
      completeFrom: isWhole ? from : thread === undefined ? oldest : "9".repeat(12),
    };
  }
}

function page({ workspace, channel, thread, from, profile, signal }: HistoryRequest, cursor: string | undefined) {
  return patiently(signal, () =>
    workspace.call({
      method: thread === undefined ? "conversations.history" : "conversations.replies",
      arguments: {
        channel,
        ...(thread !== undefined && { ts: thread }),
        oldest: from,
        inclusive: true,
        include_all_metadata: true,
        limit: historyPage[profile],
        ...(cursor !== undefined && { cursor }),
      },
      answer: historySchema,
      signal,
    }),
  );
}
