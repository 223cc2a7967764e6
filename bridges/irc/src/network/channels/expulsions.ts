import type { ConnectorStorage, Logger } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import { withoutCodes } from "../../wire/formatting-codes.js";
import { matchesMask } from "../../wire/mask.js";
import { isServer } from "../../wire/source.js";
import { bannedAccount } from "./ban-masks.js";
import type { Heard, Telling } from "../inward/heard.js";

/** How many bans of Matrix users are remembered, to be lifted with their masks. */
const REMEMBERED = 2_000;

export interface ExpulsionsOptions {
  readonly network: string;
  readonly telling: Telling;
  readonly storage: ConnectorStorage;
  readonly log: Logger;
  /** Every connection of the network, the bot's as well. */
  readonly clients: () => readonly Connection[];
}

/** What the operators of a channel do to Matrix users who have a client there. */
export class Expulsions {
  /** Whom a ban is about, by channel and mask. */
  readonly #banned = new Map<string, string>();
  #writing: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ExpulsionsOptions) {}

  /** Reads what is on disk. */
  async load(): Promise<void> {
    const { storage } = this.options;
    for (const key of await storage.keys(this.#prefix)) {
      const user = await storage.get(key);
      if (user !== undefined) this.#banned.set(key.slice(this.#prefix.length), user);
    }
  }

  kicked(heard: Heard, channel: string, user: string, reason: string | undefined): void {
    this.#tell(heard, channel, user, "kick", reason === heard.source.nick ? undefined : reason);
  }

  /**
   * A mask was banned, or no longer is. One that is about a single Matrix user is about that user; one that is about
   * several, or about the bot, is about the bridge, and nobody is removed from Matrix because of it.
   */
  banned(heard: Heard, channel: string, mask: string, on: boolean): void {
    const { telling } = this.options;
    const key = `${channel} ${heard.connection.view.fold(mask)}`;
    if (!on) {
      const user = this.#banned.get(key);
      if (user === undefined) return;
      this.#forget(key);
      this.#tell(heard, channel, user, "unban", undefined);
      return;
    }
    if (heard.own || !telling.options.isLinked(channel)) return;
    const hit = this.options.clients().filter((client) => isHit(client, mask));
    const [only] = hit;
    if (hit.length !== 1 || only?.role.user === undefined) return;
    this.#remember(key, only.role.user);
    this.#tell(heard, channel, only.role.user, "ban", undefined);
  }

  #tell(
    heard: Heard,
    channel: string,
    userId: string,
    change: "kick" | "ban" | "unban",
    reason: string | undefined,
  ): void {
    const { telling } = this.options;
    if (!telling.options.isLinked(channel)) return;
    telling.emit(heard, {
      kind: "expulsion",
      ...telling.caused(heard, channel, `${heard.scope.id}:${change}:${userId}`),
      userId,
      change,
      ...(!isServer(heard.source) && { by: telling.userOf(heard, heard.source.nick) }),
      ...(reason !== undefined && reason !== "" && { reason: withoutCodes(reason) }),
    });
  }

  #remember(key: string, user: string): void {
    this.#banned.set(key, user);
    this.#write(key, user);
    const oldest = this.#banned.size > REMEMBERED ? this.#banned.keys().next().value : undefined;
    if (oldest !== undefined) this.#forget(oldest);
  }

  #forget(key: string): void {
    this.#banned.delete(key);
    this.#write(key, undefined);
  }

  #write(key: string, user: string | undefined): void {
    const { storage, log } = this.options;
    const name = this.#prefix + key;
    this.#writing = this.#writing
      .then(() => (user === undefined ? storage.delete(name) : storage.set(name, user)))
      .catch((error: unknown) => log.warn({ err: error }, "a ban of a Matrix user could not be stored"));
  }

  get #prefix(): string {
    return `ban:${this.options.network}/`;
  }
}

function isHit({ view, role }: Connection, mask: string): boolean {
  const account = bannedAccount(view.isupport, mask);
  if (account !== undefined) return role.account !== undefined && view.fold(role.account) === view.fold(account);
  // Anything else with a colon or a dollar sign before the nick is a ban of another kind.
  if (/^([$~]|[A-Za-z]+:)/.test(mask) || !mask.includes("!")) return false;
  const { user = "*", host = "*" } = view.address;
  return matchesMask(view.fold(mask), view.fold(`${view.nick}!${user}@${host}`));
}
