import type { NetworkConfig } from "../../config.js";
import type { Role } from "../../session/state.js";
import { transliterate } from "../nicks/transliteration.js";
import { hostWordOf } from "./user-address.js";

const ID_LENGTH = 8;

/**
 * The user name (ident) of a connection: that of the bot, or what the template makes of a Matrix user. `key`: what short
 * words for users are made with; `length`: how long the server lets it be.
 */
export function usernameOf(
  { username, puppetUsername }: NetworkConfig,
  { user }: Pick<Role, "user">,
  { key, length }: { readonly key: Uint8Array; readonly length: number },
): string {
  if (user === undefined || puppetUsername === undefined) return username;
  const id = `m${hostWordOf(key, user).slice(0, Math.min(ID_LENGTH, length) - 1)}`;
  const localpart = plain(user.replace(/^@|:.*$/gs, ""));
  const name = plain(
    puppetUsername.replaceAll("{localpart}", () => localpart || id).replaceAll("{id}", () => id),
  ).slice(0, length);
  return name || id;
}

/** What servers let pass: they cut at, or refuse, anything else. */
function plain(text: string): string {
  return transliterate(text)
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, "")
    .replace(/^[._-]+/, "");
}
