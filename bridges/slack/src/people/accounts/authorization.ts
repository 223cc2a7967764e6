import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { UserId } from "@trestle/core";
import { z } from "zod";
import { answer, readBody, readForm, tokenFrom, type Route, type SlackApi, type Token } from "../../link/index.js";
import { confirmPage } from "./page.js";

export interface AuthorizationOptions {
  readonly api: SlackApi;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUrl: string;
  readonly userScopes: readonly string[];
  /** Slack's page that asks the person. */
  readonly authorizeUrl: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

interface Pending {
  readonly user: UserId;
  readonly ends: number;
  readonly settle: (granted: Granted) => void;
  /** Slack's code, once the person has come back, and what their browser must send to have it used. */
  returned?: { readonly code: string; readonly nonce: string };
}

/** What somebody allowed, or why there is nothing. */
export type Granted = { readonly token: Token } | { readonly trouble: string };

const grantSchema = z.looseObject({
  authed_user: z.looseObject({
    id: z.string().min(1),
    access_token: z.string().min(1),
    refresh_token: z.string().optional(),
    /** In seconds. */
    expires_in: z.number().positive().optional(),
  }),
});

const pendingMs = 10 * 60_000;
const mostPending = 1_000;
const longestForm = 4_096;
const stale = "This link was used before or is too old. Begin again in Matrix with: login";

/**
 * Asks people in Slack whether they let the bridge act for them (OAuth v2, user scopes alone). Each request is good once,
 * for ten minutes, and for the Matrix user who began it; and the browser in which it was allowed must say yes to that
 * Matrix user by name, so that nobody can have somebody else sign in for them.
 */
export class Authorization {
  readonly #pending = new Map<string, Pending>();
  readonly #now: () => number;

  constructor(readonly options: AuthorizationOptions) {
    this.#now = options.now ?? Date.now;
  }

  /** Where the person must go, and what comes of it. What they began before is forgotten. */
  begin(user: UserId, signal: AbortSignal): { readonly url: string; readonly granted: Promise<Granted> } {
    const { clientId, userScopes, redirectUrl, authorizeUrl } = this.options;
    this.#forget(user);
    const state = `login.${randomBytes(24).toString("base64url")}`;
    const granted = new Promise<Granted>((resolve) => {
      this.#pending.set(state, { user, ends: this.#now() + pendingMs, settle: resolve });
      const giveUp = (): void => {
        this.#pending.delete(state);
        resolve({ trouble: "it was given up." });
      };
      signal.addEventListener("abort", giveUp, { once: true });
    });
    const url = new URL(authorizeUrl);
    url.search = new URLSearchParams({
      client_id: clientId,
      user_scope: userScopes.join(","),
      redirect_uri: redirectUrl,
      state,
    }).toString();
    return { url: url.href, granted };
  }

  /** `GET /slack/oauth_redirect`: the person comes back. `false` where it is about something else. */
  readonly returned = (_request: IncomingMessage, response: ServerResponse, url: URL): boolean => {
    const state = url.searchParams.get("state") ?? "";
    if (!state.startsWith("login.")) return false;
    const pending = this.#find(state);
    if (!pending || pending.returned) {
      answer(response, 400, `${stale}\n`, pageHeaders);
      return true;
    }
    const code = url.searchParams.get("code");
    if (code === null) {
      this.#pending.delete(state);
      pending.settle({ trouble: "it was declined in Slack." });
      answer(response, 400, "Nobody was signed in: Slack says that the request was declined.\n", pageHeaders);
      return true;
    }
    const nonce = randomBytes(24).toString("base64url");
    pending.returned = { code, nonce };
    answer(response, 200, confirmPage({ user: pending.user, state, nonce }), {
      ...pageHeaders,
      "content-type": "text/html; charset=utf-8",
    });
    return true;
  };

  /** `POST /slack/oauth_confirm`: the person says that the Matrix user is them. */
  readonly confirmed: Route = async (request, response) => {
    const body = await readBody(request, longestForm);
    const { state = "", nonce = "" } = body ? readForm(body) : {};
    const pending = this.#find(state);
    if (!pending?.returned || !same(pending.returned.nonce, nonce)) {
      answer(response, 400, `${stale}\n`, pageHeaders);
      return;
    }
    this.#pending.delete(state);
    const granted = await this.#exchange(pending.returned.code);
    pending.settle(granted);
    if ("trouble" in granted) answer(response, 502, `Nobody was signed in: ${granted.trouble}\n`, pageHeaders);
    else answer(response, 200, "Slack has agreed. Go back to Matrix: the bridge tells you there.\n", pageHeaders);
  };

  async #exchange(code: string): Promise<Granted> {
    const { api, clientId, clientSecret, redirectUrl } = this.options;
    const access = await api.call({
      team: "login",
      method: "oauth.v2.access",
      arguments: { client_id: clientId, client_secret: clientSecret, code, redirect_uri: redirectUrl },
      answer: grantSchema,
    });
    return access.ok ? { token: tokenFrom(access.body.authed_user, this.#now()) } : { trouble: `${access.reason}.` };
  }

  #find(state: string): Pending | undefined {
    const pending = this.#pending.get(state);
    return pending && pending.ends > this.#now() ? pending : undefined;
  }

  /** Oldest first: what has ended, what is too much, and what the user began before. */
  #forget(user: UserId): void {
    const now = this.#now();
    for (const [state, pending] of this.#pending)
      if (pending.ends <= now || pending.user === user || this.#pending.size >= mostPending) {
        this.#pending.delete(state);
        pending.settle({ trouble: "it was begun again, or took too long." });
      }
  }
}

const pageHeaders = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
};

function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
