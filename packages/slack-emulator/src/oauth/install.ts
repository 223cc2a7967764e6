import type { App, Token } from "../state/apps.js";
import type { Bot, Team, User } from "../state/people.js";
import type { World } from "../state/world.js";
import { announceNewUser } from "../actions/people.js";

/** What an installation granted. */
export interface Installation {
  readonly bot: Bot | undefined;
  readonly botToken: Token | undefined;
  readonly userToken: Token | undefined;
}

/** What is granted to an app. */
export interface Grant {
  readonly app: App;
  readonly team: Team;
  /** Who approves it; user scopes are theirs. */
  readonly user: User;
  readonly botScopes: readonly string[];
  readonly userScopes: readonly string[];
}

/** Twelve hours, in milliseconds. */
export const rotatedLifetime = 12 * 60 * 60 * 1000;

/** The bot of an app in a workspace; made when it is the first time. */
export function ensureBot(world: World, app: App, team: Team): Bot {
  for (const bot of world.bots.values()) {
    if (bot.appId !== app.id || bot.teamId !== team.id) continue;
    bot.deleted = false;
    world.user(bot.userId).deleted = false;
    return bot;
  }
  const id = world.ids.next("B");
  const userId = world.ids.next(team.enterprise === undefined ? "U" : "W");
  const handle = app.name.toLowerCase().replace(/[^a-z0-9]+/g, "");
  const user: User = {
    id: userId,
    teamId: team.id,
    name: handle,
    profile: {
      realName: app.name,
      displayName: "",
      title: "",
      phone: "",
      statusText: "",
      statusEmoji: "",
      avatarHash: world.secret(6),
    },
    timezone: "Etc/UTC",
    deleted: false,
    admin: false,
    owner: false,
    guest: "no",
    presence: "active",
    locale: "en-US",
    updated: world.clock.seconds(),
    botId: id,
    appId: app.id,
  };
  const bot: Bot = {
    id,
    teamId: team.id,
    appId: app.id,
    userId,
    name: app.name,
    deleted: false,
    updated: world.clock.seconds(),
  };
  world.users.set(user.id, user);
  world.bots.set(bot.id, bot);
  announceNewUser(world, user);
  return bot;
}

/** Makes an access token. */
export function issueToken(
  world: World,
  app: App,
  teamId: string,
  userId: string,
  kind: "bot" | "user",
  scopes: readonly string[],
  botId: string | undefined,
): Token {
  const prefix = kind === "bot" ? "xoxb" : "xoxp";
  const token: Token = {
    value: `${app.tokenRotation ? "xoxe." : ""}${prefix}-${teamId}-${world.secret()}`,
    kind,
    appId: app.id,
    teamId,
    userId,
    ...(botId === undefined ? {} : { botId }),
    scopes: [...scopes],
    revoked: false,
    ...(app.tokenRotation ? { expiresAt: world.clock.now() + rotatedLifetime } : {}),
    enterpriseInstall: false,
  };
  world.tokens.set(token.value, token);
  return token;
}

/** Installs an app: a bot token when it has bot scopes, a token of the person when it has user scopes. Scopes add up over installations. */
export function install(world: World, grant: Grant): Installation {
  const { app, team, user } = grant;
  const bot = ensureBot(world, app, team);
  const before = world.tokensOf(app.id).filter((token) => token.teamId === team.id);
  const earlier = (kind: Token["kind"], userId: string) =>
    before.filter((token) => token.kind === kind && token.userId === userId).flatMap((token) => token.scopes);
  const botScopes = [...new Set([...earlier("bot", bot.userId), ...grant.botScopes])];
  const userScopes = [...new Set([...earlier("user", user.id), ...grant.userScopes])];
  return {
    bot,
    botToken:
      grant.botScopes.length === 0 ? undefined : issueToken(world, app, team.id, bot.userId, "bot", botScopes, bot.id),
    userToken:
      grant.userScopes.length === 0 ? undefined : issueToken(world, app, team.id, user.id, "user", userScopes, bot.id),
  };
}
