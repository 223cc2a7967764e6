/**
 * The two translations between Slack's messages and neutral text, and what Slack's events mean. Pure functions: what
 * they must know of a workspace is given to them.
 */
export { readMessage, decodeEntities, type SlackMessage, type SlackReaction } from "./message.js";
export type { SlackBotProfile, SlackIcons } from "./message.js";
export { readFile, type SlackFile } from "./file.js";
export { noNames, type Lookups, type Named, type NamedGroup, type SlackNames } from "./names.js";
export { slackLinkOf, type ChannelLink, type MessageLink } from "./read/permalink.js";
export type { Broadcast, ReadOptions } from "./read/reader.js";
export { filePart, type FilePart, type HostedFile, type LinkedFile } from "./read/media.js";
export type { MissingFile, UnfinishedFile } from "./read/media.js";
export { lookupsOf, readContent, type ReadMessage } from "./read/message.js";
export { writeText, type SlackText } from "./write/message.js";
export { slackLimits, type SlackMention, type WriteLimits, type WriteOptions } from "./write/options.js";
export type { TextBlock } from "./write/blocks.js";
export { escapeMrkdwn } from "./write/fallback.js";
export { slackUsername } from "./write/username.js";
export { envelopeOutcome, outcomeOf } from "./happening/classify.js";
export { markOf } from "./happening/mark.js";
export { historyOutcome } from "./happening/message.js";
export { senderOf } from "./happening/sender.js";
export type { ChannelHappening, EmojiChange, Happening, MessageDeleted, MessageEdited } from "./happening/outcome.js";
export type { MessageHappening, MessageSent, Outcome, PinChanged, ReactionChanged } from "./happening/outcome.js";
export type { SlackSender, WorkspaceHappening } from "./happening/outcome.js";
export { planEdit, type EditPlan } from "./write/edit.js";
