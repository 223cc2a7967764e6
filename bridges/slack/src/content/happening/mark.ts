import { createHash } from "node:crypto";
import { isRecord, type JsonRecord } from "../json.js";
import type { SlackMessage } from "../message.js";
import { isPreview } from "../read/attachments.js";

/** Ids that Slack makes anew, and sizes that it measures later, without anything having changed. */
const passing: ReadonlySet<string> = new Set([
  "block_id",
  "id",
  "action_id",
  "image_width",
  "image_height",
  "image_bytes",
  "thumb_width",
  "thumb_height",
]);

/** Deeper than any message is; what is nested further is not looked at. */
const maxDepth = 64;

/** 60 bits, as base64url. */
const markLength = 10;

/**
 * A short text that is the same where a message says the same, and another one otherwise: in an event as in a history,
 * whatever Slack added of its own.
 */
export function markOf(message: SlackMessage): string {
  const { text, blocks } = message;
  const content = settled([text, blocks, ownAttachments(message), [...presentFiles(message)].sort()]);
  return createHash("sha256").update(content).digest("base64url").slice(0, markLength);
}

/** Whether two values of Slack's JSON say the same. */
export function saysTheSame(a: unknown, b: unknown): boolean {
  return settled(a) === settled(b);
}

/** What was attached on purpose: no previews of links. */
export function ownAttachments(message: SlackMessage): readonly JsonRecord[] {
  return message.attachments.filter((one) => !isPreview(one));
}

/** Ids of files that are there to be had. */
export function presentFiles(message: SlackMessage): ReadonlySet<string> {
  return new Set(message.files.flatMap(({ id, mode }) => (id === undefined || mode === "tombstone" ? [] : [id])));
}

/** JSON with its names in one order and without what passes. */
function settled(value: unknown, depth = maxDepth): string {
  if (depth === 0) return '"…"';
  if (Array.isArray(value)) return `[${value.map((each) => settled(each, depth - 1)).join(",")}]`;
  if (!isRecord(value)) return JSON.stringify(value ?? null);
  const fields = Object.keys(value)
    .filter((name) => !passing.has(name) && value[name] !== undefined && value[name] !== null)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${settled(value[name], depth - 1)}`);
  return `{${fields.join(",")}}`;
}
