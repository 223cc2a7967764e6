/** How many aliases of aliases are followed; Slack itself allows one. */
const maxAliases = 16;

/** What a name of a workspace's own stands for: a picture, or one of Slack's standard names. */
export type CustomEmoji =
  { readonly kind: "image"; readonly url: string } | { readonly kind: "alias"; readonly of: string };

/**
 * Looks a name up in what `emoji.list` gave: name → URL of the picture, or `alias:` and another name. Chains of aliases
 * are followed to their end; `undefined` for unknown names, circles and anything that is no URL of the web.
 */
export function customEmojiOf(list: ReadonlyMap<string, string>, name: string): CustomEmoji | undefined {
  let value = list.get(name);
  for (let step = 0; step < maxAliases && value?.startsWith("alias:") === true; step++) {
    const of = value.slice("alias:".length);
    value = list.get(of);
    if (value === undefined) return of === "" ? undefined : { kind: "alias", of };
  }
  return value !== undefined && /^https?:\/\/\S+$/.test(value) ? { kind: "image", url: value } : undefined;
}
