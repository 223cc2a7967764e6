/**
 * Whether a text matches a mask with `*` (any characters, also none) and `?` (one character), both folded by the caller.
 * In at most length × length steps, whatever the mask.
 */
export function matchesMask(mask: string, text: string): boolean {
  let [atMask, atText, star, resume] = [0, 0, -1, 0];
  while (atText < text.length) {
    const wanted = mask[atMask];
    if (wanted === "*") {
      star = atMask++;
      resume = atText;
    } else if (wanted !== undefined && (wanted === "?" || wanted === text[atText])) {
      atMask++;
      atText++;
    } else if (star !== -1) {
      atMask = star + 1;
      atText = ++resume;
    } else return false;
  }
  while (mask[atMask] === "*") atMask++;
  return atMask === mask.length;
}
