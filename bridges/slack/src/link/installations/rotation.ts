import type { Logger } from "@trestle/core";
import type { SlackApi } from "../api/slack-api.js";
import { notYet, type SlackResult } from "../api/result.js";
import { accessSchema, tokenFrom, type Token } from "./installation.js";

export interface RotationOptions {
  readonly api: SlackApi;
  readonly team: string;
  readonly credentials: { readonly clientId: string; readonly clientSecret: string } | undefined;
  /** Puts a token on disk. */
  readonly store: (token: Token) => Promise<void>;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A token is renewed when so much of its time, or half of it, is left. */
const renewBeforeMs = 2 * 3_600_000;

/**
 * Keeps one token alive. Renewed one at a time; the new pair is on disk before it is used, because a refresh token works
 * once: one that were only in memory at a crash would lock the bridge out.
 */
export class RotatingToken {
  #renewing: Promise<SlackResult<string>> | undefined;
  #unstored: Token | undefined;
  readonly #now: () => number;

  constructor(
    private token: Token,
    readonly options: RotationOptions,
  ) {
    this.#now = options.now ?? Date.now;
  }

  /** A token that works now, as far as its time tells. */
  async current(): Promise<SlackResult<string>> {
    const { value, expiresAt, lifetimeMs = 2 * renewBeforeMs, refresh } = this.token;
    if (refresh === undefined || expiresAt === undefined) return { ok: true, body: value };
    const left = expiresAt - this.#now();
    if (left > Math.min(renewBeforeMs, lifetimeMs / 2)) return { ok: true, body: value };
    const renewed = await this.renew();
    // Slack may be away for a moment: the old one still works.
    return !renewed.ok && left > 0 ? { ok: true, body: value } : renewed;
  }

  /** Makes a new token in any case; those who ask meanwhile get the same. `stale`: only if that is still the one in use. */
  async renew(stale?: string): Promise<SlackResult<string>> {
    if (stale !== undefined && stale !== this.token.value) return { ok: true, body: this.token.value };
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
    return this.#renewing;
  }

  async #renew(): Promise<SlackResult<string>> {
    const { api, team, credentials, store, log } = this.options;
    if (!this.#unstored) {
      const { refresh } = this.token;
      if (refresh === undefined || credentials === undefined)
        return notYet(
          "the app's token has ended and cannot be renewed: give oauth with clientId and clientSecret, or install the app again",
          60_000,
          "token_expired",
        );
      const answer = await api.call({
        team,
        method: "oauth.v2.access",
        arguments: {
          client_id: credentials.clientId,
          client_secret: credentials.clientSecret,
          grant_type: "refresh_token",
          refresh_token: refresh,
        },
        answer: accessSchema,
      });
      if (!answer.ok) {
        const { reason, code, afterMs } = answer;
        log.error({ team, reason }, "A token of Slack could not be renewed");
        return notYet(reason, afterMs, code);
      }
      const fresh = tokenFrom(answer.body, this.#now());
      this.#unstored = { ...fresh, refresh: fresh.refresh ?? refresh };
    }
    try {
      await store(this.#unstored);
    } catch (error) {
      log.error({ err: error, team }, "A renewed token could not be written and is not used yet");
      return notYet("the renewed token could not be written to disk");
    }
    this.token = this.#unstored;
    this.#unstored = undefined;
    return { ok: true, body: this.token.value };
  }
}
