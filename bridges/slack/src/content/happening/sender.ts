import { given } from "../json.js";
import type { SlackMessage } from "../message.js";
import type { SlackSender } from "./outcome.js";

/** Who sent a message; `undefined` where nobody is named. */
export function senderOf(message: SlackMessage): SlackSender | undefined {
  const { user, team, botId = message.botProfile?.id, username, icons, botProfile } = message;
  if (user === undefined && botId === undefined && username === undefined) return undefined;
  // People have the names of their profiles: only what an app sent may bear another.
  const isOverride = username !== undefined && (user === undefined || botId !== undefined);
  return given({
    user,
    team: team ?? botProfile?.team,
    botId,
    appId: message.appId ?? botProfile?.appId,
    name: isOverride ? username : botProfile?.name,
    icons: isOverride ? (icons ?? botProfile?.icons) : botProfile?.icons,
    isOverride,
  });
}
