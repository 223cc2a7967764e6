import { createHash } from "node:crypto";
import type { ConnectionStatus, ConnectorStorage, Logger } from "@trestle/core";
import { deadTokenCodes } from "../api/refusals.js";
import type { SlackFailure } from "../api/result.js";
import type { SlackApi } from "../api/slack-api.js";
import { pause, pauseBefore } from "../socket/pause.js";
import { authTestSchema, installationFrom, installationSchema, type Installation, type Token } from "./installation.js";
import { RotatingToken } from "./rotation.js";
import { Workspace } from "./workspace.js";

export interface InstallationsOptions {
  readonly api: SlackApi;
  readonly storage: ConnectorStorage;
  readonly report: (status: ConnectionStatus) => void;
  readonly log: Logger;
  /** Bot tokens of the configuration. */
  readonly tokens: readonly string[];
  readonly credentials?: { readonly clientId: string; readonly clientSecret: string };
  /** Told of every workspace, when the bridge knows it and when it was installed anew. */
  readonly onWorkspace?: (workspace: Workspace) => void;
  /** Told when the app was removed from a workspace. */
  readonly onRemoved?: (team: string) => void;
  readonly retryMinMs?: number;
  readonly retryMaxMs?: number;
  readonly now?: () => number;
}

const storedKey = (id: string): string => `installation:${id}`;
/** What a token of the configuration was last known to be for. The token itself is not kept. */
const knownKey = (token: string): string =>
  `workspace:${createHash("sha256").update(token).digest("base64url").slice(0, 22)}`;
const memberKey = (team: string): string => `organisation:${team}`;

/**
 * The workspaces in which the app is installed: those whose token the configuration gives, and those in which somebody
 * installed it (kept in the connector's storage, which the core encrypts).
 */
export class Installations {
  readonly #workspaces = new Map<string, Workspace>();
  /** Workspaces of an organisation in all of which the app is installed. */
  readonly #organisations = new Map<string, string>();
  readonly #closing = new AbortController();
  readonly #verifying: Promise<void>[] = [];
  readonly #refused = new Map<string, string>();
  #unverified = 0;

  constructor(readonly options: InstallationsOptions) {}

  /** Reads what is known, then asks Slack about the tokens of the configuration; does not wait for Slack. */
  async start(): Promise<void> {
    const { storage, tokens } = this.options;
    for (const key of await storage.keys("organisation:")) {
      const organisation = await storage.get(key);
      if (organisation !== undefined) this.#organisations.set(key.slice("organisation:".length), organisation);
    }
    for (const key of await storage.keys("installation:")) {
      const installation = this.#read(key, await storage.get(key));
      if (installation) this.#use(installation, true);
    }
    for (const token of tokens) {
      const known = this.#read(knownKey(token), await storage.get(knownKey(token)), token);
      if (known) this.#use(known, false);
      else this.#unverified += 1;
      this.#verifying.push(this.#verify(token, known));
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#verifying);
  }

  get all(): readonly Workspace[] {
    return [...this.#workspaces.values()];
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** The workspace, or the organisation it is part of. */
  get(team: string): Workspace | undefined {
    return this.#workspaces.get(team) ?? this.#workspaces.get(this.#organisations.get(team) ?? "");
  }

  /**
   * Whether events of a workspace are ours. While a token of the configuration was never looked at it may be that one's:
   * better one event too many than one that is lost.
   */
  knows(team: string, organisation?: string): boolean {
    if (this.get(team)) return true;
    if (organisation !== undefined && this.#workspaces.has(organisation)) {
      this.#organisations.set(team, organisation);
      this.options.storage.set(memberKey(team), organisation).catch((error: unknown) => {
        this.options.log.error({ err: error, team }, "Which organisation a workspace is of could not be written");
      });
      return true;
    }
    return this.#unverified > 0;
  }

  /** The app was installed: on disk before it is used. */
  async install(installation: Installation): Promise<Workspace> {
    await this.options.storage.set(storedKey(installation.id), JSON.stringify(installation));
    return this.#use(installation, true);
  }

  /** Slack said that the app was removed, or its tokens revoked: the tokens are forgotten, and loudly so. */
  async removed(team: string, why: "app_uninstalled" | "tokens_revoked"): Promise<void> {
    const workspace = this.get(team);
    if (!workspace) return;
    await this.options.storage.delete(storedKey(workspace.id));
    this.#workspaces.delete(workspace.id);
    const what =
      why === "app_uninstalled" ? "the app was removed from the workspace" : "the app's token was revoked in Slack";
    this.#shout(workspace.installation, `${what}: nothing is bridged there until it is installed again`);
    this.options.onRemoved?.(workspace.id);
  }

  #use(installation: Installation, stored: boolean): Workspace {
    const { api, log, credentials, now } = this.options;
    const { id } = installation;
    let current = installation;
    const token = new RotatingToken(installation.token, {
      api,
      team: id,
      credentials,
      log,
      ...(now && { now }),
      store: async (fresh: Token) => {
        current = { ...current, token: fresh };
        if (stored) await this.options.storage.set(storedKey(id), JSON.stringify(current));
      },
    });
    const workspace = new Workspace(installation, api, token, {
      refused: (code) => this.#refusedWith(installation, code),
      accepted: () => this.#accepted(installation),
    });
    this.#workspaces.set(id, workspace);
    this.options.report({ connection: connectionOf(installation), state: "connected" });
    this.options.onWorkspace?.(workspace);
    return workspace;
  }

  async #verify(token: string, before: Installation | undefined): Promise<void> {
    const { api, storage, log, retryMinMs = 500, retryMaxMs = 60_000 } = this.options;
    const { signal } = this.#closing;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const tested = await api.call({ team: "configured", token, method: "auth.test", answer: authTestSchema, signal });
      if (tested.ok) {
        const installation = installationFrom(tested.body, { value: token });
        const { token: _secret, ...known } = installation;
        try {
          await storage.set(knownKey(token), JSON.stringify(known));
          this.#use(installation, false);
          if (before) return;
          this.#unverified -= 1;
          this.options.report({ connection: unverified(token), state: "closed" });
          return;
        } catch (error) {
          log.error({ err: error }, "What a token is for could not be written");
        }
      } else if (!this.#isClosing) this.#unclear(token, before, tested);
      const wait = pauseBefore(attempt, { minMs: retryMinMs, maxMs: retryMaxMs });
      await pause(tested.ok ? wait : Math.max(wait, tested.afterMs ?? 0), signal);
    }
  }

  #unclear(token: string, before: Installation | undefined, failure: SlackFailure): void {
    const { reason, code = "" } = failure;
    const isDead = deadTokenCodes.has(code);
    const connection = unverified(token);
    this.options.log.error({ token: connection, reason }, "A workspace's token could not be checked; tried again");
    if (!before) this.options.report({ connection, state: isDead ? "failed" : "waiting", detail: reason });
    else if (isDead) this.#refusedWith(before, code);
  }

  #refusedWith(installation: Installation, code: string): void {
    if (this.#refused.get(installation.id) === code) return;
    this.#refused.set(installation.id, code);
    this.#shout(installation, `Slack no longer accepts the app's token (${code}): install the app again`);
  }

  #accepted(installation: Installation): void {
    if (!this.#refused.delete(installation.id)) return;
    this.options.report({ connection: connectionOf(installation), state: "connected" });
  }

  #shout(installation: Installation, detail: string): void {
    this.options.log.error({ workspace: installation.id, name: installation.name }, detail);
    this.options.report({ connection: connectionOf(installation), state: "failed", detail });
  }

  #read(key: string, text: string | undefined, token?: string): Installation | undefined {
    if (text === undefined) return undefined;
    try {
      const json: unknown = JSON.parse(text);
      const known = token === undefined || typeof json !== "object" ? json : { ...json, token: { value: token } };
      return installationSchema.parse(known);
    } catch (error) {
      this.options.log.error(
        { err: error, key },
        "What is stored of a workspace cannot be read; install the app there again",
      );
      return undefined;
    }
  }
}

function connectionOf({ id, name }: Installation): string {
  return `workspace ${name} (${id})`;
}

function unverified(token: string): string {
  return `workspace of ${token.slice(0, 8)}…`;
}
