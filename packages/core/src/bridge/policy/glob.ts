const star = 42;
const questionMark = 63;

/**
 * Whether all of a text is what a glob describes: `*` is any number of characters, `?` exactly one (Matrix specification,
 * appendix "Glob-style matching"). Globs come from strangers: the time is bounded by the product of the two lengths.
 */
export function globMatches(glob: string, text: string): boolean {
  let [at, from] = [0, 0];
  // Where to go on after the latest star, were it one character longer.
  let [afterStar, starUpTo] = [-1, 0];
  while (from < text.length) {
    const code = glob.charCodeAt(at);
    if (code === star) {
      at += 1;
      [afterStar, starUpTo] = [at, from];
    } else if (code === questionMark) {
      at += 1;
      from += widthAt(text, from);
    } else if (code === text.charCodeAt(from)) {
      at += 1;
      from += 1;
    } else if (afterStar >= 0) {
      starUpTo += 1;
      [at, from] = [afterStar, starUpTo];
    } else return false;
  }
  while (glob.charCodeAt(at) === star) at += 1;
  return at === glob.length;
}

export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

/** A character outside the Basic Multilingual Plane is two code units. */
function widthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}
