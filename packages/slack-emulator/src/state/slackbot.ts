import type { User } from "./people.js";

/** The id Slackbot has in every workspace. */
export const slackbotId = "USLACKBOT";

/** Slackbot, who is in every workspace and no bot, if you ask Slack. */
export function slackbot(teamId: string): User {
  return {
    id: slackbotId,
    teamId,
    name: "slackbot",
    profile: {
      realName: "Slackbot",
      displayName: "Slackbot",
      title: "",
      phone: "",
      statusText: "",
      statusEmoji: "",
      avatarHash: "sv41d8cd98f0",
    },
    timezone: "America/Los_Angeles",
    deleted: false,
    admin: false,
    owner: false,
    guest: "no",
    presence: "active",
    locale: "en-US",
    updated: 0,
  };
}
