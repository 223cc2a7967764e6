import type { JsonObject } from "../json.js";
import type { App, Token } from "../state/apps.js";
import type { World } from "../state/world.js";
import type { Audience } from "./audience.js";
import { scopesFor, subscribed } from "./subscriptions.js";

function concerned(audience: Audience, token: Token): boolean {
  switch (audience.kind) {
    case "channel":
      return audience.channel.teamIds.includes(token.teamId) && audience.channel.members.has(token.userId);
    case "team":
      return token.teamId === audience.teamId;
    case "users":
      return (
        audience.userIds.includes(token.userId) &&
        (audience.channel === undefined || audience.channel.members.has(token.userId))
      );
    case "app":
      return token.appId === audience.appId;
  }
}

/** The tokens through which an app gets an event: its bots first, then the people it acts for. */
export function authorizedTokens(world: World, app: App, name: string, audience: Audience): Token[] {
  const needed = scopesFor(name);
  const tokens = world.tokensOf(app.id).filter((token) => {
    if (token.kind === "app" || !subscribed(token.kind === "bot" ? app.botEvents : app.userEvents, name)) return false;
    if (needed.length > 0 && !needed.some((scope) => token.scopes.includes(scope))) return false;
    return concerned(audience, token);
  });
  const seen = new Set<string>();
  return tokens
    .sort((a, b) => Number(b.kind === "bot") - Number(a.kind === "bot"))
    .filter((token) => !seen.has(token.userId) && seen.add(token.userId));
}

/** One entry of `authorizations`. */
export function authorizationView(world: World, token: Token): JsonObject {
  return {
    enterprise_id: world.teams.get(token.teamId)?.enterprise?.id ?? null,
    team_id: token.enterpriseInstall ? null : token.teamId,
    user_id: token.userId,
    is_bot: token.kind === "bot",
    is_enterprise_install: token.enterpriseInstall,
  };
}
