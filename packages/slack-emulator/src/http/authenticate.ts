import { SlackError } from "../api/error.js";
import type { Caller, Method, Services } from "../api/method.js";
import { requireScope } from "../api/method.js";
import type { Token } from "../state/apps.js";
import type { World } from "../state/world.js";

/** The token that was presented: in the header, else in the arguments. */
export function presentedToken(authorization: string | undefined, argument: unknown): string | undefined {
  const match = /^Bearer\s+(\S+)$/i.exec(authorization ?? "");
  if (match !== null) return match[1];
  return typeof argument === "string" && argument !== "" ? argument : undefined;
}

/** The token if it is good, else the error Slack answers. */
export function validToken(world: World, value: string | undefined): Token {
  if (value === undefined) throw new SlackError("not_authed");
  const token = world.tokens.get(value);
  if (token === undefined) throw new SlackError("invalid_auth");
  if (token.revoked) throw new SlackError(token.kind === "app" ? "invalid_auth" : "token_revoked");
  if (token.expiresAt !== undefined && token.expiresAt <= world.clock.now()) throw new SlackError("token_expired");
  if (token.kind !== "app" && world.users.get(token.userId)?.deleted !== false)
    throw new SlackError("account_inactive");
  return token;
}

/** The caller of a method, checked for what the method needs. */
export function callerOf(services: Services, method: Method, token: Token): Caller {
  if (!method.tokens.includes(token.kind)) throw new SlackError("not_allowed_token_type");
  requireScope(token, method.scopes);
  const { world } = services;
  const app = world.app(token.appId);
  if (token.kind === "app")
    return { ...services, ...appLevel(world), token, app, viewer: { teamId: "", scopes: token.scopes } };
  const user = world.user(token.userId);
  const bot = token.botId === undefined ? undefined : world.bots.get(token.botId);
  return {
    ...services,
    token,
    app,
    user,
    team: world.team(token.teamId),
    author: bot === undefined ? { user } : { user, bot },
    viewer: { teamId: token.teamId, scopes: token.scopes },
  };
}

/** App-level tokens belong to nobody; the methods they may call do not look. */
function appLevel(world: World): Pick<Caller, "team" | "user" | "author"> {
  const [team] = world.teams.values();
  const [user] = world.users.values();
  if (team === undefined || user === undefined) throw new SlackError("team_not_found");
  return { team, user, author: { user } };
}
