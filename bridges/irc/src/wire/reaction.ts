import type { Tags } from "./message.js";

/** A reaction to a message, added or taken back. IRCv3 client tags `react`, `unreact` and `reply`. */
export interface Reaction {
  readonly change: "react" | "unreact";
  /** The `msgid` of the message. */
  readonly target: string;
  readonly key: string;
}

/** `undefined` where the tags hold none, or both kinds at once. */
export function reactionOf(tags: ReadonlyMap<string, string>): Reaction | undefined {
  const target = replyTargetOf(tags);
  const [added, removed] = [clientTag(tags, "react"), clientTag(tags, "unreact")];
  if (target === undefined || (added !== undefined && removed !== undefined)) return undefined;
  if (added !== undefined) return { change: "react", target, key: added };
  return removed === undefined ? undefined : { change: "unreact", target, key: removed };
}

/** The `msgid` of the message that this one answers. */
export function replyTargetOf(tags: ReadonlyMap<string, string>): string | undefined {
  return clientTag(tags, "reply");
}

export function reactionTags({ change, target, key }: Reaction): Tags {
  return { ...replyTags(target), [`+draft/${change}`]: key };
}

export function replyTags(target: string): Tags {
  return { "+draft/reply": target };
}

/** A tag without a value counts as absent. */
function clientTag(tags: ReadonlyMap<string, string>, name: string): string | undefined {
  return tags.get(`+draft/${name}`) || tags.get(`+${name}`) || undefined;
}
