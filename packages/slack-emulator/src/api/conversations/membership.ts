import { z } from "zod";
import { joinChannel, leaveChannel } from "../../actions/membership.js";
import { optionalText, names } from "../args.js";
import type { JsonObject } from "../../json.js";
import { channelView } from "../../views/channel.js";
import { SlackError } from "../error.js";
import { anyManageScope, channelFor, manageScopes, requireMember, requireUnarchived, userFor } from "../lookup.js";
import { type Method, method, requireScope } from "../method.js";

/** conversations.join, .leave, .invite, .kick, .mark */
export const membershipMethods: readonly Method[] = [
  method(
    "conversations.join",
    ["channels:join", "channels:write"],
    z.object({ channel: optionalText }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      if (channel.kind !== "public") throw new SlackError("method_not_supported_for_channel_type");
      requireUnarchived(channel);
      const already = channel.members.has(caller.user.id);
      joinChannel(caller.world, channel, caller.user);
      const answer: JsonObject = { channel: channelView(channel, caller.user.id, caller.team.id) };
      return already
        ? { ...answer, warning: "already_in_channel", response_metadata: { warnings: ["already_in_channel"] } }
        : answer;
    },
  ),
  method("conversations.leave", anyManageScope, z.object({ channel: optionalText }), (caller, args) => {
    const channel = channelFor(caller, args.channel);
    requireScope(caller.token, manageScopes(channel));
    requireUnarchived(channel);
    if (channel.general) throw new SlackError("cant_leave_general");
    if (channel.kind === "im") throw new SlackError("method_not_supported_for_channel_type");
    if (!channel.members.has(caller.user.id)) return { not_in_channel: true };
    if (channel.kind === "private" && channel.members.size === 1) throw new SlackError("last_member");
    leaveChannel(caller.world, channel, caller.user);
    return {};
  }),
  method(
    "conversations.invite",
    [...anyManageScope, "channels:write.invites", "groups:write.invites"],
    z.object({ channel: optionalText, users: names }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      requireUnarchived(channel);
      requireMember(caller, channel);
      if (args.users.length === 0) throw new SlackError("no_user");
      const users = args.users.map((id) => userFor(caller, id));
      if (users.length === 1 && users[0]?.id === caller.user.id) throw new SlackError("cant_invite_self");
      if (users.every((user) => channel.members.has(user.id))) throw new SlackError("already_in_channel");
      for (const user of users) joinChannel(caller.world, channel, user, caller.user);
      return { channel: channelView(channel, caller.user.id, caller.team.id) };
    },
  ),
  method(
    "conversations.kick",
    anyManageScope,
    z.object({ channel: optionalText, user: optionalText }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      requireMember(caller, channel);
      const user = userFor(caller, args.user);
      if (user.id === caller.user.id) throw new SlackError("cant_kick_self");
      if (channel.general) throw new SlackError("cant_kick_from_general");
      if (!channel.members.has(user.id)) throw new SlackError("not_in_channel");
      leaveChannel(caller.world, channel, user, caller.user);
      return { errors: {} };
    },
  ),
  method(
    "conversations.mark",
    anyManageScope,
    z.object({ channel: optionalText, ts: optionalText }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      requireMember(caller, channel);
      channel.lastRead.set(caller.user.id, args.ts ?? "0000000000.000000");
      return {};
    },
  ),
];
