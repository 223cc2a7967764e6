/** A stretch of text, linked where it has a URL. */
export interface Stretch {
  readonly text: string;
  readonly url?: string;
}

/** Up to white space, quotes, brackets of markup, and anything invisible. */
const candidate = /https?:\/\/[^\s<>"'`|\\^{}\p{Cc}\p{Cf}\p{Z}]+/giu;

/** Finds what somebody wrote as a URL, for in blocks Slack links nothing by itself. */
export function linkUrls(text: string): Stretch[] {
  const stretches: Stretch[] = [];
  let at = 0;
  for (const { 0: found, index } of text.matchAll(candidate)) {
    const url = withoutTrailing(found);
    if (/^https?:\/\/$/i.test(url) || /[\p{L}\p{N}_]/u.test(text.charAt(index - 1))) continue;
    if (index > at) stretches.push({ text: text.slice(at, index) });
    stretches.push({ text: url, url });
    at = index + url.length;
  }
  if (at < text.length) stretches.push({ text: text.slice(at) });
  return stretches;
}

/** Without the punctuation of the sentence, and without a closing bracket that was opened before the URL. */
function withoutTrailing(url: string): string {
  let end = url.length;
  let open = (url.match(/\(/g) ?? []).length - (url.match(/\)/g) ?? []).length;
  for (; end > 0; end--) {
    const last = url.charAt(end - 1);
    if (last === ")" && open < 0) open++;
    else if (!/[.,:;!?*_~\]}]/.test(last)) break;
  }
  return url.slice(0, end);
}
