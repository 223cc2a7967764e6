/** The JID without its resource. As servers write JIDs: nothing is prepared or checked. */
export function bareOf(jid: string): string {
  const slash = jid.indexOf("/");
  return slash < 0 ? jid : jid.slice(0, slash);
}

/** Whether both are the same account or room, by their bare JIDs as servers write them, in whatever case. */
export function sameBare(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && bareOf(one).toLowerCase() === bareOf(other).toLowerCase();
}

/** Whether this is a bare JID: of an account, a room or a server rather than of a client or an occupant. */
export function isBare(jid: string): boolean {
  return !jid.includes("/");
}

/** The JID of an `xmpp:` URI (RFC 5122), its query left out; `undefined` where it is none. */
export function jidOfUri(uri: string): string | undefined {
  const path = /^xmpp:(?:\/\/[^/?#]*\/)?([^?#]+)/i.exec(uri)?.[1];
  if (path === undefined || path.length > 4_096) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    // Not percent-encoded UTF-8, so nobody's JID.
    return undefined;
  }
}

/** The `xmpp:` URI of a JID (RFC 5122). */
export function uriOfJid(jid: string): string {
  const [slash, at] = [jid.indexOf("/"), jid.indexOf("@")];
  const bare = slash < 0 ? jid : jid.slice(0, slash);
  const node = at >= 0 && at < bare.length ? `${encode(bare.slice(0, at))}@` : "";
  const domain = encode(node === "" ? bare : bare.slice(at + 1));
  return `xmpp:${node}${domain}${slash < 0 ? "" : `/${encode(jid.slice(slash + 1))}`}`;
}

/** A lone surrogate has no percent-encoding. */
function encode(part: string): string {
  return encodeURIComponent(part.toWellFormed()).replace(/%(?:3A|5B|5D|21|24)/gi, decodeURIComponent);
}
