import type { Express, Request, Response } from "express";
import type { World } from "../state/world.js";
import type { Consent, Consents } from "./consent.js";

const codeLifetime = 600_000;

/** `/oauth/v2/authorize`: nobody has to press a button, the answer is what was decided before. */
export function authorizePage(application: Express, world: World, consents: Consents): void {
  application.get("/oauth/v2/authorize", (request, response) => authorize(world, consents, request, response));
}

function refuse(response: Response, error: string): void {
  response
    .status(400)
    .type("html")
    .send(
      `<!DOCTYPE html><title>Error</title><p>Something went wrong when authorizing this app.</p><code>${error}</code>`,
    );
}

function authorize(world: World, consents: Consents, request: Request, response: Response): void {
  const query = new URL(request.originalUrl, "http://emulator").searchParams;
  const app = [...world.apps.values()].find((each) => each.clientId === query.get("client_id"));
  if (app === undefined) {
    refuse(response, "invalid_client_id");
    return;
  }
  const redirectUri = query.get("redirect_uri") ?? app.redirectUrls[0];
  if (redirectUri === undefined || !URL.canParse(redirectUri)) {
    refuse(response, "bad_redirect_uri");
    return;
  }
  if (app.redirectUrls.length > 0 && !app.redirectUrls.some((allowed) => redirectUri.startsWith(allowed))) {
    refuse(response, "bad_redirect_uri");
    return;
  }
  const botScopes = listOf(query.get("scope"));
  const userScopes = listOf(query.get("user_scope"));
  if (botScopes.length === 0 && userScopes.length === 0) {
    refuse(response, "missing_scope");
    return;
  }
  const consent = consents.get(app.id) ?? firstPerson(world);
  const target = new URL(redirectUri);
  const state = query.get("state");
  if (consent === undefined || consent.denied) {
    target.searchParams.set("error", "access_denied");
  } else {
    world.forgetExpired();
    const code = `${consent.teamId}.${world.secret(16)}`;
    const expiresAt = world.clock.now() + codeLifetime;
    world.codes.set(code, {
      value: code,
      appId: app.id,
      teamId: consent.teamId,
      userId: consent.userId,
      channelId: consent.channelId,
      botScopes,
      userScopes,
      redirectUri,
      expiresAt,
      used: false,
    });
    target.searchParams.set("code", code);
  }
  if (state !== null) target.searchParams.set("state", state);
  response.redirect(302, target.href);
}

function listOf(scopes: string | null): string[] {
  return (scopes ?? "").split(/[\s,]+/).filter((scope) => scope !== "");
}

function firstPerson(world: World): Consent | undefined {
  const user = [...world.users.values()].find((each) => each.botId === undefined && !each.deleted);
  return user === undefined ? undefined : { teamId: user.teamId, userId: user.id, denied: false };
}
