import { z } from "zod";

const tokenSchema = z.object({
  value: z.string().min(1),
  /** With token rotation: what a new token is made of. */
  refresh: z.string().min(1).optional(),
  /** When it ends, in milliseconds since 1970. */
  expiresAt: z.number().optional(),
  /** How long it was given for, in milliseconds. */
  lifetimeMs: z.number().optional(),
});

/** A token with what keeps it alive. */
export type Token = z.output<typeof tokenSchema>;

export const installationSchema = z.object({
  /** The workspace, or the organisation where the app is installed in all of it. */
  id: z.string().min(1),
  name: z.string(),
  /** The workspace's address, `https://example.slack.com/`, where it is known. */
  url: z.string().optional(),
  enterprise: z.string().optional(),
  appId: z.string().optional(),
  botUser: z.string().min(1),
  /** The bot as `bots.info` and `bot_id` in messages know it. */
  bot: z.string().optional(),
  scopes: z.array(z.string()),
  token: tokenSchema,
});

/** The app in one workspace. */
export type Installation = z.output<typeof installationSchema>;

const ownerSchema = z.looseObject({ id: z.string().min(1), name: z.string().nullish() });

/** The answer of `oauth.v2.access`, for a new installation as for a refreshed token. */
export const accessSchema = z.looseObject({
  access_token: z.string().min(1),
  token_type: z.string().optional(),
  scope: z.string().default(""),
  bot_user_id: z.string().optional(),
  app_id: z.string().optional(),
  team: ownerSchema.nullish(),
  enterprise: ownerSchema.nullish(),
  is_enterprise_install: z.boolean().optional(),
  refresh_token: z.string().optional(),
  /** In seconds. */
  expires_in: z.number().positive().optional(),
  authed_user: z
    .looseObject({
      id: z.string(),
      access_token: z.string().optional(),
      scope: z.string().optional(),
      refresh_token: z.string().optional(),
      expires_in: z.number().positive().optional(),
    })
    .optional(),
});
export type Access = z.output<typeof accessSchema>;

/** The answer of `auth.test`. */
export const authTestSchema = z.looseObject({
  url: z.string().optional(),
  team: z.string().optional(),
  team_id: z.string().min(1),
  user_id: z.string().min(1),
  bot_id: z.string().optional(),
  enterprise_id: z.string().nullish(),
  is_enterprise_install: z.boolean().optional(),
  response_metadata: z.looseObject({ scopes: z.array(z.string()).optional() }).optional(),
});
export type AuthTest = z.output<typeof authTestSchema>;

/** A token as `oauth.v2.access` gave it, counted from `now` (milliseconds since 1970). */
export function tokenFrom(
  given: {
    readonly access_token: string;
    readonly refresh_token?: string | undefined;
    readonly expires_in?: number | undefined;
  },
  now: number,
): Token {
  const { access_token, refresh_token, expires_in } = given;
  const lifetimeMs = expires_in === undefined ? undefined : expires_in * 1_000;
  return {
    value: access_token,
    ...(refresh_token !== undefined && { refresh: refresh_token }),
    ...(lifetimeMs !== undefined && { lifetimeMs, expiresAt: now + lifetimeMs }),
  };
}

/** An installation of which Slack has told in `auth.test`. */
export function installationFrom(tested: AuthTest, token: Token, more: Partial<Installation> = {}): Installation {
  const { team_id, team, url, user_id, bot_id, enterprise_id, is_enterprise_install, response_metadata } = tested;
  const wholeOrganisation = is_enterprise_install === true && typeof enterprise_id === "string";
  return {
    id: wholeOrganisation ? enterprise_id : team_id,
    name: team ?? team_id,
    ...(url !== undefined && { url }),
    ...(typeof enterprise_id === "string" && { enterprise: enterprise_id }),
    botUser: user_id,
    ...(bot_id !== undefined && { bot: bot_id }),
    scopes: response_metadata?.scopes ?? [],
    ...more,
    token,
  };
}
