import { UserId } from "@trestle/core";
import { localOfRoom, localOfUser } from "../address/index.js";
import { RoomAlias } from "@trestle/core";

/** Of so many characters a Matrix id is at most. */
const longestId = 255;

/** The address on XMPP of what somebody on XMPP types of Matrix: a user `@alice:example.org`, a room `#chat:example.org`, or a link to either. `undefined` where it is neither. */
export function addressOfTyped(
  typed: string,
  domain: string,
): { readonly jid: string; readonly name: string } | undefined {
  const id = idIn(typed.trim());
  if (id === undefined || Buffer.byteLength(id) > longestId) return undefined;
  const local = id.startsWith("@") ? localOfUser(UserId(id)) : localOfRoom(RoomAlias(id));
  return { jid: `${local}@${domain}`, name: id };
}

function idIn(typed: string): string | undefined {
  const link = /^https:\/\/matrix\.to\/#\/([^/?]+)/.exec(typed)?.[1] ?? /^matrix:(u|r)\/([^/?]+)/.exec(typed);
  const text =
    typeof link === "string" ? decoded(link) : link ? `${link[1] === "u" ? "@" : "#"}${decoded(link[2] ?? "")}` : typed;
  return /^[@#][^\s:]+:[^\s:/@#]+(?::\d+)?$/.exec(text)?.[0];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded: as it stands.
    return text;
  }
}
