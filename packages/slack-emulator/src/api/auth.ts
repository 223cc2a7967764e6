import { z } from "zod";
import { compact } from "../json.js";
import { flag, text } from "./args.js";
import { authorizationView, authorizedTokens } from "../events/authorizations.js";
import { endTokens } from "../oauth/ending.js";
import { teamUrl } from "../views/channel.js";
import { SlackError } from "./error.js";
import { type Method, method, requireScope } from "./method.js";

/** auth.*, apps.* */
export const authMethods: readonly Method[] = [
  method("auth.test", [], z.object({}), ({ world, token, team, user }) =>
    compact({
      url: teamUrl(world, team.id),
      team: team.name,
      user: user.name,
      team_id: team.id,
      user_id: user.id,
      bot_id: token.kind === "bot" ? token.botId : undefined,
      enterprise_id: team.enterprise?.id,
      is_enterprise_install: token.enterpriseInstall,
      expires_in:
        token.expiresAt === undefined
          ? undefined
          : Math.max(0, Math.floor((token.expiresAt - world.clock.now()) / 1000)),
    }),
  ),
  method("auth.revoke", [], z.object({ test: flag }), ({ world, token }, { test }) => {
    if (test !== true) endTokens(world, [token]);
    return { revoked: test !== true };
  }),
  method(
    "apps.connections.open",
    ["connections:write"],
    z.object({}),
    ({ world, sockets, app }) => {
      if (!app.socketMode) throw new SlackError("forbidden_team");
      return { url: `${world.baseUrl.replace(/^http/, "ws")}/link?ticket=${sockets.ticket(app.id)}&app_id=${app.id}` };
    },
    ["app"],
  ),
  method(
    "apps.event.authorizations.list",
    ["authorizations:read"],
    z.object({ event_context: text }),
    ({ world, publisher, app, token }, args) => {
      requireScope(token, ["authorizations:read"]);
      const context = publisher.context(args.event_context, app.id);
      if (context === undefined) throw new SlackError("invalid_event_context");
      return {
        authorizations: authorizedTokens(world, app, context.name, context.audience).map((each) =>
          authorizationView(world, each),
        ),
      };
    },
    ["app"],
  ),
];
