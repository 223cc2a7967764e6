/** How names are compared: `ascii` folds A-Z, `rfc1459` also `[]\~` to `{}|^`, `rfc1459-strict` all of these but `~`. */
export type CaseMapping = "ascii" | "rfc1459" | "rfc1459-strict";

export function foldName(name: string, mapping: CaseMapping): string {
  const lower = name.replace(/[A-Z]/g, (char) => char.toLowerCase());
  if (mapping === "ascii") return lower;
  const brackets = lower.replace(/[[\]\\]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 32));
  return mapping === "rfc1459" ? brackets.replaceAll("~", "^") : brackets;
}

const NICK = /^[A-Za-z[\]\\`_^{|}][A-Za-z0-9[\]\\`_^{|}-]*$/;

export function isNick(nick: string, maxLength: number): boolean {
  return nick.length <= maxLength && NICK.test(nick);
}

export function isChannelName(name: string, maxLength: number): boolean {
  // eslint-disable-next-line no-control-regex -- BEL and NUL are what RFC 1459 forbids here
  return name.length > 1 && name.length <= maxLength && /^[#&][^\x00\x07\r\n ,:]+$/.test(name);
}

/** Whether a mask with `*` and `?` covers the whole of `text`. Linear in practice: no regular expression is built. */
export function matchesMask(mask: string, text: string): boolean {
  let at = 0;
  let inMask = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const wanted = mask[inMask];
    if (wanted === "*") {
      star = inMask;
      resume = at;
      inMask += 1;
    } else if (wanted === "?" || wanted === text[at]) {
      inMask += 1;
      at += 1;
    } else if (star >= 0) {
      inMask = star + 1;
      resume += 1;
      at = resume;
    } else {
      return false;
    }
  }
  while (mask[inMask] === "*") inMask += 1;
  return inMask === mask.length;
}
