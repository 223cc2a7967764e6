import type { JsonObject } from "../json.js";
import type { Channel } from "../state/channels.js";
import { openDirect } from "../actions/channels.js";
import { SlackError } from "./error.js";
import { channelFor, requireMember, requireUnarchived, userFor } from "./lookup.js";
import type { Caller } from "./method.js";

const longestText = 40_000;
const longestMarkdown = 12_000;
const mostBlocks = 50;
const mostAttachments = 100;

/** What is posted, checked. */
export interface Content {
  readonly text: string;
  readonly truncated: boolean;
}

interface ContentArguments {
  readonly text?: string | undefined;
  readonly markdown_text?: string | undefined;
  readonly blocks?: readonly JsonObject[] | undefined;
  readonly attachments?: readonly JsonObject[] | undefined;
}

/** Refuses what Slack refuses to post: nothing at all, too many blocks, blocks that are none. Longer text is cut. */
export function content(args: ContentArguments): Content {
  const rich = (args.blocks?.length ?? 0) > 0 || (args.attachments?.length ?? 0) > 0;
  if (args.markdown_text !== undefined && (args.text !== undefined || args.blocks !== undefined))
    throw new SlackError("markdown_text_conflict");
  if ((args.markdown_text?.length ?? 0) > longestMarkdown) throw new SlackError("msg_too_long");
  const said = args.text ?? args.markdown_text ?? "";
  if (said.trim() === "" && !rich) throw new SlackError("no_text");
  if ((args.attachments?.length ?? 0) > mostAttachments) throw new SlackError("too_many_attachments");
  checkBlocks(args.blocks ?? []);
  return said.length > longestText
    ? { text: said.slice(0, longestText), truncated: true }
    : { text: said, truncated: false };
}

const longestSection = 3_000;

function checkBlocks(blocks: readonly JsonObject[]): void {
  const problems: string[] = [];
  if (blocks.length > mostBlocks) problems.push(`no more than ${mostBlocks} items allowed [json-pointer:/blocks]`);
  blocks.forEach((block, at) => {
    if (typeof block.type !== "string" || block.type === "")
      problems.push(`missing required field: type [json-pointer:/blocks/${at}]`);
    const text = block.text;
    if (
      block.type === "section" &&
      typeof text === "object" &&
      text !== null &&
      !Array.isArray(text) &&
      typeof text.text === "string" &&
      (text.text === "" || text.text.length > longestSection)
    ) {
      problems.push(`must be between 1 and ${longestSection} characters [json-pointer:/blocks/${at}/text/text]`);
    }
    if (block.type === "rich_text" && !Array.isArray(block.elements))
      problems.push(`missing required field: elements [json-pointer:/blocks/${at}]`);
  });
  if (problems.length > 0)
    throw new SlackError("invalid_blocks", {
      errors: problems,
      response_metadata: { messages: problems.map((problem) => `[ERROR] ${problem}`) },
    });
}

/** The conversation a caller posts to: by id, by `#name`, or by the id of a user for the direct message with them. */
export function postableChannel(caller: Caller, asked: string | undefined): Channel {
  const channel = resolve(caller, asked);
  requireUnarchived(channel);
  const open =
    channel.kind === "public" && caller.token.kind === "bot" && caller.token.scopes.includes("chat:write.public");
  if (!open) requireMember(caller, channel);
  return channel;
}

function resolve(caller: Caller, asked: string | undefined): Channel {
  if (asked === undefined) throw new SlackError("channel_not_found");
  if (/^[UW]/.test(asked) && caller.world.users.has(asked)) {
    const user = userFor(caller, asked);
    if (user.deleted) throw new SlackError("channel_not_found");
    return openDirect(caller.world, caller.user, [user]).channel;
  }
  const name = asked.replace(/^#/, "");
  const named = caller.world.channelsOf(caller.team.id).find((channel) => channel.name === name && channel.name !== "");
  return channelFor(caller, named?.id ?? asked);
}
