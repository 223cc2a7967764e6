/** A correction longer than this, or one that changes most of the text, is told as the whole new text. */
const MOST_CHANGED = 0.6;
const LONGEST = 200;

/**
 * An edit as people on IRC write it, `s/teh/the/`: the one place that changed, with as many words around it as it takes
 * to find it. The empty string where nothing changed; `undefined` where the whole text is easier to read.
 */
export function correctionOf(before: string, after: string): string | undefined {
  if (before === after) return "";
  if (/[\r\n]/.test(before + after)) return undefined;
  const [old, now] = [wordsOf(before), wordsOf(after)];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  const changed = now.slice(start, now.length - end).join("").length;
  if (after === "" || changed > after.length * MOST_CHANGED) return undefined;
  const place = findable({ before, old, now, start, end });
  if (!place) return undefined;
  const separator = ["/", "|", "#", "~"].find((each) => !place.was.includes(each) && !place.is.includes(each));
  if (separator === undefined) return undefined;
  const told = `s${separator}${place.was}${separator}${place.is}${separator}`;
  // Where the correction is no shorter than the text, the text is easier to read.
  return told.length > LONGEST || told.length >= after.length ? undefined : told;
}

interface Change {
  readonly before: string;
  readonly old: readonly string[];
  readonly now: readonly string[];
  /** How many words are the same before the change, and after it. */
  readonly start: number;
  readonly end: number;
}

/** Widens the change word by word until what was there occurs once in the text. */
function findable({ before, old, now, ...change }: Change): { readonly was: string; readonly is: string } | undefined {
  let { start, end } = change;
  for (;;) {
    const was = old
      .slice(start, old.length - end)
      .join("")
      .trim();
    const is = now
      .slice(start, now.length - end)
      .join("")
      .trim();
    if (was !== "" && was !== is && before.indexOf(was) === before.lastIndexOf(was)) return { was, is };
    if (start === 0 && end === 0) return undefined;
    if (start > 0) start--;
    else end--;
  }
}

/** Words and the spaces between them: joined they are the text. */
function wordsOf(text: string): string[] {
  return text.match(/\s+|\S+/g) ?? [];
}
