import type { TextContent } from "@trestle/core";
import type { OwnView } from "../../session/own-view.js";
import type { Isupport } from "../../wire/isupport.js";

export type Style = TextContent["style"];

/** RFC 2812 §2.3.1: a host's name has at most 63 bytes. */
const LONGEST_HOST = 63;
/** A puppet that is not connected yet may get another nick than it asks for: a number, or a hash. */
const NICK_SLACK = 5;

/**
 * How many bytes of text fit into one line of a client to `target`, as the others get it: the server puts
 * `:nick!user@host ` before it, and cuts what does not fit.
 */
export function lineBudget(view: OwnView, target: string, style: Style): number {
  const { user, host } = view.address;
  const userBytes = user === undefined ? longestUser(view.isupport) : Buffer.byteLength(user);
  const hostBytes = host === undefined ? LONGEST_HOST : Buffer.byteLength(host);
  return budget(view.isupport, Buffer.byteLength(view.nick) + userBytes + hostBytes, target, style);
}

/** The same for a client that is not connected: the least it can be. */
export function assumedBudget(isupport: Isupport, nick: string, target: string, style: Style): number {
  const nickBytes = Math.max(
    Buffer.byteLength(nick),
    Math.min(isupport.nickLength, Buffer.byteLength(nick) + NICK_SLACK),
  );
  return budget(isupport, nickBytes + longestUser(isupport) + LONGEST_HOST, target, style);
}

/** The same for what the server says for somebody under `nick`, of whose mask nothing else is known. */
export function relayedBudget(isupport: Isupport, nick: string, target: string, style: Style): number {
  return budget(isupport, Buffer.byteLength(nick) + longestUser(isupport) + LONGEST_HOST, target, style);
}

/** With the `~` of a user who was not identified. */
function longestUser(isupport: Isupport): number {
  return isupport.userLength + 1;
}

function budget(isupport: Isupport, mask: number, target: string, style: Style): number {
  const around = ":!@ PRIVMSG  :\r\n".length + (style === "emote" ? "\x01ACTION \x01".length : 0);
  return isupport.lineLength - around - mask - Buffer.byteLength(target);
}
