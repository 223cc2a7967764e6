import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Logger } from "@trestle/core";
import type { SlackApi } from "../api/slack-api.js";
import { answer, type Route } from "../http/server.js";
import { accessSchema, authTestSchema, installationFrom, tokenFrom, type Access } from "./installation.js";
import type { Installations } from "./installations.js";

export interface InstallOptions {
  readonly api: SlackApi;
  readonly installations: Installations;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUrl: string;
  readonly scopes: readonly string[];
  readonly userScopes: readonly string[];
  /** Slack's page that asks the person; `https://slack.com/oauth/v2/authorize` where absent. */
  readonly authorizeUrl?: string;
  readonly log: Logger;
  readonly now?: () => number;
}

const stateMs = 10 * 60_000;
const mostStates = 1_000;
const cookieName = "trestle-slack-state";

/**
 * Installs the app in further workspaces (OAuth v2). The state is good once, for ten minutes, and only in the browser
 * that began: its cookie must say the same.
 */
export class InstallRoutes {
  /** When each ends, oldest first. */
  readonly #states = new Map<string, number>();
  readonly #now: () => number;

  constructor(readonly options: InstallOptions) {
    this.#now = options.now ?? Date.now;
  }

  /** `GET /slack/install`: sends the person to Slack. */
  readonly begin: Route = async (_request, response) => {
    const { clientId, scopes, userScopes, redirectUrl } = this.options;
    const state = this.#newState();
    const url = new URL(this.options.authorizeUrl ?? "https://slack.com/oauth/v2/authorize");
    url.search = new URLSearchParams({
      client_id: clientId,
      scope: scopes.join(","),
      ...(userScopes.length > 0 && { user_scope: userScopes.join(",") }),
      redirect_uri: redirectUrl,
      state,
    }).toString();
    answer(response, 302, "", {
      location: url.href,
      "set-cookie": this.#cookie(state, stateMs / 1_000),
      "cache-control": "no-store",
    });
    return Promise.resolve();
  };

  /** `GET /slack/oauth_redirect`: the person comes back. */
  readonly complete: Route = async (request, response, url) => {
    const headers = {
      "set-cookie": this.#cookie("", 0),
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    };
    const say = (status: number, text: string): void => answer(response, status, `${text}\n`, headers);
    if (!this.#takeState(url.searchParams.get("state") ?? "", cookieOf(request))) {
      say(400, "This link was used before, is too old, or was opened in another browser. Begin again.");
      return;
    }
    const code = url.searchParams.get("code");
    if (code === null) {
      say(400, "Nothing was installed: Slack says that the request was declined.");
      return;
    }
    const installed = await this.#install(code);
    if ("trouble" in installed) {
      say(502, `Nothing was installed. ${installed.trouble}`);
      return;
    }
    say(200, `The bridge is installed in ${installed.name}. You can close this page.`);
  };

  async #install(code: string): Promise<{ readonly name: string } | { readonly trouble: string }> {
    const { api, clientId, clientSecret, redirectUrl, installations, log } = this.options;
    const access = await api.call({
      team: "install",
      method: "oauth.v2.access",
      arguments: { client_id: clientId, client_secret: clientSecret, code, redirect_uri: redirectUrl },
      answer: accessSchema,
    });
    if (!access.ok) return { trouble: access.reason };
    const token = tokenFrom(access.body, this.#now());
    const tested = await api.call({ team: "install", token: token.value, method: "auth.test", answer: authTestSchema });
    if (!tested.ok) return { trouble: tested.reason };
    try {
      const workspace = await installations.install(installationFrom(tested.body, token, moreOf(access.body)));
      log.info({ workspace: workspace.id }, "The app was installed in a workspace");
      return { name: workspace.installation.name };
    } catch (error) {
      log.error({ err: error }, "An installation could not be written");
      return { trouble: "It could not be written to disk; try again." };
    }
  }

  #newState(): string {
    const now = this.#now();
    for (const [state, ends] of this.#states) {
      if (ends > now && this.#states.size < mostStates) break;
      this.#states.delete(state);
    }
    const state = randomBytes(24).toString("base64url");
    this.#states.set(state, now + stateMs);
    return state;
  }

  #takeState(state: string, cookie: string | undefined): boolean {
    const ends = this.#states.get(state);
    this.#states.delete(state);
    return ends !== undefined && ends > this.#now() && cookie !== undefined && same(state, cookie);
  }

  #cookie(value: string, seconds: number): string {
    const { protocol, pathname } = new URL(this.options.redirectUrl);
    const path = pathname.slice(0, pathname.lastIndexOf("/") + 1);
    const secure = protocol === "https:" ? "; Secure" : "";
    return `${cookieName}=${value}; Max-Age=${seconds}; Path=${path}; HttpOnly; SameSite=Lax${secure}`;
  }
}

function moreOf({ scope, app_id, team, enterprise, is_enterprise_install }: Access) {
  const owner = is_enterprise_install === true ? enterprise : team;
  return {
    scopes: scope.split(",").filter((each) => each !== ""),
    ...(app_id !== undefined && { appId: app_id }),
    ...(owner && { id: owner.id, ...(owner.name && { name: owner.name }) }),
    ...(enterprise && { enterprise: enterprise.id }),
  };
}

function cookieOf(request: IncomingMessage): string | undefined {
  for (const pair of (request.headers.cookie ?? "").split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === cookieName) return value;
  }
  return undefined;
}

function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
