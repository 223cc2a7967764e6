import { z } from "zod";
import { deleteMessage, editMessage, postMessage } from "../actions/messages.js";
import { flag, object, objects, optionalText, text } from "./args.js";
import { compact, type JsonObject } from "../json.js";
import type { Channel } from "../state/channels.js";
import type { Message } from "../state/messages.js";
import { permalink, without } from "../views/channel.js";
import { messageView } from "../views/message.js";
import { attachUnfurls } from "../actions/unfurl.js";
import { content, type Content, postableChannel } from "./chat-content.js";
import { SlackError } from "./error.js";
import { channelFor, messageIn, requireMember, requireUnarchived, userFor } from "./lookup.js";
import { type Caller, type Method, method, requireScope } from "./method.js";

const body = {
  channel: optionalText,
  text: text.optional(),
  markdown_text: text.optional(),
  blocks: objects,
  attachments: objects,
};

const identity = { username: optionalText, icon_emoji: optionalText, icon_url: optionalText };

function disguise(
  caller: Caller,
  args: { username?: string | undefined; icon_emoji?: string | undefined; icon_url?: string | undefined },
): { username?: string; icons?: JsonObject } {
  if (args.username === undefined && args.icon_emoji === undefined && args.icon_url === undefined) return {};
  requireScope(caller.token, ["chat:write.customize"]);
  const icons: JsonObject = {};
  if (args.icon_emoji !== undefined) icons.emoji = args.icon_emoji;
  else if (args.icon_url !== undefined) for (const size of [36, 48, 72]) icons[`image_${size}`] = args.icon_url;
  return { username: args.username ?? caller.app.name, ...(Object.keys(icons).length === 0 ? {} : { icons }) };
}

function withWarning(answer: JsonObject, truncated: boolean): JsonObject {
  if (!truncated) return answer;
  return {
    ...answer,
    warning: "message_truncated",
    response_metadata: {
      messages: ["[WARN] The message text was cut at 40000 characters [json-pointer:/text]"],
      warnings: ["message_truncated"],
    },
  };
}

function metadataOf(metadata: JsonObject | undefined): JsonObject | undefined {
  if (metadata === undefined) return undefined;
  const shape = z
    .object({ event_type: z.string().min(1), event_payload: z.record(z.string(), z.json()) })
    .safeParse(metadata);
  if (!shape.success) throw new SlackError("invalid_metadata_format");
  return shape.data;
}

/** The message of an app that this caller may change. */
function ownMessage(caller: Caller, channel: Channel, ts: string | undefined, error: string): Message {
  const message = messageIn(channel, ts);
  const bot = caller.token.kind === "bot" && message.botId !== undefined && message.botId === caller.token.botId;
  const person = message.userId === caller.user.id;
  const system =
    message.subtype !== undefined &&
    !["bot_message", "me_message", "thread_broadcast", "file_share"].includes(message.subtype);
  if (system || !(bot || person)) throw new SlackError(error);
  return message;
}

function viewOf(caller: Caller, channel: Channel, message: Message): JsonObject {
  return messageView(caller.world, channel, message, { metadata: true, root: true });
}

const post = method(
  "chat.postMessage",
  ["chat:write", "chat:write:bot"],
  z.object({
    ...body,
    ...identity,
    thread_ts: optionalText,
    reply_broadcast: flag,
    metadata: object,
    unfurl_links: flag,
    unfurl_media: flag,
    mrkdwn: flag,
    parse: optionalText,
    link_names: flag,
    as_user: flag,
  }),
  (caller, args) => {
    const channel = postableChannel(caller, args.channel);
    const found: Content = content(args);
    if (args.thread_ts !== undefined && channel.messages.get(args.thread_ts) === undefined)
      throw new SlackError("invalid_thread_ts");
    const message = postMessage(caller.world, channel, caller.author, {
      text: found.text,
      blocks: args.blocks,
      attachments: args.attachments,
      threadTs: args.thread_ts,
      broadcast: args.thread_ts !== undefined && args.reply_broadcast === true,
      metadata: metadataOf(args.metadata),
      unfurl: args.unfurl_links !== false,
      ...disguise(caller, args),
    });
    return withWarning(
      { channel: channel.id, ts: message.ts, message: viewOf(caller, channel, message) },
      found.truncated,
    );
  },
);

const update = method(
  "chat.update",
  ["chat:write"],
  z.object({ ...body, ts: optionalText, metadata: object, reply_broadcast: flag }),
  (caller, args) => {
    const channel = channelFor(caller, args.channel);
    requireUnarchived(channel);
    const message = ownMessage(caller, channel, args.ts, "cant_update_message");
    const { editWindowMinutes } = caller.limits;
    if (editWindowMinutes !== undefined && caller.world.clock.seconds() - Number(message.ts) > editWindowMinutes * 60)
      throw new SlackError("edit_window_closed");
    const found = content(args);
    editMessage(
      caller.world,
      channel,
      message,
      caller.token.kind === "bot" ? (caller.token.botId ?? "") : caller.user.id,
      {
        text: args.text === undefined && args.markdown_text === undefined ? undefined : found.text,
        blocks: args.blocks,
        attachments: args.attachments,
        metadata: metadataOf(args.metadata),
      },
    );
    const view = without(
      messageView(caller.world, channel, message, { metadata: true }),
      "ts",
      "subtype",
      "thread_ts",
      "parent_user_id",
    );
    return withWarning({ channel: channel.id, ts: message.ts, text: message.text, message: view }, found.truncated);
  },
);

/** chat.* */
export const chatMethods: readonly Method[] = [
  post,
  update,
  method(
    "chat.delete",
    ["chat:write"],
    z.object({ channel: optionalText, ts: optionalText, as_user: flag }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      requireUnarchived(channel);
      const message = ownMessage(caller, channel, args.ts, "cant_delete_message");
      deleteMessage(caller.world, channel, message);
      return { channel: channel.id, ts: message.ts };
    },
  ),
  method(
    "chat.meMessage",
    ["chat:write"],
    z.object({ channel: optionalText, text: text.optional() }),
    (caller, args) => {
      const channel = postableChannel(caller, args.channel);
      if (args.text === undefined || args.text === "") throw new SlackError("no_text");
      const message = postMessage(
        caller.world,
        channel,
        { user: caller.user },
        { text: args.text, subtype: "me_message" },
      );
      return { channel: channel.id, ts: message.ts };
    },
  ),
  method(
    "chat.postEphemeral",
    ["chat:write"],
    z.object({ ...body, ...identity, user: optionalText, thread_ts: optionalText }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      requireUnarchived(channel);
      requireMember(caller, channel);
      const user = userFor(caller, args.user);
      if (!channel.members.has(user.id)) throw new SlackError("user_not_in_channel");
      const { text: said } = content(args);
      const ts = channel.timestamps.next(caller.world.clock.now());
      channel.ephemerals.push({
        ts,
        userId: user.id,
        text: said,
        fields: compact({
          blocks: args.blocks,
          attachments: args.attachments,
          thread_ts: args.thread_ts,
          bot_id: caller.token.botId,
        }),
      });
      return { message_ts: ts };
    },
  ),
  method("chat.getPermalink", [], z.object({ channel: optionalText, message_ts: optionalText }), (caller, args) => {
    const channel = channelFor(caller, args.channel);
    const message = messageIn(channel, args.message_ts);
    return {
      channel: channel.id,
      permalink: permalink(caller.world, channel, message.ts, message.threadTs, caller.team.id),
    };
  }),
  method(
    "chat.unfurl",
    ["links:write"],
    z.object({ channel: optionalText, ts: optionalText, unfurls: object }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      const message = messageIn(channel, args.ts, "cannot_find_message");
      if (args.unfurls === undefined) throw new SlackError("missing_unfurls");
      const attachments = Object.entries(args.unfurls).map(([url, unfurl], at) => ({
        id: at + 1,
        from_url: url,
        app_unfurl_url: url,
        is_app_unfurl: true,
        app_id: caller.app.id,
        ...(typeof unfurl === "object" && unfurl !== null && !Array.isArray(unfurl) ? unfurl : {}),
      }));
      attachUnfurls(caller.world, channel, message, attachments);
      return {};
    },
  ),
];
