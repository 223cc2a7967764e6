import { z } from "zod";
import { changeUser } from "../actions/people.js";
import { flag, names, object, optionalText, paging, text } from "./args.js";
import { channelView, without } from "../views/channel.js";
import { slackbot } from "../state/slackbot.js";
import { botView, profileView, userGroupView, userView } from "../views/user.js";
import { SlackError } from "./error.js";
import { everyKind, knows, userFor } from "./lookup.js";
import { type Method, method, requireScope } from "./method.js";
import { ofKinds } from "./kinds.js";
import { limitOf, page } from "./paging.js";

const profileNames = {
  real_name: "realName",
  display_name: "displayName",
  title: "title",
  phone: "phone",
  pronouns: "pronouns",
  status_text: "statusText",
  status_emoji: "statusEmoji",
} as const;

/** users.*, bots.info, usergroups.* */
export const userMethods: readonly Method[] = [
  method("users.info", ["users:read"], z.object({ user: optionalText, include_locale: flag }), (caller, args) => {
    const user = userFor(caller, args.user);
    const view = userView(caller.world, user, caller.viewer);
    return { user: args.include_locale === true ? { ...view, locale: user.locale } : view };
  }),
  method("users.list", ["users:read"], z.object({ ...paging, include_locale: flag }), (caller, args) => {
    const users = [...caller.world.usersOf(caller.token.teamId), slackbot(caller.token.teamId)];
    const { items, nextCursor } = page(
      users,
      (user) => user.id,
      args.cursor,
      limitOf(args.limit, users.length + 1, 1000),
    );
    const members = items.map((user) => userView(caller.world, user, caller.viewer));
    return { members, cache_ts: caller.world.clock.seconds(), response_metadata: { next_cursor: nextCursor } };
  }),
  method("users.lookupByEmail", ["users:read.email"], z.object({ email: text }), (caller, args) => {
    const user = caller.world
      .usersOf(caller.token.teamId)
      .find((each) => each.profile.email === args.email && !each.deleted);
    if (user === undefined) throw new SlackError("users_not_found");
    return { user: userView(caller.world, user, caller.viewer) };
  }),
  method(
    "users.conversations",
    everyKind("read"),
    z.object({ ...paging, types: names, exclude_archived: flag, user: optionalText }),
    (caller, args) => {
      const user = args.user === undefined ? caller.user : userFor(caller, args.user);
      const channels = ofKinds(caller, args.types, caller.world.channelsOf(caller.token.teamId)).filter(
        (channel) =>
          channel.members.has(user.id) &&
          knows(caller, channel) &&
          !(args.exclude_archived === true && channel.archived),
      );
      const { items, nextCursor } = page(
        channels,
        (channel) => channel.id,
        args.cursor,
        limitOf(args.limit, 100, 1000),
      );
      const views = items.map((channel) => without(channelView(channel, user.id, caller.token.teamId), "is_member"));
      return { channels: views, response_metadata: { next_cursor: nextCursor } };
    },
  ),
  method(
    "users.profile.get",
    ["users.profile:read", "users:read"],
    z.object({ user: optionalText }),
    (caller, args) => {
      requireScope(caller.token, ["users.profile:read"]);
      const user = args.user === undefined ? caller.user : userFor(caller, args.user);
      return { profile: without(profileView(caller.world, user, caller.viewer), "team", "bot_id", "api_app_id") };
    },
  ),
  method(
    "users.profile.set",
    ["users.profile:write"],
    z.object({ name: optionalText, value: optionalText, profile: object }),
    (caller, args) => {
      const wanted = args.profile ?? (args.name === undefined ? {} : { [args.name]: args.value ?? "" });
      const change: Record<string, string> = {};
      for (const [field, property] of Object.entries(profileNames)) {
        const value = wanted[field];
        if (typeof value === "string") change[property] = value;
      }
      changeUser(caller.world, caller.user, { profile: change });
      return {
        username: caller.user.name,
        profile: without(profileView(caller.world, caller.user, caller.viewer), "team", "bot_id", "api_app_id"),
      };
    },
    ["user"],
  ),
  method("users.getPresence", ["users:read"], z.object({ user: optionalText }), (caller, args) => ({
    presence: (args.user === undefined ? caller.user : userFor(caller, args.user)).presence,
  })),
  method("users.setPresence", ["users:write"], z.object({ presence: z.enum(["auto", "away"]) }), (caller, args) => {
    caller.user.presence = args.presence === "away" ? "away" : "active";
    return {};
  }),
  method("bots.info", ["users:read"], z.object({ bot: optionalText }), (caller, args) => {
    const bot = caller.world.bots.get(args.bot ?? caller.token.botId ?? "");
    if (bot === undefined) throw new SlackError("bot_not_found");
    return { bot: botView(caller.world, bot) };
  }),
  method(
    "usergroups.list",
    ["usergroups:read"],
    z.object({ include_users: flag, include_disabled: flag, include_count: flag }),
    (caller, args) => {
      const groups = [...caller.team.userGroups.values()].filter(
        (group) => args.include_disabled === true || group.disabled === 0,
      );
      return { usergroups: groups.map((group) => userGroupView(group, args.include_users === true)) };
    },
  ),
  method(
    "usergroups.users.list",
    ["usergroups:read"],
    z.object({ usergroup: text, include_disabled: flag }),
    (caller, args) => {
      const group = caller.team.userGroups.get(args.usergroup);
      if (group === undefined) throw new SlackError("no_such_subteam");
      return { users: [...group.users] };
    },
  ),
];
