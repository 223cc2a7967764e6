/** An XMPP address, taken apart (RFC 6122). */
export interface Jid {
  readonly local?: string;
  readonly domain: string;
  readonly resource?: string;
}

const LONGEST_PART = 1023;
// nodeprep prohibits these (RFC 6122 appendix A.5), and no part may hold spaces or control characters of ASCII.
const NOT_IN_LOCAL = /["&'/:<>@\s\p{Cc}]/u;
// Host names with any letters, addresses, and IPv6 in brackets.
const DOMAIN = /^(?:\[[0-9A-Fa-f:.]+\]|[\p{L}\p{M}\p{N}._-]+)$/u;
const NOT_IN_RESOURCE = /[\p{Cc}\p{Cs}]/u;

/** Addresses that were taken apart lately: each stanza has the same two, and they are looked at many times. */
const lately = new Map<string, Jid>();
const MOST_LATELY = 2_000;
const LONGEST_LATELY = 300;

/**
 * Takes an address apart, `undefined` where it is none. Strict: a second `@` or an empty part make it none. Local part
 * and domain are folded to lower case, as servers do; the resource stands as it is.
 */
export function parseJid(text: string): Jid | undefined {
  const known = lately.get(text);
  if (known !== undefined) return known;
  const jid = takeApart(text);
  if (jid === undefined || text.length > LONGEST_LATELY) return jid;
  if (lately.size >= MOST_LATELY) lately.clear();
  lately.set(text, jid);
  return jid;
}

function takeApart(text: string): Jid | undefined {
  const slash = text.indexOf("/");
  const bare = slash === -1 ? text : text.slice(0, slash);
  const at = bare.indexOf("@");
  const local = at === -1 ? undefined : fold(bare.slice(0, at));
  // A name may end with the dot of the root, which is no part of it (RFC 6122 §2.2).
  const domain = fold(bare.slice(at + 1)).replace(/\.$/, "");
  if (!DOMAIN.test(domain) || Buffer.byteLength(domain) > LONGEST_PART) return undefined;
  if (local !== undefined && (!isPart(local) || NOT_IN_LOCAL.test(local))) return undefined;
  if (slash === -1) return { domain, ...(local !== undefined && { local }) };
  const resource = text.slice(slash + 1);
  if (!isPart(resource) || NOT_IN_RESOURCE.test(resource)) return undefined;
  return { domain, ...(local !== undefined && { local }), resource };
}

/** Puts an address together. */
export function formatJid({ local, domain, resource }: Jid): string {
  const bare = local === undefined ? domain : `${local}@${domain}`;
  return resource === undefined ? bare : `${bare}/${resource}`;
}

/** The address without its resource; `undefined` where it is no address. */
export function bareJidOf(text: string): string | undefined {
  const jid = parseJid(text);
  return jid && bareOf(jid);
}

/** The address without its resource. */
export function bareOf({ local, domain }: Jid): string {
  return local === undefined ? domain : `${local}@${domain}`;
}

/** Whether two addresses are the same to servers; what is no address is the same as nothing. */
export function sameJid(one: string, other: string): boolean {
  if (one === other && one !== "") return true;
  const [first, second] = [parseJid(one), parseJid(other)];
  return first !== undefined && second !== undefined && formatJid(first) === formatJid(second);
}

function isPart(part: string): boolean {
  return part !== "" && part.isWellFormed() && Buffer.byteLength(part) <= LONGEST_PART;
}

/** Close to what nodeprep and nameprep make of it, and the same again when it is folded again. */
function fold(part: string): string {
  return part.normalize("NFKC").toLowerCase().normalize("NFKC");
}
