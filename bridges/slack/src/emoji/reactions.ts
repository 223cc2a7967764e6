import { emojiOfName, nameOfEmoji } from "./standard.js";

/**
 * The Matrix reaction key of a Slack reaction: the emoji itself, with variation selectors, or `:name:` for an emoji of
 * the workspace's own that is no `alias` of one.
 */
export function reactionKeyOf(name: string, alias?: string): string {
  return emojiOfName(name) ?? (alias === undefined ? undefined : emojiOfName(alias)) ?? `:${baseNameOf(name)}:`;
}

/** Without a skin tone. */
export function baseNameOf(name: string): string {
  return name.split("::", 1)[0] ?? name;
}

/**
 * The name that `reactions.add` takes for a Matrix reaction key: an emoji with or without variation selectors, or
 * `:name:` of a standard emoji or one that `isCustom` knows. `undefined` for what Slack has no reaction for, such as a
 * text.
 */
export function reactionNameOf(key: string, isCustom: (name: string) => boolean = () => false): string | undefined {
  const standard = nameOfEmoji(key);
  if (standard !== undefined) return standard;
  const name = /^:([^\s:]{1,100}(?:::skin-tone-[2-6](?:-[2-6])?)?):$/u.exec(key)?.[1];
  if (name === undefined) return undefined;
  return isCustom(name) || emojiOfName(name) !== undefined ? name : undefined;
}
