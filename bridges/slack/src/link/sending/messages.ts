import { z } from "zod";

/** The `event_type` of the metadata under which our messages carry the identity of their effect. */
export const effectType = "trestle_effect";

const metadataSchema = z.looseObject({
  event_type: z.string(),
  event_payload: z.looseObject({ effect: z.string().optional() }).optional(),
});

/** A message of Slack's, as far as it must be known here; everything else is kept as it came. */
export const messageSchema = z.looseObject({
  type: z.string().optional(),
  subtype: z.string().optional(),
  ts: z.string().min(1),
  thread_ts: z.string().optional(),
  user: z.string().optional(),
  bot_id: z.string().nullish(),
  app_id: z.string().optional(),
  text: z.string().optional(),
  /** In whole seconds; of some messages Slack says `{}`. */
  edited: z.looseObject({ ts: z.string(), user: z.string().optional() }).optional().catch(undefined),
  reply_count: z.number().optional(),
  latest_reply: z.string().optional(),
  reactions: z
    .array(z.looseObject({ name: z.string(), users: z.array(z.string()).default([]), count: z.number().optional() }))
    .optional(),
  metadata: metadataSchema.optional().catch(undefined),
});
export type SlackMessage = z.output<typeof messageSchema>;

/** A page of `conversations.history` or `conversations.replies`, in the order in which Slack gives it. */
export const historySchema = z.looseObject({
  messages: z.array(messageSchema).default([]),
  has_more: z.boolean().optional(),
  response_metadata: z.looseObject({ next_cursor: z.string().optional() }).optional(),
});

/** The effect a message of ours came from. */
export function effectOf(message: SlackMessage): string | undefined {
  const { metadata } = message;
  return metadata?.event_type === effectType ? metadata.event_payload?.effect : undefined;
}

/** What a message of ours carries, so that it is known again. */
export function metadataOf(effect: string): Readonly<Record<string, unknown>> {
  return { event_type: effectType, event_payload: { effect } };
}

/** `1700000001.000200` as milliseconds since 1970. */
export function timeOf(ts: string): number {
  return Math.floor(Number(ts) * 1_000);
}

/** The `ts` of a moment in milliseconds since 1970: for comparing and for asking, not a message's. */
export function tsAt(ms: number): string {
  return `${Math.floor(ms / 1_000)}.${String(Math.floor((ms % 1_000) * 1_000)).padStart(6, "0")}`;
}

/** Which of two is older, exactly: as numbers they would lose digits. */
export function compareTs(a: string, b: string): number {
  const [[wholeA = "", fractionA = ""], [wholeB = "", fractionB = ""]] = [a.split("."), b.split(".")];
  return (
    wholeA.length - wholeB.length ||
    compareText(wholeA, wholeB) ||
    compareText(fractionA.padEnd(6, "0"), fractionB.padEnd(6, "0"))
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
