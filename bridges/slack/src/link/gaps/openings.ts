import type { ChannelId, ConnectorStorage, Logger } from "@trestle/core";
import { LRUCache } from "lru-cache";
import { channelIdOf } from "../../ids.js";
import type { Ledger } from "./ledger.js";
import type { Repairs } from "./repairs.js";
import { Unheard, type UnheardOptions } from "./unheard.js";

export interface OpeningsOptions extends Pick<UnheardOptions, "listeners" | "profile"> {
  readonly storage: Pick<ConnectorStorage, "get" | "set">;
  readonly ledger: Pick<Ledger, "begin">;
  readonly repairs: Pick<Repairs, "follows" | "watch">;
  readonly log: Logger;
  readonly now?: () => number;
}

const heardKey = "heard";
/** So often it is written down when Slack was heard last. */
const noteMs = 10_000;

/**
 * Conversations that nobody follows yet. One that began while nobody listened is noticed with its next message, and then
 * looked through from when Slack was heard last, before that message; or `unheard` finds it first.
 */
export class Openings {
  #since: number | undefined;
  #heardAt: number | undefined;
  #notedAt = 0;
  readonly #ended = new LRUCache<ChannelId, number>({ max: 10_000 });
  /** Those of which the first is on its way. */
  readonly #pending = new Map<ChannelId, Promise<void>>();
  readonly #now: () => number;
  readonly #unheard: Unheard;
  #isListening = false;

  constructor(readonly options: OpeningsOptions) {
    this.#now = options.now ?? Date.now;
    this.#unheard = new Unheard({ ...options, openings: this });
  }

  async load(): Promise<void> {
    const noted = Number(await this.options.storage.get(heardKey));
    this.#since = this.#heardAt = noted > 0 ? noted : undefined;
  }

  /** When Slack was heard last before the last outage, in milliseconds since 1970; `undefined` where it never was. */
  get since(): number | undefined {
    return this.#since;
  }

  /** Slack can hand over what happens: what comes from now on is not missed. */
  listens(): void {
    this.#isListening = true;
    this.heard();
    this.#unheard.want();
  }

  /** Who signed in there can be asked for. */
  workspaceKnown(): void {
    if (this.#isListening) this.#unheard.want();
  }

  /** Something came from Slack. */
  heard(): void {
    const now = this.#now();
    this.#heardAt = now;
    if (now - this.#notedAt < noteMs) return;
    this.#notedAt = now;
    this.options.storage.set(heardKey, String(now)).catch((error: unknown) => {
      this.#notedAt = 0;
      this.options.log.warn({ err: error }, "When Slack was heard last could not be written down");
    });
  }

  /** What was said since Slack was heard last may never come. */
  outage(): void {
    this.#since = this.#heardAt ?? this.#since;
    if (this.#isListening) this.#unheard.want();
  }

  close(): Promise<void> {
    return this.#unheard.close();
  }

  /** A conversation is over: what was said in it was told, or is for nobody. */
  ended(channel: ChannelId): void {
    this.#ended.set(channel, this.#now());
  }

  /**
   * Resolves when what was missed in a conversation has its place before what is heard in it now; `undefined` where nothing
   * can have been missed.
   *
   * @param heardSince when somebody here began to take part, in milliseconds since 1970; `undefined` where nobody does
   * @param missedSince from when on, in milliseconds since 1970; before the last outage where absent
   */
  open(
    team: string,
    slackId: string,
    heardSince: () => Promise<number | undefined>,
    missedSince = this.#since,
  ): Promise<void> | undefined {
    const channel = channelIdOf({ team, channel: slackId });
    // What comes next must not overtake it.
    const pending = this.#pending.get(channel);
    if (pending) return pending;
    if (missedSince === undefined || this.options.repairs.follows(channel)) return undefined;
    const since = Math.max(missedSince, this.#ended.get(channel) ?? 0);
    const opening = (async () => {
      const from = await heardSince();
      if (from === undefined) return;
      await this.options.ledger.begin(channel, Math.max(since, from));
      await this.options.repairs.watch(team, slackId);
    })().finally(() => this.#pending.delete(channel));
    this.#pending.set(channel, opening);
    return opening;
  }
}
