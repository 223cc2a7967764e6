import type { JsonObject } from "../json.js";
import type { App } from "../state/apps.js";
import type { World } from "../state/world.js";
import type { HttpPoster } from "./http-post.js";
import { signatureHeaders } from "./signature.js";

/** The body that tells an app it got too many events in a minute: it has no inner event. */
export function rateLimitNotice(world: World, app: App, teamId: string): JsonObject {
  return {
    token: app.verificationToken,
    type: "app_rate_limited",
    team_id: teamId,
    minute_rate_limited: Math.floor(world.clock.seconds() / 60) * 60,
    api_app_id: app.id,
  };
}

/** Asks a request URL to prove itself, as Slack does when it is entered; false when it does not return the challenge. */
export async function verifyUrl(world: World, app: App, poster: HttpPoster): Promise<boolean> {
  const challenge = world.secret(16);
  const body = JSON.stringify({ token: app.verificationToken, challenge, type: "url_verification" });
  const headers = { "content-type": "application/json", ...signatureHeaders(app.signingSecret, body, Date.now()) };
  const result = await poster.post(app.requestUrl ?? "", headers, body);
  return "answer" in result && result.answer.status === 200 && result.answer.body.includes(challenge);
}
