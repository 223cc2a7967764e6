import { answerCommand, commandAnswer } from "../http/webhook-routes.js";
import { compact } from "../json.js";
import type { SocketHub } from "../socket/hub.js";
import type { App, ResponseUrl } from "../state/apps.js";
import type { Channel } from "../state/channels.js";
import type { User } from "../state/people.js";
import type { World } from "../state/world.js";
import type { HttpPoster } from "./http-post.js";
import { signatureHeaders } from "./signature.js";

/** What came of a slash command. */
export interface CommandOutcome {
  /** Whether the app answered in time; if not, Slack shows `operation_timeout` or `dispatch_failed` to the person. */
  readonly answered: boolean;
  /** What the app's immediate answer shows, if it shows something. */
  readonly text: string | undefined;
  /** Where the app may answer later. */
  readonly responseUrl: string;
}

const responseLifetime = 30 * 60_000;

/** Takes slash commands to the apps that have them. */
export class Commands {
  readonly #world: World;
  readonly #sockets: SocketHub;
  readonly #poster: HttpPoster;

  constructor(world: World, sockets: SocketHub, poster: HttpPoster) {
    this.#world = world;
    this.#sockets = sockets;
    this.#poster = poster;
  }

  /** Gives a command (`/matrix link #x`) in a channel. */
  async give(user: User, channel: Channel, line: string): Promise<CommandOutcome> {
    const [command = "", ...rest] = line.split(" ");
    const app = this.#appWith(command, user.teamId);
    const target = this.#responseUrl(app, user, channel);
    const fields = this.#fields(app, user, channel, command, rest.join(" "), target);
    const answer = app.socketMode ? await this.#overSocket(app, fields) : await this.#overHttp(app, command, fields);
    const payload = answer === undefined ? undefined : commandAnswer(answer.content);
    if (payload !== undefined) answerCommand(this.#world, target, payload);
    return { answered: answer !== undefined, text: payload?.text, responseUrl: `${this.#world.baseUrl}${target.path}` };
  }

  #appWith(command: string, teamId: string): App {
    for (const app of this.#world.apps.values()) {
      const installed = this.#world
        .tokensOf(app.id)
        .some((token) => token.teamId === teamId && token.scopes.includes("commands"));
      if (installed && app.commands.some((each) => each.command === command)) return app;
    }
    throw new Error(
      `No app in the workspace has the command ${command}: add it to the app's commands, and the scope "commands"`,
    );
  }

  #responseUrl(app: App, user: User, channel: Channel): ResponseUrl {
    this.#world.forgetExpired();
    const path = `/commands/${user.teamId}/${this.#world.secret(6)}/${this.#world.secret(12)}`;
    const target: ResponseUrl = {
      path,
      appId: app.id,
      teamId: user.teamId,
      channelId: channel.id,
      userId: user.id,
      expiresAt: this.#world.clock.now() + responseLifetime,
      uses: 0,
    };
    this.#world.responseUrls.set(path, target);
    return target;
  }

  #fields(
    app: App,
    user: User,
    channel: Channel,
    command: string,
    text: string,
    target: ResponseUrl,
  ): Record<string, string> {
    const team = this.#world.team(user.teamId);
    const names = { public: channel.name, private: "privategroup", im: "directmessage", mpim: channel.name };
    const fields: Record<string, string> = {
      token: app.verificationToken,
      team_id: team.id,
      team_domain: team.domain,
      channel_id: channel.id,
      channel_name: names[channel.kind],
      user_id: user.id,
      user_name: user.name,
      command,
      text,
      api_app_id: app.id,
      is_enterprise_install: "false",
      response_url: `${this.#world.baseUrl}${target.path}`,
      trigger_id: `${this.#world.secret(5)}.${this.#world.secret(8)}`,
    };
    if (team.enterprise !== undefined)
      Object.assign(fields, { enterprise_id: team.enterprise.id, enterprise_name: team.enterprise.name });
    return fields;
  }

  async #overSocket(app: App, fields: Record<string, string>): Promise<{ content: unknown } | undefined> {
    const acknowledgement = await this.#sockets.request(app.id, "slash_commands", compact(fields));
    return acknowledgement?.acked === true ? { content: acknowledgement.payload } : undefined;
  }

  async #overHttp(
    app: App,
    command: string,
    fields: Record<string, string>,
  ): Promise<{ content: unknown } | undefined> {
    const url = app.commands.find((each) => each.command === command)?.url ?? app.requestUrl ?? "";
    const body = new URLSearchParams(fields).toString();
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      ...signatureHeaders(app.signingSecret, body, Date.now()),
    };
    const result = await this.#poster.post(url, headers, body);
    return "answer" in result && result.answer.status >= 200 && result.answer.status < 300
      ? { content: result.answer.body }
      : undefined;
  }
}
