/**
 * Whether a connection that ended is worth another try: `soon` after the usual waits, `late` after what the server asks
 * for, `never` before somebody has looked at it. (Even then it is tried again after a long while: bans end.)
 */
export type Worth = "soon" | "late" | "never";

/** What servers write with `ERROR` and `465`: they have no codes for it, but a few families of words. */
const NEVER =
  /\b(?:[KGDZQ]-?:?lined?|akill|autokill|(?:perm(?:anently)? |you are |you're )banned|banned from|not authori[sz]ed|unauthori[sz]ed|bad password|password (?:mismatch|incorrect)|access denied|no authorization|client certificate required)\b/i;
const LATE =
  /throttl|too (?:fast|many)|(?:wait|try again) (?:a|an|in|later)|connection limit|clone|max(?:imum)? (?:number of )?(?:connections|sessions)|no more connections|server (?:is )?full|dnsbl|blacklist/i;

/** Reads the text of an `ERROR`, or why the connection could not be made. */
export function worthOf(reason: string): Worth {
  if (NEVER.test(reason)) return "never";
  return LATE.test(reason) ? "late" : "soon";
}

/** Whether the server has cut us off because we wrote too fast. */
export function isFlooded(reason: string): boolean {
  return /excess flood|recvq exceeded|max recvq|flooding|input flood/i.test(reason);
}
