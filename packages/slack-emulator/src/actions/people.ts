import type { JsonObject } from "../json.js";
import type { Profile, Team, User, UserGroup } from "../state/people.js";
import type { World } from "../state/world.js";
import { userGroupView, userView } from "../views/user.js";

/** What changes in a user. */
export interface UserChange {
  readonly name?: string | undefined;
  readonly profile?: Partial<Profile> | undefined;
  readonly deleted?: boolean | undefined;
  readonly timezone?: string | undefined;
  readonly admin?: boolean | undefined;
  readonly guest?: User["guest"] | undefined;
}

/** Changes a user and tells the workspace: `user_change`, and `user_profile_changed` when the profile changed. */
export function changeUser(world: World, user: User, change: UserChange): void {
  if (change.name !== undefined) user.name = change.name;
  if (change.timezone !== undefined) user.timezone = change.timezone;
  if (change.admin !== undefined) user.admin = change.admin;
  if (change.guest !== undefined) user.guest = change.guest;
  if (change.deleted !== undefined) user.deleted = change.deleted;
  if (change.profile !== undefined) Object.assign(user.profile, change.profile);
  user.updated = world.clock.seconds();
  if (user.deleted)
    for (const channel of world.channelsOf(user.teamId)) if (channel.kind !== "im") channel.members.delete(user.id);
  const view = userView(world, user, { teamId: user.teamId, scopes: ["users:read.email"] });
  const audience = { kind: "team", teamId: user.teamId } as const;
  const cacheTs = world.clock.seconds();
  world.publish({ type: "user_change", user: view, cache_ts: cacheTs }, audience);
  if (change.profile !== undefined)
    world.publish({ type: "user_profile_changed", user: view, cache_ts: cacheTs, event_ts: world.eventTs() }, audience);
}

/** Tells the workspace that somebody joined it. */
export function announceNewUser(world: World, user: User): void {
  const view = userView(world, user, { teamId: user.teamId, scopes: ["users:read.email"] });
  world.publish(
    { type: "team_join", user: view, cache_ts: world.clock.seconds(), event_ts: world.eventTs() },
    { kind: "team", teamId: user.teamId },
  );
}

/** Adds a custom emoji; the value is a URL or `alias:name`. */
export function addEmoji(world: World, team: Team, name: string, value: string): void {
  team.emoji.set(name, value);
  announceEmoji(world, team, { subtype: "add", name, value });
}

/** Removes a custom emoji. */
export function removeEmoji(world: World, team: Team, name: string): void {
  if (team.emoji.delete(name)) announceEmoji(world, team, { subtype: "remove", names: [name] });
}

/** Renames a custom emoji. */
export function renameEmoji(world: World, team: Team, from: string, to: string): void {
  const value = team.emoji.get(from);
  if (value === undefined) return;
  team.emoji.delete(from);
  team.emoji.set(to, value);
  announceEmoji(world, team, { subtype: "rename", old_name: from, new_name: to, value });
}

function announceEmoji(world: World, team: Team, fields: JsonObject): void {
  world.publish({ type: "emoji_changed", ...fields, event_ts: world.eventTs() }, { kind: "team", teamId: team.id });
}

/** Makes or replaces a user group. */
export function saveUserGroup(world: World, group: UserGroup): void {
  const team = world.team(group.teamId);
  const type = team.userGroups.has(group.id) ? "subteam_updated" : "subteam_created";
  group.updated = world.clock.seconds();
  team.userGroups.set(group.id, group);
  world.publish(
    { type, subteam: userGroupView(group, true), event_ts: world.eventTs() },
    { kind: "team", teamId: group.teamId },
  );
}

/** Changes a workspace's name or domain; its id stays. */
export function changeTeam(
  world: World,
  team: Team,
  change: { name?: string | undefined; domain?: string | undefined },
): void {
  const tell = (event: JsonObject) => world.publish(event, { kind: "team", teamId: team.id });
  if (change.name !== undefined) {
    team.name = change.name;
    tell({ type: "team_rename", name: team.name });
  }
  if (change.domain !== undefined) {
    team.domain = change.domain;
    tell({ type: "team_domain_change", url: `https://${team.domain}.slack.com`, domain: team.domain });
  }
}
