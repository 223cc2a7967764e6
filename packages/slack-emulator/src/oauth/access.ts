import { z } from "zod";
import { optionalText, type RawArguments } from "../api/args.js";
import { SlackError } from "../api/error.js";
import { parse } from "../api/method.js";
import { compact, type JsonObject } from "../json.js";
import type { App, AuthorizationCode, Token } from "../state/apps.js";
import type { World } from "../state/world.js";
import { install, issueToken, rotatedLifetime } from "./install.js";
import { createWebhook } from "./webhooks.js";

const accessArgs = z.object({
  client_id: optionalText,
  client_secret: optionalText,
  code: optionalText,
  redirect_uri: optionalText,
  grant_type: optionalText,
  refresh_token: optionalText,
});

/** `oauth.v2.access`: a code for tokens, or a refresh token for new ones. Credentials come as arguments or as Basic authorization. */
export function access(world: World, raw: RawArguments, authorization: string | undefined): JsonObject {
  const args = parse(accessArgs, raw);
  const basic = basicCredentials(authorization);
  const app = [...world.apps.values()].find((each) => each.clientId === (args.client_id ?? basic?.id));
  if (app === undefined) throw new SlackError("invalid_client_id");
  if (app.clientSecret !== (args.client_secret ?? basic?.secret)) throw new SlackError("bad_client_secret");
  if (args.grant_type === "refresh_token") return refresh(world, app, args.refresh_token);
  if (args.grant_type !== undefined && args.grant_type !== "authorization_code")
    throw new SlackError("invalid_grant_type");
  return exchange(world, app, args.code, args.redirect_uri);
}

function basicCredentials(authorization: string | undefined): { id: string; secret: string } | undefined {
  const encoded = /^Basic\s+(\S+)$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const [id = "", secret = ""] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return { id: decodeURIComponent(id), secret: decodeURIComponent(secret) };
}

function exchange(world: World, app: App, value: string | undefined, redirectUri: string | undefined): JsonObject {
  const code = world.codes.get(value ?? "");
  if (code?.appId !== app.id) throw new SlackError("invalid_code");
  if (code.used) throw new SlackError("code_already_used");
  if (code.expiresAt <= world.clock.now()) throw new SlackError("invalid_code");
  if (redirectUri !== undefined && redirectUri !== code.redirectUri) throw new SlackError("bad_redirect_uri");
  code.used = true;
  const team = world.team(code.teamId);
  const { bot, botToken, userToken } = install(world, {
    app,
    team,
    user: world.user(code.userId),
    botScopes: code.botScopes,
    userScopes: code.userScopes,
  });
  return compact({
    app_id: app.id,
    authed_user: compact({
      id: code.userId,
      ...(userToken === undefined ? {} : tokenFields(world, app, userToken, "user")),
    }),
    ...(botToken === undefined ? {} : tokenFields(world, app, botToken, "bot")),
    bot_user_id: botToken === undefined ? undefined : bot?.userId,
    team: { id: team.id, name: team.name },
    enterprise: team.enterprise === undefined ? null : { id: team.enterprise.id, name: team.enterprise.name },
    is_enterprise_install: false,
    incoming_webhook: webhookField(world, app, code),
  });
}

function tokenFields(world: World, app: App, token: Token, kind: "bot" | "user"): JsonObject {
  const fields: JsonObject = { access_token: token.value, token_type: kind, scope: token.scopes.join(",") };
  if (!app.tokenRotation) return fields;
  return { ...fields, refresh_token: issueRefreshToken(world, token, kind), expires_in: rotatedLifetime / 1000 };
}

function issueRefreshToken(world: World, token: Token, kind: "bot" | "user"): string {
  const value = `xoxe-1-${world.secret(18)}`;
  world.refreshTokens.set(value, {
    value,
    kind,
    appId: token.appId,
    teamId: token.teamId,
    userId: token.userId,
    used: false,
  });
  return value;
}

function webhookField(world: World, app: App, code: AuthorizationCode): JsonObject | undefined {
  if (!code.botScopes.includes("incoming-webhook")) return undefined;
  const channel =
    world.channels.get(code.channelId ?? "") ??
    world.channelsOf(code.teamId).find((each) => each.kind === "public" && !each.archived);
  if (channel === undefined) return undefined;
  const webhook = createWebhook(world, app.id, code.teamId, channel);
  return {
    url: `${world.baseUrl}${webhook.path}`,
    channel: `#${channel.name}`,
    channel_id: channel.id,
    configuration_url: `https://${world.team(code.teamId).domain}.slack.com/services/${webhook.botId}`,
  };
}

/** The old access token stays good until it expires; the refresh token is used up. */
function refresh(world: World, app: App, value: string | undefined): JsonObject {
  const spent = world.refreshTokens.get(value ?? "");
  if (spent === undefined || spent.used || spent.appId !== app.id) throw new SlackError("invalid_refresh_token");
  const before = [...world.tokens.values()].findLast(
    (token) =>
      token.appId === app.id &&
      token.teamId === spent.teamId &&
      token.userId === spent.userId &&
      token.kind === spent.kind,
  );
  if (before === undefined || before.revoked) throw new SlackError("token_revoked");
  spent.used = true;
  const token = issueToken(world, app, spent.teamId, spent.userId, spent.kind, before.scopes, before.botId);
  const team = world.team(spent.teamId);
  return compact({
    app_id: app.id,
    ...tokenFields(world, app, token, spent.kind),
    bot_user_id: spent.kind === "bot" ? spent.userId : undefined,
    team: { id: team.id, name: team.name },
    enterprise: team.enterprise === undefined ? null : { id: team.enterprise.id, name: team.enterprise.name },
    is_enterprise_install: false,
  });
}
