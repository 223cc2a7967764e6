import type { Network } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import { channelIdOf } from "../ids.js";

/** A channel that could not be joined is tried again after so long. */
const REJOIN_MS = 30_000;
/** A channel the bot was kicked from is joined again after so long. */
const KICKED_REJOIN_MS = 5_000;

/** Said when a channel is left. */
export const UNLINKED = "The bridge to this channel was removed";

export interface BotChannelsOptions {
  readonly network: string;
  readonly core: Network;
  /** The bot's connection, where it is ready. */
  readonly bot: () => Connection | undefined;
  /** The server sends whoever joins `from` to `to` instead. */
  readonly forwarded: (from: string, to: string) => void;
  /** Channels that are not linked yet, whose people have been asked. */
  readonly asked: () => readonly string[];
}

/** Keeps the bot in the channels that are linked. */
export class BotChannels {
  readonly #linked = new Set<string>();
  readonly #retries = new Map<string, NodeJS.Timeout>();

  constructor(private readonly options: BotChannelsOptions) {}

  isLinked(channel: string): boolean {
    return this.#linked.has(channel);
  }

  /** Notes a link of the start; `occupy` follows. */
  expect(channel: string): void {
    this.#linked.add(channel);
  }

  link(channel: string): void {
    this.#linked.add(channel);
    this.#join(channel);
  }

  unlink(channel: string): void {
    this.#report(channel, "closed");
    this.#linked.delete(channel);
    clearTimeout(this.#retries.get(channel));
    this.#retries.delete(channel);
    this.options.bot()?.part(channel, UNLINKED);
  }

  /** Joins what is linked, or is to be if its people agree, and leaves what no longer is. */
  occupy(bot: Connection): void {
    for (const channel of this.#linked) this.#join(channel);
    const asked = this.options.asked();
    for (const channel of asked) void bot.join(channel);
    for (const channel of [...bot.view.channels.keys()]) {
      if (!this.#linked.has(channel) && !asked.includes(channel)) bot.part(channel, UNLINKED);
    }
  }

  /** The bot's connection ended: nobody hears the channels until it is back. */
  lost(reason: string): void {
    for (const channel of this.#linked) this.#report(channel, "waiting", reason);
  }

  kicked(channel: string, by: string, reason: string): void {
    this.#trouble(channel, `the bot was kicked by ${by}${reason === "" ? "" : `: ${reason}`}`, KICKED_REJOIN_MS);
  }

  close(): void {
    for (const timer of this.#retries.values()) clearTimeout(timer);
    this.#linked.clear();
  }

  #join(channel: string): void {
    const bot = this.options.bot();
    if (!bot) return;
    void bot.join(channel).then((outcome) => {
      if (outcome.joined) this.#report(channel, "connected");
      else if (outcome.forwardedTo !== undefined && this.#linked.has(channel))
        this.options.forwarded(channel, outcome.forwardedTo);
      else if (bot === this.options.bot()) this.#trouble(channel, `cannot join: ${outcome.reason}`, REJOIN_MS);
    });
  }

  #trouble(channel: string, detail: string, retryMs: number): void {
    if (!this.#linked.has(channel)) return;
    this.options.core.log.warn({ network: this.options.network, channel }, detail);
    this.#report(channel, "failed", detail);
    clearTimeout(this.#retries.get(channel));
    this.#retries.set(
      channel,
      setTimeout(() => {
        this.#retries.delete(channel);
        if (this.#linked.has(channel)) this.#join(channel);
      }, retryMs),
    );
  }

  #report(channel: string, state: "connected" | "waiting" | "failed" | "closed", detail?: string): void {
    if (!this.#linked.has(channel)) return;
    const connection = channelIdOf(this.options.network, channel);
    this.options.core.report({ connection, state, ...(detail === undefined ? {} : { detail }) });
  }
}
