import { z } from "zod";

const id = z.string().min(1).max(255);
/** Slack writes `null` where it means nothing. */
const idOrNothing = id.nullish().catch(undefined);

const authorizationSchema = z.looseObject({
  team_id: idOrNothing,
  enterprise_id: idOrNothing,
  user_id: idOrNothing,
  is_bot: z.boolean().optional(),
  is_enterprise_install: z.boolean().optional(),
});

/** What the Events API sends for something that happened. What is not named here is kept as it came. */
export const eventSchema = z.looseObject({
  type: z.literal("event_callback"),
  event_id: id,
  api_app_id: z.string(),
  team_id: idOrNothing,
  enterprise_id: idOrNothing,
  context_team_id: idOrNothing,
  event_time: z.number().optional(),
  authorizations: z.array(authorizationSchema).nullish(),
  event: z.looseObject({ type: id }),
});
export type SlackEvent = z.output<typeof eventSchema>;

/** What somebody typed behind a slash command of the app. */
export const commandSchema = z.looseObject({
  command: id,
  trigger_id: id,
  api_app_id: z.string().optional(),
  team_id: id,
  channel_id: id,
  user_id: id,
  text: z.string().default(""),
});
export type SlackCommand = z.output<typeof commandSchema>;

/** Slack sends less than there is, because there is too much: what is missing must be fetched. */
export const rateLimitedSchema = z.looseObject({
  type: z.literal("app_rate_limited"),
  team_id: id,
  api_app_id: z.string(),
  minute_rate_limited: z.number().optional(),
});

/**
 * The workspace in which the app is installed. In a channel that several organisations share, `team_id` is where the
 * event began, which may be another one's.
 */
export function teamOf(event: SlackEvent): string | undefined {
  const [authorization] = event.authorizations ?? [];
  return (
    authorization?.team_id ??
    event.context_team_id ??
    event.team_id ??
    authorization?.enterprise_id ??
    event.enterprise_id ??
    undefined
  );
}

/** The organisation (Enterprise Grid) the workspace is part of. */
export function organisationOf(event: SlackEvent): string | undefined {
  const [authorization] = event.authorizations ?? [];
  return authorization?.enterprise_id ?? event.enterprise_id ?? undefined;
}

const placedSchema = z.looseObject({
  channel: z
    .union([id, z.looseObject({ id })])
    .optional()
    .catch(undefined),
  channel_id: id.optional().catch(undefined),
  item: z.looseObject({ channel: id }).optional().catch(undefined),
});

/** The conversation an event is about; `undefined` where it is about the workspace. */
export function channelOf(event: SlackEvent["event"]): string | undefined {
  const { channel, channel_id, item } = placedSchema.parse(event);
  return (typeof channel === "object" ? channel.id : channel) ?? channel_id ?? item?.channel;
}
