/** How often a method may be called with one token. Slack's tiers 1 to 4 and its special cases, as its documentation has them. */
export interface MethodLimit {
  readonly perMinute: number;
  /** How many at once after a pause; a fifth of a minute's where absent. */
  readonly burst?: number;
  /** Slack counts it for every channel apart. */
  readonly perChannel?: boolean;
}

const tier1: MethodLimit = { perMinute: 1 };
const tier2: MethodLimit = { perMinute: 20 };
const tier3: MethodLimit = { perMinute: 50 };
const tier4: MethodLimit = { perMinute: 100 };
/** One a second and channel. */
const posting: MethodLimit = { perMinute: 60, burst: 3, perChannel: true };

/** How much of the history an app may read. */
export type HistoryProfile = "internal" | "distributed";

/** How many messages one request for history may ask for. */
export const historyPage: Readonly<Record<HistoryProfile, number>> = { internal: 200, distributed: 15 };

const limits: Readonly<Record<string, MethodLimit>> = {
  // The gateway's own pauses are what holds it back.
  "apps.connections.open": { perMinute: 120, burst: 40 },
  "apps.event.authorizations.list": tier4,
  "auth.revoke": tier3,
  "auth.test": tier4,
  "bots.info": tier3,
  "chat.delete": tier3,
  "chat.getPermalink": tier4,
  "chat.meMessage": posting,
  "chat.postEphemeral": tier4,
  "chat.postMessage": posting,
  "chat.update": tier3,
  "conversations.archive": tier2,
  "conversations.create": tier2,
  "conversations.history": tier3,
  "conversations.info": tier3,
  "conversations.invite": tier3,
  "conversations.join": tier3,
  "conversations.kick": tier3,
  "conversations.leave": tier3,
  "conversations.list": tier2,
  "conversations.members": tier4,
  "conversations.open": tier3,
  "conversations.rename": tier2,
  "conversations.replies": tier3,
  "conversations.setPurpose": tier2,
  "conversations.setTopic": tier2,
  "conversations.unarchive": tier2,
  "emoji.list": tier2,
  "files.completeUploadExternal": tier4,
  "files.delete": tier3,
  "files.getUploadURLExternal": tier4,
  "files.info": tier4,
  "oauth.v2.access": tier4,
  "pins.add": tier2,
  "pins.list": tier2,
  "pins.remove": tier2,
  "reactions.add": tier3,
  "reactions.get": tier3,
  "reactions.remove": tier2,
  "team.info": tier3,
  "usergroups.list": tier2,
  "usergroups.users.list": tier2,
  "users.conversations": tier3,
  "users.info": tier4,
  "users.list": tier2,
  "users.lookupByEmail": tier3,
  "users.profile.get": tier4,
};

const ofHistory = new Set(["conversations.history", "conversations.replies"]);

/** What a method allows; tier 2 where it is not known. */
export function limitOf(method: string, history: HistoryProfile): MethodLimit {
  if (history === "distributed" && ofHistory.has(method)) return tier1;
  return limits[method] ?? tier2;
}

const reading = /\.(?:info|list|history|replies|members|conversations|get|test|lookupByEmail|getPermalink)$/;
const harmless = new Set(["apps.connections.open", "files.getUploadURLExternal"]);

/** Whether a method changes nothing, so that an answer that was lost is no doubt. */
export function onlyReads(method: string): boolean {
  return reading.test(method) || harmless.has(method);
}
