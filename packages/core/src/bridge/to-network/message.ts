import type { Content } from "../../connector/content.js";
import type { Correction, MessageEffect, ReplyTarget } from "../../connector/effects.js";
import { EventId, type RemoteMessageId } from "../../connector/ids.js";
import type { Entry, Verdict } from "../../delivery/entry.js";
import type { MappedMessage } from "../../mapping/messages.js";
import type { Write } from "../../store/writes.js";
import { deliveredAs } from "../delivered-as.js";
import { effectIdOf } from "../effect-id.js";
import type { BridgeRuntime } from "../runtime.js";
import { findSent, sendOnce } from "./call.js";
import type { EffectSource } from "./source.js";

/** Where a message comes from and where it goes. */
export interface MessageSource {
  readonly base: EffectSource["base"];
  readonly link: Pick<EffectSource["link"], "channel" | "channelKey">;
  readonly room: Pick<EffectSource["room"], "key">;
}

interface Part {
  readonly part: number;
  /** What the connector's `split` made, else the part's own content. */
  readonly wire: unknown;
  readonly sent: boolean;
  readonly remote: string | undefined;
}

interface PartRow {
  readonly part: number;
  readonly wire: string;
  readonly sent: number;
  readonly remote: string | null;
}

export interface Message {
  /** More than one where a network's limits cut the text and the connector does not. */
  readonly contents: readonly Content[];
  readonly replyTo?: ReplyTarget;
  readonly thread?: ReplyTarget;
  readonly correction?: Correction;
}

/** Sends a message to a channel, part by part; a crash between two parts goes on with the next. */
export function deliverMessage(
  runtime: BridgeRuntime,
  entry: Entry,
  source: MessageSource,
  message: Message,
): Promise<Verdict> {
  const asIs = !runtime.handlers.split && message.contents.length === 1 && !entry.recovered && entry.attempts === 0;
  return asIs ? deliverAlone(runtime, entry, source, message) : deliverParts(runtime, entry, source, message);
}

/** The usual case: nothing is on disk of it, and it has one part. */
function deliverAlone(runtime: BridgeRuntime, entry: Entry, source: MessageSource, message: Message): Promise<Verdict> {
  const part: Part = { part: 0, wire: message.contents[0], sent: false, remote: undefined };
  return sendOnce(runtime, messageEffect(runtime, source, message, part, 1, entry.maybeSent)).then((called) => {
    if ("verdict" in called) return called.verdict;
    const { id } = called.sent;
    return deliveredAs(runtime, id === undefined ? [] : [mappedPart(source, 0, id)]);
  });
}

function mappedPart({ base, link, room }: MessageSource, part: number, remote: string): MappedMessage {
  return {
    channelKey: link.channelKey,
    remote: remote as RemoteMessageId,
    part,
    roomKey: room.key,
    event: EventId(base.event),
    sender: base.author.userId,
  };
}

async function deliverParts(
  runtime: BridgeRuntime,
  entry: Entry,
  source: MessageSource,
  message: Message,
): Promise<Verdict> {
  const planned = await planParts(runtime, entry, source, message);
  if ("verdict" in planned) return planned;
  const { parts } = planned;
  const several = parts.length > 1;
  const mapped: MappedMessage[] = [];
  let { inDoubt } = planned;
  for (const part of parts) {
    let remote = part.remote;
    if (!part.sent) {
      const effect = messageEffect(runtime, source, message, part, parts.length, inDoubt);
      inDoubt = false;
      const called = await sendOnce(runtime, effect);
      if ("verdict" in called) return called.verdict;
      remote = called.sent.id;
      if (several) await runtime.store.commit([["partSent", remote ?? null, entry.seq, part.part]]);
    }
    if (remote !== undefined) mapped.push(mappedPart(source, part.part, remote));
  }
  return deliveredAs(runtime, mapped, several ? [["dropParts", entry.seq]] : []);
}

/**
 * What there is to say of a message that an earlier attempt may have sent and that is cut into parts only now: parts are on
 * disk before the first of them is sent, so that it was sent whole, or not at all (then `undefined`).
 */
async function findWhole(
  runtime: BridgeRuntime,
  source: MessageSource,
  message: Message,
  [first]: readonly Part[],
): Promise<Verdict | undefined> {
  if (!first || !runtime.handlers.findSent) return undefined;
  const found = await findSent(runtime, messageEffect(runtime, source, message, first, 1, true));
  if ("verdict" in found) return found.verdict;
  if (!found.sent) return undefined;
  const { id } = found.sent;
  return deliveredAs(runtime, id === undefined ? [] : [mappedPart(source, 0, id)]);
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

function messageEffect(
  runtime: BridgeRuntime,
  { base, link }: MessageSource,
  message: Message,
  part: Part,
  parts: number,
  maybeSent: boolean,
): Omit<MessageEffect, "signal"> {
  const content = runtime.handlers.split ? message.contents[0] : (part.wire as Content);
  if (!content) throw new Error("A message without content was to be sent.");
  // Field by field: every message passes here, and spreading objects was a tenth of its cost.
  const effect: Writable<Omit<MessageEffect, "signal">> = {
    attempt: base.attempt,
    maybeSent,
    channel: base.channel,
    room: base.room,
    event: base.event,
    author: base.author,
    at: base.at,
    effect: effectIdOf(runtime.name, "message", link.channel, base.event, part.part),
    content,
    part: part.part,
    parts,
  };
  if (runtime.handlers.split) effect.wire = part.wire;
  if (message.replyTo) effect.replyTo = message.replyTo;
  if (message.thread) effect.thread = message.thread;
  return effect;
}

/**
 * The parts of a message: those on disk where it was begun before, else as the connector (or its limits) cut it, which may
 * be otherwise than at an earlier attempt.
 */
async function planParts(
  runtime: BridgeRuntime,
  entry: Entry,
  source: MessageSource,
  message: Message,
): Promise<{ readonly parts: readonly Part[]; readonly inDoubt: boolean } | Verdict> {
  const inDoubt = entry.maybeSent;
  const begun = entry.recovered || entry.attempts > 0 ? await storedParts(runtime, entry.seq) : [];
  if (begun.length > 0) return { parts: begun, inDoubt };
  const wires = await cut(runtime, source, message);
  const parts = wires.map((wire, part): Part => ({ part, wire, sent: false, remote: undefined }));
  if (parts.length <= 1) return { parts, inDoubt };
  const whole = inDoubt ? await findWhole(runtime, source, message, parts) : undefined;
  if (whole) return whole;
  await runtime.store.commit(
    parts.map(({ part, wire }): Write => ["addPart", entry.seq, part, JSON.stringify(wire ?? null)]),
  );
  // Where the network cannot be asked, it goes out again, and is counted.
  return { parts, inDoubt: inDoubt && !runtime.handlers.findSent };
}

async function cut(
  runtime: BridgeRuntime,
  { base, link }: MessageSource,
  message: Message,
): Promise<readonly unknown[]> {
  const [content] = message.contents;
  if (!runtime.handlers.split || !content) return message.contents;
  const { replyTo, thread, correction } = message;
  const effect = effectIdOf(runtime.name, "message", link.channel, base.event, 0);
  return runtime.handlers.split({
    ...base,
    effect,
    content,
    ...(replyTo && { replyTo }),
    ...(thread && { thread }),
    ...(correction && { correction }),
  });
}

async function storedParts(runtime: BridgeRuntime, seq: number): Promise<readonly Part[]> {
  const rows = await runtime.store.all<PartRow>(
    "SELECT part, wire, sent, remote FROM part WHERE seq = ? ORDER BY part",
    seq,
  );
  return rows.map((row) => ({
    part: row.part,
    wire: JSON.parse(row.wire) as unknown,
    sent: row.sent === 1,
    remote: row.remote ?? undefined,
  }));
}
