import { isRecord, type JsonRecord } from "../json.js";
import type { SlackMessage } from "../message.js";
import { isPreview } from "../read/attachments.js";

/** What is different between two states of a message. */
export interface Difference {
  /** The text, the blocks or what an app attached. */
  readonly text: boolean;
  /** Only Slack's previews of links. */
  readonly previews: boolean;
  /** Ids of files that were there before. */
  readonly removedFiles: readonly string[];
  readonly addedFiles: boolean;
}

export function compareMessages(before: SlackMessage, after: SlackMessage): Difference {
  const own = (message: SlackMessage): readonly JsonRecord[] => message.attachments.filter((one) => !isPreview(one));
  const text =
    before.text !== after.text || !sameJson(before.blocks, after.blocks) || !sameJson(own(before), own(after));
  const present = new Set(presentFiles(after));
  const past = new Set(presentFiles(before));
  return {
    text,
    previews: !sameJson(before.attachments, after.attachments),
    removedFiles: [...past].filter((id) => !present.has(id)),
    addedFiles: [...present].some((id) => !past.has(id)),
  };
}

function presentFiles(message: SlackMessage): string[] {
  return message.files.flatMap(({ id, mode }) => (id === undefined || mode === "tombstone" ? [] : [id]));
}

/** Deeper than any message is; what is nested further counts as different. */
const maxDepth = 64;

/** Ids that Slack makes anew without anything having changed. */
const passing: ReadonlySet<string> = new Set(["block_id", "id", "action_id"]);

function sameJson(a: unknown, b: unknown, depth = maxDepth): boolean {
  if (a === b) return true;
  if (depth === 0) return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => sameJson(value, b[index], depth - 1));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)].filter((name) => !passing.has(name)));
  return [...names].every((name) => sameJson(a[name], b[name], depth - 1));
}
