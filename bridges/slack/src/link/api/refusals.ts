import { never, notYet, perhaps, type SlackFailure } from "./result.js";

/** The token is of no use any more: nothing of this workspace works until somebody installs the app again. */
export const deadTokenCodes: ReadonlySet<string> = new Set([
  "account_inactive",
  "app_uninstalled",
  "invalid_auth",
  "not_authed",
  "team_access_not_granted",
  "token_revoked",
]);

/** Another token, made of the refresh token, will do. */
export const expiredTokenCodes: ReadonlySet<string> = new Set(["token_expired"]);

/** So long after a token was refused nothing is tried with it. */
const deadTokenPauseMs = 60_000;

const later: ReadonlySet<string> = new Set([
  "accesslimited",
  "rate_limited",
  "ratelimited",
  "request_timeout",
  "service_unavailable",
  "team_added_to_org",
]);

/** Slack says of these that some of it may have been done. */
const doubtful: ReadonlySet<string> = new Set(["fatal_error", "internal_error"]);

const sentences: Readonly<Record<string, string>> = {
  already_archived: "the channel is archived already",
  already_in_channel: "they are in the channel already",
  already_reacted: "the bot has reacted with this already, and Slack counts a reaction once",
  as_user_not_supported: "the app is an old kind of app; make a new one with the manifest in the README",
  cant_archive_general: "the workspace's general channel cannot be archived",
  cant_delete_message: "Slack does not let the bot delete this message",
  cant_invite_self: "the bot cannot invite itself",
  cant_kick_from_general: "nobody can be removed from the workspace's general channel",
  cant_update_message: "Slack does not let the bot edit this message",
  channel_not_found: "the channel does not exist, or the bot is not in it: invite the bot with /invite",
  edit_window_closed: "the workspace allows no edits of messages that are so old",
  file_not_found: "the file does not exist any more",
  invalid_blocks: "Slack did not take the message's formatting",
  invalid_name: "Slack does not know an emoji or a channel of this name",
  invalid_refresh_token: "the refresh token was used up: install the app again",
  is_archived: "the channel is archived",
  message_not_found: "the message does not exist any more",
  method_not_supported_for_channel_type: "Slack does not allow this in this kind of channel",
  missing_scope: "the app may not do this: add the scope under OAuth & Permissions and install it again",
  msg_blocks_too_long: "the message is too long for Slack",
  msg_too_long: "the message is too long for Slack",
  name_taken: "there is a channel of this name already",
  not_archived: "the channel is not archived",
  not_authorized: "Slack lets the bot do this only in channels that it made itself",
  no_permission: "Slack does not let the bot do this here",
  no_reaction: "there is no such reaction any more",
  no_text: "Slack takes no empty message",
  not_allowed_token_type: "this token is of the wrong kind for the request",
  not_in_channel: "the bot is not in the channel: invite it with /invite",
  restricted_action: "the workspace's settings do not let the bot do this",
  restricted_action_read_only_channel: "only some people may write in this channel",
  restricted_action_thread_only_channel: "only answers in threads may be written in this channel",
  thread_not_found: "the thread does not exist any more",
  too_many_emoji: "the message has as many different reactions as Slack allows",
  too_many_members: "the channel is full",
  too_many_reactions: "the bot has reacted as often as Slack allows",
  user_not_found: "there is no such person in the workspace",
  user_not_in_channel: "this person is not in the channel",
  users_not_found: "there is no such person in the workspace",
};

const ofTokens: Readonly<Record<string, string>> = {
  account_inactive: "the bot's account was deactivated, or the workspace was deleted",
  token_revoked: "the app's token was revoked",
  app_uninstalled: "the app was removed from the workspace",
};

/** What a refusal in Slack's own words (`ok: false, error`) means. `needed` is the missing scope, where Slack named it. */
export function refusal(method: string, code: string, needed?: string): SlackFailure {
  const where = `Slack refused ${method}`;
  if (deadTokenCodes.has(code) || expiredTokenCodes.has(code)) {
    const why = ofTokens[code] ?? "it does not accept the app's token any more";
    return notYet(`${where}: ${why}; install the app again (${code})`, deadTokenPauseMs, code);
  }
  if (doubtful.has(code)) return perhaps(`${where}, perhaps after doing it: ${code}`, code);
  if (later.has(code)) return notYet(`${where} for now: ${code}`, undefined, code);
  const scope = needed === undefined ? "" : ` (needed: ${needed})`;
  return never(`${where}: ${sentences[code] ?? "it gave no reason that the bridge knows"} (${code})${scope}`, code);
}
