import type { ChannelId, Logger } from "@trestle/core";
import { z } from "zod";
import { channelIdOf } from "../../ids.js";
import type { HistoryProfile } from "../api/methods.js";
import type { Workspace } from "../installations/workspace.js";
import { tsAt } from "../sending/messages.js";
import { patiently } from "../patience.js";
import { fetchHistory } from "./fetch.js";
import type { Openings } from "./openings.js";
import type { Repairs } from "./repairs.js";

/** Somebody who signed in, through whose eyes conversations are seen. */
export interface Listener {
  readonly workspace: Workspace;
  readonly team: string;
  readonly user: string;
  /** Since when they hear anything, in milliseconds since 1970. */
  readonly since: number;
  /** A conversation is seen through their eyes from now on. */
  readonly hears: (channel: ChannelId) => Promise<void>;
}

export interface UnheardOptions {
  readonly listeners: () => readonly Listener[];
  readonly openings: Pick<Openings, "open" | "since">;
  readonly repairs: Pick<Repairs, "follows">;
  readonly profile: HistoryProfile;
  readonly log: Logger;
}

const listSchema = z.looseObject({
  channels: z.array(
    z.looseObject({ id: z.string().min(1), created: z.number().nullish(), updated: z.number().nullish() }),
  ),
  response_metadata: z.looseObject({ next_cursor: z.string().nullish() }).nullish(),
});
type Listed = z.infer<typeof listSchema>["channels"][number];

const listPage = 200;
const mostPages = 10;
/** Of so many conversations of an account Slack is asked after an outage: what it allows in 4 and in 10 minutes. */
export const mostAsked: Readonly<Record<HistoryProfile, number>> = { internal: 200, distributed: 10 };

/**
 * Conversations nobody follows, in which something was said while nobody listened and nothing since: after an outage Slack
 * is asked for them, account by account.
 */
export class Unheard {
  readonly #closing = new AbortController();
  /** Since when each account was last asked for. */
  readonly #asked = new Map<string, number>();
  #from: number | undefined;
  #working: Promise<void> | undefined;

  constructor(readonly options: UnheardOptions) {}

  /** Slack reaches the bridge (again), or one more workspace is known. */
  want(): void {
    const { openings, log } = this.options;
    if (openings.since === undefined || this.#closing.signal.aborted) return;
    this.#from = Math.min(this.#from ?? openings.since, openings.since);
    this.#working ??= this.#work()
      .catch((error: unknown) => log.error({ err: error }, "Conversations that began unheard could not be asked for"))
      .finally(() => {
        this.#working = undefined;
        // It may have been wanted again between the last look and now.
        if (this.#from !== undefined) this.want();
      });
  }

  /** Resolves when nobody is being asked for. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.idle();
  }

  async #work(): Promise<void> {
    for (let from = this.#from; from !== undefined && !this.#closing.signal.aborted; from = this.#from) {
      this.#from = undefined;
      for (const listener of this.options.listeners()) {
        const key = `${listener.team} ${listener.user}`;
        if (this.#asked.get(key) === from) continue;
        await this.#ask(listener, from);
        this.#asked.set(key, from);
      }
    }
  }

  async #ask(listener: Listener, from: number): Promise<void> {
    const { repairs, profile, log } = this.options;
    const { signal } = this.#closing;
    const { team, workspace } = listener;
    const since = Math.max(from, listener.since);
    const unfollowed = (await this.#list(workspace)).filter(
      ({ id }) => !repairs.follows(channelIdOf({ team, channel: id })),
    );
    unfollowed.sort((a, b) => newness(b) - newness(a));
    for (const { id } of unfollowed.slice(0, mostAsked[profile])) {
      const history = await fetchHistory({
        workspace,
        channel: id,
        from: tsAt(since),
        profile,
        signal,
        mostMessages: 1,
      });
      if (signal.aborted) return;
      if (!history.ok)
        log.debug({ channel: id, reason: history.reason }, "Slack does not say whether a conversation has news");
      else if (history.messages.length > 0) await this.#open(listener, id, from);
    }
    if (unfollowed.length > mostAsked[profile])
      log.warn(
        { user: listener.user, left: unfollowed.length - mostAsked[profile] },
        "Not every conversation was asked for what was said while Slack could not be heard: what is missing comes with its next message",
      );
  }

  async #open({ team, since, hears }: Listener, channel: string, from: number): Promise<void> {
    await hears(channelIdOf({ team, channel }));
    await this.options.openings.open(team, channel, () => Promise.resolve(since), from);
  }

  async #list(workspace: Workspace): Promise<Listed[]> {
    const { signal } = this.#closing;
    const listed: Listed[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < mostPages; page++) {
      const answer = await patiently(signal, () =>
        workspace.call({
          method: "users.conversations",
          arguments: {
            types: "im,mpim",
            exclude_archived: true,
            limit: listPage,
            ...(cursor !== undefined && { cursor }),
          },
          answer: listSchema,
          signal,
        }),
      );
      if (!answer.ok) {
        if (!signal.aborted)
          this.options.log.warn({ reason: answer.reason }, "Slack does not list somebody's conversations");
        break;
      }
      listed.push(...answer.body.channels);
      cursor = answer.body.response_metadata?.next_cursor ?? undefined;
      if (!cursor) break;
    }
    return listed;
  }
}

/** `created` is in seconds, `updated` in milliseconds. */
function newness({ created, updated }: Listed): number {
  return Math.max((created ?? 0) * 1_000, updated ?? 0);
}
