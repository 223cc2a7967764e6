import type { Network, NetworkEvent } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import { channelIdOf } from "../ids.js";
import { Outage } from "./outage.js";

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
  /** After so long without the network the rooms are told, in milliseconds; 0: never. */
  readonly outageNoticeMs: number;
  /** Passes events on, behind all that was heard; `told` resolves to `true` when they are on disk. */
  readonly tell: (events: readonly NetworkEvent[]) => void;
  readonly told: () => Promise<boolean>;
}

/** Keeps the bot in the channels that are linked. */
export class BotChannels {
  readonly #linked = new Set<string>();
  readonly #retries = new Map<string, NodeJS.Timeout>();

  readonly #outage: Outage;

  constructor(private readonly options: BotChannelsOptions) {
    const { network, core, tell, told, outageNoticeMs: tellAfterMs } = options;
    const { storage, log } = core;
    this.#outage = new Outage({ network, tellAfterMs, storage, log, linked: () => this.#linked, tell, told });
  }

  /** Reads what is on disk. */
  load(): Promise<void> {
    return this.#outage.load();
  }

  isLinked(channel: string): boolean {
    return this.#linked.has(channel);
  }

  /** Folded. */
  get linked(): readonly string[] {
    return [...this.#linked];
  }

  /** Whether a channel is linked that the bot is still to come into; not where it was refused, and waits to try again. */
  isComingInto(channel: string): boolean {
    const isThere = this.options.bot()?.view.channels.has(channel) === true;
    return this.#linked.has(channel) && !isThere && !this.#retries.has(channel);
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
    this.#outage.back();
    for (const channel of this.#linked) this.#join(channel);
    const asked = this.options.asked();
    for (const channel of asked) void bot.join(channel);
    for (const channel of [...bot.view.channels.keys()]) {
      if (!this.#linked.has(channel) && !asked.includes(channel)) bot.part(channel, UNLINKED);
    }
  }

  /** The bot's connection ended: nobody hears the channels until it is back. */
  lost(reason: string): void {
    this.#outage.away(reason);
    for (const channel of this.#linked) this.#report(channel, "waiting", reason);
  }

  /** Somebody invites the bot: it comes where it has to be. `false`: it has no business there. */
  invited(channel: string): boolean {
    if (this.#linked.has(channel)) {
      clearTimeout(this.#retries.get(channel));
      this.#retries.delete(channel);
      this.#join(channel);
      return true;
    }
    if (!this.options.asked().includes(channel)) return false;
    void this.options.bot()?.join(channel);
    return true;
  }

  kicked(channel: string, by: string, reason: string): void {
    this.#trouble(channel, `the bot was kicked by ${by}${reason === "" ? "" : `: ${reason}`}`, KICKED_REJOIN_MS);
  }

  removed(channel: string, reason: string): void {
    this.#trouble(channel, `the bot was made to leave${reason === "" ? "" : `: ${reason}`}`, KICKED_REJOIN_MS);
  }

  close(): void {
    this.#outage.close();
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
