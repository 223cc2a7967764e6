import type { SlackText } from "./message.js";

/** What makes the messages of a text into those of its new version. */
export interface EditPlan {
  /** For `chat.update`, in order. */
  readonly update: readonly { readonly ts: string; readonly message: SlackText }[];
  /** To be posted behind them: the new version needs more messages. */
  readonly post: readonly SlackText[];
  /** To be deleted: it needs fewer. */
  readonly remove: readonly string[];
}

/** Puts the parts of a new version in the place of those of the old one, given by their `ts` in order. */
export function planEdit(old: readonly string[], parts: readonly SlackText[]): EditPlan {
  return {
    update: parts.flatMap((message, index) => {
      const ts = old[index];
      return ts === undefined ? [] : [{ ts, message }];
    }),
    post: parts.slice(old.length),
    remove: old.slice(parts.length),
  };
}
