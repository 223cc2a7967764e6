import { compact, type Json, type JsonObject } from "../json.js";
import type { App, Token } from "../state/apps.js";
import type { Channel } from "../state/channels.js";
import type { World } from "../state/world.js";
import { authorizationView } from "./authorizations.js";

/** What the outer part of an event says. */
export interface EnvelopeParts {
  readonly app: App;
  /** The workspace it happened in. */
  readonly teamId: string;
  readonly event: JsonObject;
  readonly eventId: string;
  readonly authorization: Token | undefined;
  readonly channel: Channel | undefined;
}

/** The body Slack sends for an event. */
export function eventCallback(world: World, parts: EnvelopeParts): JsonObject {
  const { app, channel, teamId } = parts;
  const enterprise = world.teams.get(teamId)?.enterprise?.id;
  const authorizations: Json[] =
    parts.authorization === undefined ? [] : [authorizationView(world, parts.authorization)];
  const contextTeam = parts.authorization?.teamId ?? teamId;
  return compact({
    token: app.verificationToken,
    team_id: teamId,
    enterprise_id: enterprise,
    context_team_id: contextTeam,
    context_enterprise_id: world.teams.get(contextTeam)?.enterprise?.id ?? null,
    api_app_id: app.id,
    event: parts.event,
    type: "event_callback",
    event_id: parts.eventId,
    event_time: world.clock.seconds(),
    authorizations,
    is_ext_shared_channel: channel?.externallyShared ?? false,
    event_context: eventContext(parts),
  });
}

/** The key with which `apps.event.authorizations.list` finds all who could have got the event. */
export function eventContext(parts: { readonly eventId: string; readonly app: App; readonly teamId: string }): string {
  return `4-${Buffer.from(JSON.stringify({ et: parts.eventId, tid: parts.teamId, aid: parts.app.id })).toString("base64url")}`;
}
