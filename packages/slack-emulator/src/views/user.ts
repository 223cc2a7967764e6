import { compact, type JsonObject } from "../json.js";
import type { Bot, Team, User, UserGroup } from "../state/people.js";
import type { World } from "../state/world.js";

/** Who a view is made for: the workspace that looks, and what its token may see. */
export interface Viewer {
  readonly teamId: string;
  readonly scopes: readonly string[];
}

/** The address of a user's picture in a size Slack offers. */
export function avatarUrl(world: World, user: User, size: number): string {
  return `${world.baseUrl}/avatars/${user.id}-${user.profile.avatarHash}-${size}.png`;
}

function imageFields(world: World, user: User): JsonObject {
  const fields: JsonObject = {};
  for (const size of [24, 32, 48, 72, 192, 512]) fields[`image_${size}`] = avatarUrl(world, user, size);
  if (user.profile.image !== undefined) {
    fields.image_1024 = avatarUrl(world, user, 1024);
    fields.image_original = user.profile.image;
    fields.is_custom_image = true;
  }
  return fields;
}

/** A user's profile object. */
export function profileView(world: World, user: User, viewer: Viewer): JsonObject {
  const { profile } = user;
  const mayReadEmail = viewer.scopes.includes("users:read.email") && user.botId === undefined;
  const [first, ...rest] = profile.realName.split(" ");
  return compact({
    title: profile.title,
    phone: profile.phone,
    skype: "",
    real_name: profile.realName,
    real_name_normalized: normalize(profile.realName),
    display_name: profile.displayName,
    display_name_normalized: normalize(profile.displayName),
    first_name: first ?? "",
    last_name: rest.join(" "),
    status_text: profile.statusText,
    status_emoji: profile.statusEmoji,
    status_expiration: 0,
    status_text_canonical: "",
    avatar_hash: profile.avatarHash,
    email: mayReadEmail ? profile.email : undefined,
    pronouns: profile.pronouns,
    bot_id: user.botId,
    api_app_id: user.appId,
    always_active: user.botId === undefined ? undefined : true,
    team: user.teamId,
    ...imageFields(world, user),
  });
}

/** A user object, as in `users.info`. */
export function userView(world: World, user: User, viewer: Viewer): JsonObject {
  const team = world.team(user.teamId);
  const stranger = !sameOrganisation(world.teams.get(viewer.teamId), team);
  return compact({
    id: user.id,
    team_id: user.teamId,
    name: user.name,
    deleted: user.deleted,
    color: user.deleted ? undefined : "9f69e7",
    real_name: user.deleted ? undefined : user.profile.realName,
    tz: user.deleted ? undefined : user.timezone,
    tz_label: user.deleted ? undefined : user.timezone,
    tz_offset: user.deleted ? undefined : 0,
    profile: profileView(world, user, viewer),
    is_admin: user.admin,
    is_owner: user.owner,
    is_primary_owner: user.owner,
    is_restricted: user.guest !== "no",
    is_ultra_restricted: user.guest === "ultra_restricted",
    is_bot: user.botId !== undefined,
    is_stranger: stranger ? true : undefined,
    is_workflow_bot: user.workflowBot === true ? true : undefined,
    is_app_user: false,
    updated: user.updated,
    is_email_confirmed: user.botId === undefined ? true : undefined,
    who_can_share_contact_card: "EVERYONE",
    enterprise_user:
      team.enterprise === undefined
        ? undefined
        : {
            id: user.id,
            enterprise_id: team.enterprise.id,
            enterprise_name: team.enterprise.name,
            is_admin: user.admin,
            is_owner: user.owner,
            is_primary_owner: user.owner,
            teams: [user.teamId],
          },
  });
}

function sameOrganisation(a: Team | undefined, b: Team): boolean {
  if (a === undefined || a.id === b.id) return true;
  return a.enterprise !== undefined && a.enterprise.id === b.enterprise?.id;
}

function normalize(name: string): string {
  return name.normalize("NFKD").replace(/\p{Mark}/gu, "");
}

function icons(world: World, userId: string): JsonObject {
  const user = world.user(userId);
  return {
    image_36: avatarUrl(world, user, 32),
    image_48: avatarUrl(world, user, 48),
    image_72: avatarUrl(world, user, 72),
  };
}

/** A bot as `bots.info` shows it. */
export function botView(world: World, bot: Bot): JsonObject {
  return {
    id: bot.id,
    deleted: bot.deleted,
    name: bot.name,
    updated: bot.updated,
    app_id: bot.appId,
    user_id: bot.userId,
    icons: icons(world, bot.userId),
  };
}

/** A bot as messages carry it. */
export function botProfileView(world: World, bot: Bot): JsonObject {
  return {
    id: bot.id,
    deleted: bot.deleted,
    name: bot.name,
    updated: bot.updated,
    app_id: bot.appId,
    icons: icons(world, bot.userId),
    team_id: bot.teamId,
  };
}

/** A user group. */
export function userGroupView(group: UserGroup, withUsers: boolean): JsonObject {
  return compact({
    id: group.id,
    team_id: group.teamId,
    is_usergroup: true,
    is_subteam: true,
    name: group.name,
    description: group.description,
    handle: group.handle,
    is_external: false,
    date_create: group.created,
    date_update: group.updated,
    date_delete: group.disabled,
    auto_provision: false,
    enterprise_subteam_id: "",
    created_by: group.createdBy,
    updated_by: group.createdBy,
    prefs: { channels: [], groups: [] },
    channel_count: 0,
    users: withUsers ? [...group.users] : undefined,
    user_count: group.users.length,
  });
}
