/** An Enterprise Grid organisation. */
export interface Enterprise {
  readonly id: string;
  name: string;
  domain: string;
}

/** What a person shows of themselves; images are URLs. */
export interface Profile {
  realName: string;
  displayName: string;
  email?: string;
  title: string;
  phone: string;
  pronouns?: string;
  statusText: string;
  statusEmoji: string;
  avatarHash: string;
  /** The picture at its original size; undefined for the picture Slack generates. */
  image?: string;
}

/** A member of a workspace: a person, or the user that stands for an app. */
export interface User {
  readonly id: string;
  readonly teamId: string;
  /** The handle: lower case, unique in the workspace. */
  name: string;
  profile: Profile;
  timezone: string;
  deleted: boolean;
  admin: boolean;
  owner: boolean;
  /** A guest; ultra restricted when a guest of one channel. */
  guest: "no" | "restricted" | "ultra_restricted";
  presence: "active" | "away";
  locale: string;
  /** Seconds since the epoch of the last change. */
  updated: number;
  /** The bot this user stands for; undefined for a person. */
  readonly botId?: string;
  readonly appId?: string;
  readonly workflowBot?: boolean;
}

/** The bot half of an app in a workspace. */
export interface Bot {
  readonly id: string;
  readonly teamId: string;
  readonly appId: string;
  readonly userId: string;
  name: string;
  deleted: boolean;
  updated: number;
}

/** A user group (`@designers`). */
export interface UserGroup {
  readonly id: string;
  readonly teamId: string;
  name: string;
  handle: string;
  description: string;
  users: string[];
  /** Seconds since the epoch; 0 while it is enabled. */
  disabled: number;
  readonly created: number;
  updated: number;
  readonly createdBy: string;
}

/** A workspace. */
export interface Team {
  readonly id: string;
  name: string;
  domain: string;
  emailDomain: string;
  readonly enterprise?: Enterprise;
  /** Custom emoji: name to URL, or to `alias:other`. */
  readonly emoji: Map<string, string>;
  readonly userGroups: Map<string, UserGroup>;
  /** What Slack finds behind links: the start of a URL to the attachment that unfurls it. */
  readonly unfurls: Map<string, { [key: string]: import("../json.js").Json }>;
  readonly created: number;
}
