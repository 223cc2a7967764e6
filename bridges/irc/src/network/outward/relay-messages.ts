import type { Author } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import { cutToBytes, wellFormed } from "../../wire/sanitise.js";
import type { IrcNetwork } from "../irc-network.js";

const CAPABILITY = "draft/relaymsg";
/** What a server without a list of its own takes between name and network. */
const SEPARATOR = "/";
/** A channel in which the bot may not is tried again after so long: it may have become an operator. */
const REFUSED_FOR_MS = 600_000;
const MOST_REFUSED = 1_000;

/** The characters that must stand in a relayed nick, as the server offered them; `undefined` where it relays nothing. */
function separatorsOf(capabilities: ReadonlySet<string>): string | undefined {
  if (!capabilities.has(CAPABILITY)) return undefined;
  const offered = [...capabilities].find((each) => each.startsWith(`${CAPABILITY}=`));
  return offered?.slice(CAPABILITY.length + 1) || SEPARATOR;
}

/**
 * The nick under which a server relays what somebody says: of the template, with one of its separators in it, which no
 * nick of a client can have. `undefined` where there can be none.
 */
export function relayNickOf(
  template: string,
  { name, userId }: Pick<Author, "name" | "userId">,
  capabilities: ReadonlySet<string>,
  bytes: number,
): string | undefined {
  const separators = separatorsOf(capabilities);
  const separator = separators?.charAt(0) ?? "";
  if (separators === undefined || separator === "") return undefined;
  const around = template.replaceAll("{separator}", () => separator);
  const room = bytes - Buffer.byteLength(around.replace("{name}", () => ""));
  const localpart = userId.replace(/^@|:.*$/gs, "");
  const base = nickCharacters(name, separators) || nickCharacters(localpart, separators) || "user";
  const cut = cutToBytes(base, Math.max(room, 0));
  const nick = around.replace("{name}", () => cut);
  return cut !== "" && Array.from(separators).some((each) => nick.includes(each)) ? nick : undefined;
}

/** Without what would end the nick, make a mask or a channel of it, or say that it comes from somewhere else. */
function nickCharacters(text: string, separators: string): string {
  return Array.from(wellFormed(text).normalize("NFC").replace(/\s+/gu, "_"))
    .filter((character) => !/[\p{C}!@:,*?+%&~#$."<>]/u.test(character) && !separators.includes(character))
    .join("")
    .replace(/^[-_]+(?=.)|_+$/g, "");
}

/** Who says what the bot says for somebody, where the server can show that (RELAYMSG, `draft/relaymsg`) and lets the bot. */
export class RelayMessages {
  /** Channels in which the bot may not, and until when, by the monotonic clock. */
  readonly #refused = new Map<string, number>();

  constructor(private readonly network: Pick<IrcNetwork, "config">) {}

  /** The nick to relay under in a folded channel; `undefined`: say it as the bot. */
  nickFor({ view }: Connection, channel: string, author: Author): string | undefined {
    const until = this.#refused.get(channel);
    const { relaymsg: template } = this.network.config;
    if (template === undefined || (until !== undefined && performance.now() < until)) return undefined;
    this.#refused.delete(channel);
    return relayNickOf(template, author, view.capabilities, view.isupport.nickLength);
  }

  /** The server did not relay something in a channel. */
  refused(channel: string): void {
    this.#refused.set(channel, performance.now() + REFUSED_FOR_MS);
    if (this.#refused.size <= MOST_REFUSED) return;
    const oldest = this.#refused.keys().next();
    if (!oldest.done) this.#refused.delete(oldest.value);
  }
}
