import type { Check } from "@trestle/core";
import { z } from "zod";
import { botScopes } from "../config.js";
import { authTestSchema } from "../link/installations/installation.js";
import type { Examination } from "./doctor.js";

/** Without these nothing is bridged at all. */
const indispensable: ReadonlySet<string> = new Set(["channels:history", "channels:read", "chat:write", "users:read"]);
const botSchema = z.looseObject({ bot: z.looseObject({ app_id: z.string().optional() }) });

export interface WorkspaceChecks {
  readonly checks: readonly Check[];
  /** The apps of the bot tokens, as far as Slack told them. */
  readonly apps: ReadonlyMap<string, string>;
}

/** Are the bot tokens of the configuration good, and may they do what the bridge does? */
export async function checkWorkspaces(examination: Examination): Promise<WorkspaceChecks> {
  const { config } = examination;
  const checks: Check[] = [];
  const apps = new Map<string, string>();
  const teams = new Map<string, number>();
  for (const [index, { botToken }] of config.workspaces.entries()) {
    const key = `workspaces[${index}].botToken`;
    const { api, signal } = examination;
    const tested = await api.call({
      team: "doctor",
      token: botToken,
      method: "auth.test",
      answer: authTestSchema,
      signal,
    });
    if (!tested.ok) {
      checks.push({
        check: "token",
        state: "failed",
        text: `${key}: ${tested.reason}.`,
        cure: "Install the app in the workspace again and copy the Bot User OAuth Token (OAuth & Permissions).",
      });
      continue;
    }
    const { team = "", team_id, bot_id, response_metadata } = tested.body;
    const where = team === "" ? team_id : `${team} (${team_id})`;
    checks.push(tokenCheck({ key, where, twice: teams.get(team_id) }));
    teams.set(team_id, index);
    checks.push(scopesCheck(where, response_metadata?.scopes));
    if (bot_id === undefined) continue;
    const bot = await api.call({
      team: "doctor",
      token: botToken,
      method: "bots.info",
      arguments: { bot: bot_id },
      answer: botSchema,
      signal,
    });
    if (bot.ok && bot.body.bot.app_id !== undefined) apps.set(where, bot.body.bot.app_id);
  }
  checks.push(...appChecks(config.appId, apps));
  if (config.oauth !== undefined)
    checks.push({
      check: "installations",
      state: "skipped",
      text: "Workspaces in which people installed the app are known to the running bridge: see trestle status.",
    });
  return { checks, apps };
}

interface TokenFound {
  readonly key: string;
  readonly where: string;
  /** The token of the same workspace that came before. */
  readonly twice: number | undefined;
}

function tokenCheck({ key, where, twice }: TokenFound): Check {
  if (twice === undefined) return { check: "token", state: "ok", text: `${key} is good: it is the app's in ${where}.` };
  return {
    check: "token",
    state: "warning",
    text: `${key} is for ${where}, as workspaces[${twice}].botToken is.`,
    cure: "Remove one of them.",
  };
}

function scopesCheck(where: string, granted: readonly string[] | undefined): Check {
  if (granted === undefined)
    return { check: "scopes", state: "skipped", text: `Slack does not tell what the app may do in ${where}.` };
  const missing = botScopes.filter((scope) => !granted.includes(scope));
  if (missing.length === 0)
    return { check: "scopes", state: "ok", text: `The app has every scope in ${where} that the bridge uses.` };
  return {
    check: "scopes",
    state: missing.some((scope) => indispensable.has(scope)) ? "failed" : "warning",
    text: `The app lacks scopes in ${where}: ${missing.join(", ")}. It needs: ${botScopes.join(", ")}.`,
    cure: "Add them (OAuth & Permissions, or App Manifest with bridges/slack/manifest.yaml) and install the app again.",
  };
}

function appChecks(configured: string | undefined, apps: ReadonlyMap<string, string>): readonly Check[] {
  if (configured === undefined) return [];
  return [...apps].flatMap(([where, app]) =>
    app === configured
      ? []
      : [
          {
            check: "app",
            state: "failed",
            text: `The bot token for ${where} is of the app ${app}, but appId says ${configured}: its events are refused.`,
            cure: "Correct appId, or leave it out.",
          } as const,
        ],
  );
}
