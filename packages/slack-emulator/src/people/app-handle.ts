import { joinChannel } from "../actions/membership.js";
import type { Deliverer } from "../events/deliverer.js";
import type { DeliveryRecord } from "../events/delivery.js";
import type { HttpPoster } from "../events/http-post.js";
import { verifyUrl } from "../events/notices.js";
import type { Publisher } from "../events/publisher.js";
import type { Json } from "../json.js";
import type { Consents } from "../oauth/consent.js";
import { endTokens, uninstall } from "../oauth/ending.js";
import { install } from "../oauth/install.js";
import { createWebhook } from "../oauth/webhooks.js";
import type { InstallOptions } from "../options.js";
import type { DisconnectReason } from "../socket/connection.js";
import type { SocketHub } from "../socket/hub.js";
import type { App, Token } from "../state/apps.js";
import type { Channel } from "../state/channels.js";
import { installFrom, issueAppToken, teamOf, userOf } from "../state/build.js";
import type { World } from "../state/world.js";
import { waitFor, type WaitOptions } from "./wait.js";

/** The parts of the emulator an app's handle uses. */
export interface Surroundings {
  readonly world: World;
  readonly sockets: SocketHub;
  readonly deliverer: Deliverer;
  readonly publisher: Publisher;
  readonly consents: Consents;
  readonly poster: HttpPoster;
}

/** Who decides on the authorize page, and what. */
export interface Decision {
  /** The workspace's domain. */
  readonly workspace: string;
  /** Their handle. */
  readonly person: string;
  /** The channel an incoming webhook is for. */
  readonly channel?: string;
  /** They press Cancel. */
  readonly denied?: boolean;
}

/** An app as its author configures it on Slack, and what can happen to it there. */
export class AppHandle {
  readonly #app: App;
  readonly #surroundings: Surroundings;
  readonly #world: World;
  readonly #sockets: SocketHub;

  /** @internal */
  constructor(app: App, surroundings: Surroundings) {
    this.#app = app;
    this.#surroundings = surroundings;
    this.#world = surroundings.world;
    this.#sockets = surroundings.sockets;
  }

  get id(): string {
    return this.#app.id;
  }

  get name(): string {
    return this.#app.name;
  }

  get clientId(): string {
    return this.#app.clientId;
  }

  get clientSecret(): string {
    return this.#app.clientSecret;
  }

  get signingSecret(): string {
    return this.#app.signingSecret;
  }

  /** The app-level token (`xapp-…`). */
  get appToken(): string {
    return this.#token("app-level token", (token) => token.kind === "app").value;
  }

  /** The bot token in a workspace (by domain); in the only one when absent. */
  botToken(workspace?: string): string {
    const teamId = workspace === undefined ? undefined : teamOf(this.#world, workspace).id;
    return this.#token(
      "bot token",
      (token) => token.kind === "bot" && (teamId === undefined || token.teamId === teamId),
    ).value;
  }

  /** Its bot tokens in all workspaces, oldest first. */
  botTokens(): { readonly workspaceId: string; readonly userId: string; readonly token: string }[] {
    const tokens = this.#world.tokensOf(this.id).filter((token) => token.kind === "bot");
    return tokens.map((token) => ({ workspaceId: token.teamId, userId: token.userId, token: token.value }));
  }

  /** The token with which it acts for somebody. */
  userToken(workspace: string, person: string): string {
    const user = userOf(this.#world, teamOf(this.#world, workspace), person);
    return this.#token(`token of ${person}`, (token) => token.kind === "user" && token.userId === user.id).value;
  }

  /** The id of the user its bot is in a workspace. */
  botUserId(workspace?: string): string {
    const teamId = workspace === undefined ? undefined : teamOf(this.#world, workspace).id;
    return this.#token(
      "bot token",
      (token) => token.kind === "bot" && (teamId === undefined || token.teamId === teamId),
    ).userId;
  }

  /** Installs it; nobody is asked. */
  install(options: InstallOptions): void {
    installFrom(this.#world, this.#app, options);
  }

  /** Lets it act for somebody, as the authorize page does with user scopes; returns the token. */
  authorize(workspace: string, person: string, scopes: readonly string[] = this.#app.userScopes): string {
    const team = teamOf(this.#world, workspace);
    const { userToken } = install(this.#world, {
      app: this.#app,
      team,
      user: userOf(this.#world, team, person),
      botScopes: [],
      userScopes: scopes,
    });
    if (userToken === undefined) throw new Error("No user scopes were granted");
    return userToken.value;
  }

  /** Decides what its authorize page answers from now on; until then the first person of the first workspace allows it. */
  decide(decision: Decision): void {
    const team = teamOf(this.#world, decision.workspace);
    const channelId = decision.channel === undefined ? undefined : this.#channel(team.id, decision.channel).id;
    this.#surroundings.consents.set(this.id, {
      teamId: team.id,
      userId: userOf(this.#world, team, decision.person).id,
      channelId,
      denied: decision.denied ?? false,
    });
  }

  /** Makes an incoming webhook; returns its URL. */
  createWebhook(workspace: string, channel: string): string {
    const team = teamOf(this.#world, workspace);
    return `${this.#world.baseUrl}${createWebhook(this.#world, this.id, team.id, this.#channel(team.id, channel)).path}`;
  }

  /** Asks its request URL to prove itself (`url_verification`); whether it does. */
  async verifyRequestUrl(): Promise<boolean> {
    return verifyUrl(this.#world, this.#app, this.#surroundings.poster);
  }

  /** Tells it that it gets too many events (`app_rate_limited`). */
  tellRateLimited(workspace: string): void {
    this.#surroundings.publisher.tellRateLimited(this.#app, teamOf(this.#world, workspace).id);
  }

  /** Adds its bot to a channel. */
  joinChannel(workspace: string, channel: string): void {
    const team = teamOf(this.#world, workspace);
    joinChannel(this.#world, this.#channel(team.id, channel), this.#world.user(this.botUserId(workspace)));
  }

  /** Removes it from a workspace: `tokens_revoked` and `app_uninstalled`. */
  uninstall(workspace: string): void {
    uninstall(this.#world, this.#app.id, teamOf(this.#world, workspace).id);
  }

  /** Revokes a token. An app-level token takes its sockets along. */
  revoke(token: string): void {
    const found = this.#world.tokens.get(token);
    if (found?.appId !== this.#app.id) throw new Error(`The app ${this.name} has no such token`);
    endTokens(this.#world, [found]);
  }

  /** Makes a revoked token good again, as if it never had been. */
  restore(token: string): void {
    const found = this.#world.tokens.get(token);
    if (found?.appId !== this.#app.id) throw new Error(`The app ${this.name} has no such token`);
    found.revoked = false;
  }

  /** Takes scopes away from a token: what needs them answers `missing_scope`. */
  removeScopes(token: string, ...scopes: readonly string[]): void {
    const found = this.#world.tokens.get(token);
    if (found?.appId !== this.#app.id) throw new Error(`The app ${this.name} has no such token`);
    found.scopes = found.scopes.filter((scope) => !scopes.includes(scope));
  }

  /** Makes a new app-level token; the old ones stay good. */
  newAppToken(): string {
    return issueAppToken(this.#world, this.#app).value;
  }

  /** Where events go; undefined turns Socket Mode on. */
  setRequestUrl(url: string | undefined): void {
    this.#app.socketMode = url === undefined;
    if (url === undefined) delete this.#app.requestUrl;
    else this.#app.requestUrl = url;
  }

  /** Changes the signing secret, as when it is regenerated. */
  setSigningSecret(secret: string): void {
    this.#app.signingSecret = secret;
  }

  /** How many sockets it has open. */
  get connections(): number {
    return this.#sockets.connections(this.id).length;
  }

  /** How many sockets it has ever opened. */
  get connectionsMade(): number {
    return this.#sockets.connectionsMade(this.id);
  }

  /** Waits until it has at least so many sockets. */
  async waitForConnections(count = 1, options?: WaitOptions): Promise<void> {
    await waitFor(
      `${count} connections of ${this.name}`,
      () => (this.connections >= count ? true : undefined),
      options,
    );
  }

  /** Asks its sockets to leave, as Slack regularly does; the oldest only, or all. */
  askToLeave(reason: DisconnectReason = "refresh_requested", which: "oldest" | "all" = "all"): void {
    this.#sockets.askToLeave(this.id, reason, which === "oldest" ? this.#sockets.connections(this.id)[0] : undefined);
  }

  /** Cuts its sockets without a word. */
  cutConnections(): void {
    this.#sockets.cut(this.id);
  }

  /** Sends any frame to its sockets, also one that is broken. */
  sendFrame(frame: Json | string): void {
    this.#sockets.sendRaw(this.id, frame);
  }

  /** What was delivered to it, or tried to be, oldest first. */
  deliveries(): DeliveryRecord[] {
    return this.#surroundings.deliverer.records.filter((record) => record.appId === this.id);
  }

  #channel(teamId: string, name: string): Channel {
    const channel = this.#world.channelsOf(teamId).find((each) => each.id === name || each.name === name);
    if (channel === undefined)
      throw new Error(`There is no channel ${name} in the workspace ${this.#world.team(teamId).domain}`);
    return channel;
  }

  #token(what: string, matches: (token: Token) => boolean): Token {
    const token = this.#world.tokensOf(this.id).findLast(matches);
    if (token === undefined) throw new Error(`The app ${this.name} has no ${what}`);
    return token;
  }
}
