import { z } from "zod";
import type { SlackConfig } from "../config.js";
import type { SlackResult, Workspace } from "../link/index.js";

const userSchema = z.looseObject({
  user: z.looseObject({
    team_id: z.string().optional(),
    deleted: z.boolean().optional(),
    is_admin: z.boolean().optional(),
    is_owner: z.boolean().optional(),
    is_primary_owner: z.boolean().optional(),
    is_restricted: z.boolean().optional(),
    is_ultra_restricted: z.boolean().optional(),
    is_stranger: z.boolean().optional(),
  }),
});

/** A person in a channel who wants to link it, or no longer. */
export interface Asker {
  readonly workspace: Workspace;
  readonly user: string;
  /** Who made the channel, where Slack tells. */
  readonly creator: string | undefined;
  readonly signal: AbortSignal;
}

/** Whether a person may decide about a channel's links: asked of Slack every time, because it can change. */
export async function mayDecide(
  who: SlackConfig["commands"]["who"],
  { workspace, user, creator, signal }: Asker,
): Promise<SlackResult<boolean>> {
  const found = await workspace.call({
    method: "users.info",
    arguments: { user },
    answer: userSchema,
    signal,
  });
  if (!found.ok) return found;
  const person = found.body.user;
  const isGuest = person.is_restricted === true || person.is_ultra_restricted === true;
  // People of another organisation share the channel, and do not own it.
  if (person.deleted === true || person.is_stranger === true || isGuest) return { ok: true, body: false };
  const isAdmin = person.is_admin === true || person.is_owner === true || person.is_primary_owner === true;
  const mayAsWell = who === "members" || (who === "creators" && creator === user);
  return { ok: true, body: isAdmin || mayAsWell };
}
