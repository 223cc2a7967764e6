const longestName = 80;

/**
 * What Slack calls a channel that is to be called so: lower case, without spaces and punctuation but `-` and `_`, at
 * most 80 characters. `undefined` where nothing is left of it.
 */
export function channelNameOf(text: string): string | undefined {
  const name = Array.from(
    text
      .normalize("NFC")
      .trim()
      .replace(/^#/, "")
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}_-]+/gu, "-")
      .replace(/-{2,}/g, "-"),
  )
    .slice(0, longestName)
    .join("")
    .replace(/^-|-$/g, "");
  return /[\p{L}\p{N}]/u.test(name) ? name : undefined;
}
