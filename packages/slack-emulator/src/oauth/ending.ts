import type { Token } from "../state/apps.js";
import type { World } from "../state/world.js";

/** Revokes tokens and tells their apps: `tokens_revoked` with the users they belonged to. */
export function endTokens(world: World, tokens: readonly Token[], announce = true): void {
  const groups = new Map<string, Token[]>();
  for (const token of tokens) {
    if (token.revoked) continue;
    token.revoked = true;
    const key = `${token.appId} ${token.teamId}`;
    groups.set(key, [...(groups.get(key) ?? []), token]);
  }
  for (const group of groups.values()) {
    const first = group[0];
    if (first === undefined) continue;
    if (announce && first.kind !== "app") {
      const oauth = group.filter((token) => token.kind === "user").map((token) => token.userId);
      const bot = group.filter((token) => token.kind === "bot").map((token) => token.userId);
      world.publish(
        { type: "tokens_revoked", tokens: { oauth, bot }, event_ts: world.eventTs() },
        { kind: "app", appId: first.appId, teamId: first.teamId },
      );
    }
  }
  world.tokensEnded(tokens);
}

/** Removes an app from a workspace: its tokens end, its bot is deactivated, and it is told with `app_uninstalled`. */
export function uninstall(world: World, appId: string, teamId: string): void {
  const tokens = world.tokensOf(appId).filter((token) => token.teamId === teamId);
  if (tokens.length === 0) return;
  endTokens(world, tokens);
  world.publish({ type: "app_uninstalled" }, { kind: "app", appId, teamId });
  for (const bot of world.bots.values()) {
    if (bot.appId !== appId || bot.teamId !== teamId) continue;
    bot.deleted = true;
    world.user(bot.userId).deleted = true;
  }
  for (const token of world.refreshTokens.values())
    if (token.appId === appId && token.teamId === teamId) token.used = true;
  for (const webhook of world.webhooks.values())
    if (webhook.appId === appId && webhook.teamId === teamId) webhook.revoked = true;
}
