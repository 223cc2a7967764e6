import { isRecord, listIn, recordIn, textIn } from "../content/json.js";
import type { KeptAccount, KeptGhost, KeptRoom, KeptTeam } from "./kept.js";

/** What both of the places have in common: the JSON of rooms, people and workspaces. `undefined` where it is not one. */
export function roomOf(room: string | undefined, inbound: string | undefined, remote: unknown): KeptRoom | undefined {
  if (room === undefined || inbound === undefined || !isRecord(remote)) return undefined;
  return {
    room,
    inbound,
    channel: textIn(remote, "id"),
    channelName: textIn(remote, "name"),
    team: textIn(remote, "slack_team_id"),
    type: textIn(remote, "slack_type"),
    owner: textIn(remote, "puppet_owner"),
    botToken: textIn(remote, "slack_bot_token") ?? textIn(remote, "access_token"),
  };
}

export function ghostOf(user: string | undefined, json: unknown): KeptGhost | undefined {
  if (user === undefined || !isRecord(json)) return undefined;
  return {
    user,
    slackId: textIn(json, "slack_id"),
    team: textIn(json, "team_id"),
    name: textIn(json, "display_name"),
    avatarHash: textIn(json, "avatar_url"),
  };
}

export function teamOf(row: unknown): KeptTeam | undefined {
  if (!isRecord(row)) return undefined;
  const id = textIn(row, "id") ?? textIn(row, "team_id");
  if (id === undefined) return undefined;
  return {
    id,
    name: textIn(row, "name") ?? textIn(row, "team_name"),
    domain: textIn(row, "domain"),
    botUser: textIn(row, "user_id"),
    botToken: textIn(row, "token") ?? textIn(row, "bot_token"),
  };
}

/** The accounts that a Matrix user's own document lists. */
export function accountsOf(user: string | undefined, json: unknown): KeptAccount[] {
  const data = isRecord(json) ? (recordIn(json, "data") ?? json) : undefined;
  const accounts = data && recordIn(data, "accounts");
  if (user === undefined || !accounts) return [];
  return Object.keys(accounts).map((slackId) => {
    const account = recordIn(accounts, slackId);
    return { user, slackId, team: account && textIn(account, "team_id") };
  });
}

/** Whether an event is the first of a thread, so surely the message and no later correction of it. */
export function hasThread(extras: unknown): boolean {
  return isRecord(extras) && listIn(extras, "slackThreadMessages").length > 0;
}
