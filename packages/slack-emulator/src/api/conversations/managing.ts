import { z } from "zod";
import {
  archiveChannel,
  createChannel,
  openDirect,
  renameChannel,
  setNote,
  unarchiveChannel,
} from "../../actions/channels.js";
import { flag, names, optionalText, text } from "../args.js";
import type { JsonObject } from "../../json.js";
import type { Channel } from "../../state/channels.js";
import { channelView, without } from "../../views/channel.js";
import { SlackError } from "../error.js";
import { anyManageScope, channelFor, manageScopes, requireMember, requireUnarchived, userFor } from "../lookup.js";
import { type Caller, type Method, method, requireScope } from "../method.js";

const longestName = 80;
const longestNote = 250;

function checkName(caller: Caller, name: string | undefined): string {
  if (name === undefined) throw new SlackError("invalid_name_required");
  if (name.length > longestName) throw new SlackError("invalid_name_maxlength");
  if (/[\s.,!?"'#@:;(){}[\]<>/\\|*~`^+=&%$]/u.test(name) || name !== name.toLowerCase())
    throw new SlackError("invalid_name_specials");
  if (caller.world.channelsOf(caller.team.id).some((channel) => channel.name === name))
    throw new SlackError("name_taken");
  return name;
}

function manageable(caller: Caller, id: string | undefined): Channel {
  const channel = channelFor(caller, id);
  if (channel.kind === "im") throw new SlackError("method_not_supported_for_channel_type");
  requireScope(caller.token, manageScopes(channel));
  return channel;
}

function noteMethod(name: "topic" | "purpose"): Method {
  const methodName = name === "topic" ? "conversations.setTopic" : "conversations.setPurpose";
  const scopes = [...anyManageScope, `channels:write.${name}`, `groups:write.${name}`];
  return method(
    methodName,
    scopes,
    z.object({ channel: optionalText, topic: text.optional(), purpose: text.optional() }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      requireUnarchived(channel);
      requireMember(caller, channel);
      const value = args[name] ?? "";
      if (value.length > longestNote) throw new SlackError("too_long");
      setNote(caller.world, channel, caller.user, name, value);
      return { channel: channelView(channel, caller.user.id, caller.team.id) };
    },
  );
}

/** conversations.create, .rename, .archive, .unarchive, .setTopic, .setPurpose, .open, .close */
export const managingMethods: readonly Method[] = [
  method("conversations.create", anyManageScope, z.object({ name: optionalText, is_private: flag }), (caller, args) => {
    const kind = args.is_private === true ? "private" : "public";
    requireScope(caller.token, kind === "public" ? ["channels:manage", "channels:write"] : ["groups:write"]);
    const name = checkName(caller, args.name);
    const channel = createChannel(caller.world, {
      kind,
      name,
      teamId: caller.team.id,
      creatorId: caller.user.id,
      members: [caller.user.id],
    });
    return { channel: channelView(channel, caller.user.id, caller.team.id) };
  }),
  method(
    "conversations.rename",
    anyManageScope,
    z.object({ channel: optionalText, name: optionalText }),
    (caller, args) => {
      const channel = manageable(caller, args.channel);
      requireUnarchived(channel);
      requireMember(caller, channel);
      if (channel.general) throw new SlackError("not_authorized");
      renameChannel(caller.world, channel, caller.user, checkName(caller, args.name));
      return { channel: channelView(channel, caller.user.id, caller.team.id) };
    },
  ),
  method("conversations.archive", anyManageScope, z.object({ channel: optionalText }), (caller, args) => {
    const channel = manageable(caller, args.channel);
    if (channel.general) throw new SlackError("cant_archive_general");
    if (channel.archived) throw new SlackError("already_archived");
    requireMember(caller, channel);
    archiveChannel(caller.world, channel, caller.user);
    return {};
  }),
  method("conversations.unarchive", anyManageScope, z.object({ channel: optionalText }), (caller, args) => {
    const channel = manageable(caller, args.channel);
    if (!channel.archived) throw new SlackError("not_archived");
    unarchiveChannel(caller.world, channel, caller.user);
    return {};
  }),
  noteMethod("topic"),
  noteMethod("purpose"),
  method(
    "conversations.open",
    ["im:write", "mpim:write", "channels:manage"],
    z.object({ channel: optionalText, users: names, return_im: flag, prevent_creation: flag }),
    (caller, args) => {
      if (args.channel !== undefined)
        return {
          no_op: true,
          already_open: true,
          channel: direct(caller, channelFor(caller, args.channel), args.return_im),
        };
      if (args.users.length === 0) throw new SlackError("users_list_not_supplied");
      if (args.users.length > 8) throw new SlackError("too_many_users");
      const users = args.users.map((id) => userFor(caller, id));
      requireScope(caller.token, users.length > 1 ? ["mpim:write"] : ["im:write"]);
      const { channel, created } = openDirect(caller.world, caller.user, users);
      const answer: JsonObject = { channel: direct(caller, channel, args.return_im) };
      return created ? answer : { no_op: true, already_open: true, ...answer };
    },
  ),
  method("conversations.close", ["im:write", "mpim:write"], z.object({ channel: optionalText }), (caller, args) => {
    const channel = channelFor(caller, args.channel);
    if (channel.kind !== "im" && channel.kind !== "mpim") throw new SlackError("method_not_supported_for_channel_type");
    return {};
  }),
];

function direct(caller: Caller, channel: Channel, whole: boolean | undefined): JsonObject {
  if (whole !== true) return { id: channel.id };
  const view = channelView(channel, caller.user.id, caller.team.id);
  return channel.kind === "im" ? { ...view, is_open: true } : without(view, "is_member");
}
