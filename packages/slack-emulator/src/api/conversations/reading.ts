import { z } from "zod";
import { compact, type Json } from "../../json.js";
import { flag, names, optionalText, paging, whole } from "../args.js";
import type { Message } from "../../state/messages.js";
import { parseTs } from "../../state/timestamps.js";
import { channelView, without } from "../../views/channel.js";
import { messageView } from "../../views/message.js";
import { SlackError } from "../error.js";
import { ofKinds, readScope } from "../kinds.js";
import { channelFor, everyKind, knows, readableChannel } from "../lookup.js";
import { type Caller, type Method, method, requireScope } from "../method.js";
import { limitOf, page } from "../paging.js";

const span = { oldest: optionalText, latest: optionalText, inclusive: flag, include_all_metadata: flag };

function micros(ts: string | undefined, name: string): number | undefined {
  if (ts === undefined || ts === "0" || ts === "now") return undefined;
  const value = parseTs(ts);
  if (value === undefined) throw new SlackError(`invalid_ts_${name}`);
  return value;
}

/** The messages between two timestamps, both left out unless `inclusive`. */
function within(
  messages: readonly Message[],
  args: { oldest?: string | undefined; latest?: string | undefined; inclusive?: boolean | undefined },
): Message[] {
  const oldest = micros(args.oldest, "oldest");
  const latest = micros(args.latest, "latest");
  return messages.filter((message) => {
    const at = parseTs(message.ts) ?? 0;
    if (args.inclusive === true)
      return (oldest === undefined || at >= oldest) && (latest === undefined || at <= latest);
    return (oldest === undefined || at > oldest) && (latest === undefined || at < latest);
  });
}

function views(
  caller: Caller,
  channelId: string,
  messages: readonly Message[],
  metadata: boolean,
  root: boolean,
): Json[] {
  const channel = caller.world.channel(channelId);
  // Without include_all_metadata only the type of foreign metadata is left out: all of it is.
  return messages.map((message) =>
    messageView(caller.world, channel, message, { reactions: true, thread: true, root, metadata }),
  );
}

/** conversations.list, .info, .members, .history, .replies */
export const readingMethods: readonly Method[] = [
  method(
    "conversations.list",
    everyKind("read"),
    z.object({ ...paging, types: names, exclude_archived: flag, team_id: optionalText }),
    (caller, args) => {
      const known = caller.world.channelsOf(caller.token.teamId).filter((channel) => knows(caller, channel));
      const channels = ofKinds(caller, args.types, known).filter(
        (channel) => !(args.exclude_archived === true && channel.archived),
      );
      const { items, nextCursor } = page(
        channels,
        (channel) => channel.id,
        args.cursor,
        limitOf(args.limit, 100, 1000),
      );
      const list = items.map((channel) => {
        const view = without(channelView(channel, caller.user.id, caller.token.teamId), "last_read");
        return channel.kind === "im" ? view : { ...view, num_members: channel.members.size };
      });
      return { channels: list, response_metadata: { next_cursor: nextCursor } };
    },
  ),
  method(
    "conversations.info",
    everyKind("read"),
    z.object({ channel: optionalText, include_locale: flag, include_num_members: flag }),
    (caller, args) => {
      const channel = channelFor(caller, args.channel);
      requireScope(caller.token, [readScope(channel)]);
      const view = channelView(channel, caller.user.id, caller.token.teamId);
      return {
        channel: compact({
          ...view,
          num_members: args.include_num_members === true ? channel.members.size : undefined,
          locale: args.include_locale === true ? "en-US" : undefined,
        }),
      };
    },
  ),
  method("conversations.members", everyKind("read"), z.object({ ...paging, channel: optionalText }), (caller, args) => {
    const channel = channelFor(caller, args.channel);
    requireScope(caller.token, [readScope(channel)]);
    const { items, nextCursor } = page(
      [...channel.members],
      (member) => member,
      args.cursor,
      limitOf(args.limit, 100, 1000),
    );
    return { members: items, response_metadata: { next_cursor: nextCursor } };
  }),
  method(
    "conversations.history",
    everyKind("history"),
    z.object({ ...paging, ...span, channel: optionalText, limit: whole.optional() }),
    (caller, args) => {
      const channel = readableChannel(caller, args.channel);
      const newestFirst = within(channel.messages.shown(), args).reverse();
      const most = caller.limits.historyPage;
      const { items, nextCursor } = page(
        newestFirst,
        (message) => message.ts,
        args.cursor,
        limitOf(args.limit, Math.min(100, most), most),
      );
      const pins = channel.messages.all().filter((message) => message.pinned !== undefined).length;
      return compact({
        messages: views(caller, channel.id, items, args.include_all_metadata === true, true),
        has_more: nextCursor !== "",
        pin_count: pins,
        channel_actions_ts: undefined,
        channel_actions_count: 0,
        oldest: args.oldest,
        latest: args.latest,
        response_metadata: nextCursor === "" ? undefined : { next_cursor: nextCursor },
      });
    },
  ),
  method(
    "conversations.replies",
    everyKind("history"),
    z.object({ ...paging, ...span, channel: optionalText, ts: optionalText }),
    (caller, args) => {
      const channel = readableChannel(caller, args.channel);
      const asked = channel.messages.get(args.ts ?? "");
      if (asked === undefined) throw new SlackError("thread_not_found");
      const parent = channel.messages.get(asked.threadTs ?? asked.ts) ?? asked;
      const replies = within(channel.messages.replies(parent.ts), args);
      const most = caller.limits.historyPage;
      const { items, nextCursor } = page(
        replies,
        (message) => message.ts,
        args.cursor,
        limitOf(args.limit, most, most),
      );
      return compact({
        // The parent leads every page.
        messages: views(caller, channel.id, [parent, ...items], args.include_all_metadata === true, false),
        has_more: nextCursor !== "",
        response_metadata: nextCursor === "" ? undefined : { next_cursor: nextCursor },
      });
    },
  ),
];
