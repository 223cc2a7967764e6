import { RoomAlias, RoomId, UserId } from "@trestle/core";
import { decodeText, encodeText } from "./escape.js";

/**
 * The local part of the XMPP address of a Matrix user: `@alice:example.org` is `alice_example.org`. Every user id has
 * one, no two have the same, and no server rewrites or refuses it: at most 765 characters of ASCII. For plain user ids it
 * is what matrix-bifrost uses. Throws a `RangeError` for what is no user id.
 */
export function localOfUser(user: UserId): string {
  const { name, server } = taken(user, "@");
  return `${encodeText(name)}_${encodeText(server, "_")}`;
}

/** The Matrix user whom a local part stands for; `undefined` where it is nobody's. */
export function userOfLocal(local: string): UserId | undefined {
  const split = local.lastIndexOf("_");
  if (split === -1) return undefined;
  const name = decodeText(local.slice(0, split));
  const server = decodeText(local.slice(split + 1), "_");
  if (name === undefined || server === undefined || server === "" || name.includes(":")) return undefined;
  return UserId(`@${name}:${server}`);
}

/**
 * The local part of the address of a Matrix room: `#chat:example.org` is `#chat#example.org`, as matrix-bifrost has it;
 * a room id `!opaque` is `!opaque`, escaped. Throws a `RangeError` for what is neither.
 */
export function localOfRoom(room: RoomAlias | RoomId): string {
  if (room.startsWith("!") && room.length > 1) return `!${encodeText(room.slice(1))}`;
  const { name, server } = taken(room, "#");
  return `#${encodeText(name)}#${encodeText(server)}`;
}

/** The room that a local part stands for; `undefined` where it is none's. */
export function roomOfLocal(local: string): { readonly alias: RoomAlias } | { readonly roomId: RoomId } | undefined {
  if (local.startsWith("!")) {
    const opaque = decodeText(local.slice(1));
    return opaque === undefined || opaque === "" ? undefined : { roomId: RoomId(`!${opaque}`) };
  }
  const split = local.lastIndexOf("#");
  if (!local.startsWith("#") || split === 0) return undefined;
  const name = decodeText(local.slice(1, split));
  const server = decodeText(local.slice(split + 1));
  if (name === undefined || server === undefined || server === "" || name.includes(":")) return undefined;
  return { alias: RoomAlias(`#${name}:${server}`) };
}

function taken(id: string, sigil: "@" | "#"): { readonly name: string; readonly server: string } {
  const colon = id.indexOf(":");
  const server = id.slice(colon + 1);
  if (!id.startsWith(sigil) || colon === -1 || server === "")
    throw new RangeError(`${JSON.stringify(id)} is no Matrix id of the form ${sigil}name:server`);
  return { name: id.slice(1, colon), server };
}
