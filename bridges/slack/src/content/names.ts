import type { MentionTarget } from "@trestle/rich-text";
import type { MessageLink } from "./read/permalink.js";

/** A person or a channel as a text shows it. */
export interface Named {
  /** Without `@` or `#`. */
  readonly name: string;
  /** Whom or what a mention points to; without it, the name is only text. */
  readonly target?: MentionTarget;
}

/** A group of people that can be mentioned together. */
export interface NamedGroup {
  /** The handle without `@`. */
  readonly name: string;
  /** Mentioned one by one behind the name, where the mention is to reach them. */
  readonly members?: readonly Named[];
}

/**
 * What a conversion must know of a workspace. All of it is synchronous: `lookupsOf` tells beforehand what a message
 * will ask for. `undefined` where it is unknown: the label of the mention is shown then, or the id.
 */
export interface SlackNames {
  readonly user: (id: string) => Named | undefined;
  readonly channel: (id: string) => Named | undefined;
  readonly usergroup: (id: string) => NamedGroup | undefined;
  /** The name of a workspace. */
  readonly team: (id: string) => string | undefined;
  /**
   * An emoji of the workspace's own, without colons: the content URI of its picture (the name stands for it while there
   * is none), or another name it is an alias of.
   */
  readonly emoji: (name: string) => { readonly image?: string } | { readonly alias: string } | undefined;
  /** What a link to a message points to in Matrix. */
  readonly message: (link: MessageLink) => MentionTarget | undefined;
  /** The content URI of a picture that stands in the text; a link where there is none. */
  readonly image: (url: string) => string | undefined;
}

const unknown = (): undefined => undefined;

/** A workspace of which nothing is known. */
export const noNames: SlackNames = {
  user: unknown,
  channel: unknown,
  usergroup: unknown,
  team: unknown,
  emoji: unknown,
  message: unknown,
  image: unknown,
};

/** What must be looked up before a message can be converted. */
export interface Lookups {
  readonly users: ReadonlySet<string>;
  readonly channels: ReadonlySet<string>;
  readonly usergroups: ReadonlySet<string>;
  readonly teams: ReadonlySet<string>;
  /** Names that are none of Slack's standard ones. */
  readonly emoji: ReadonlySet<string>;
  /** By URL. */
  readonly messages: ReadonlyMap<string, MessageLink>;
  readonly images: ReadonlySet<string>;
}

/** Names that know nothing and remember what they were asked. */
export function recordingNames(): { readonly names: SlackNames; readonly lookups: Lookups } {
  const lookups = {
    users: new Set<string>(),
    channels: new Set<string>(),
    usergroups: new Set<string>(),
    teams: new Set<string>(),
    emoji: new Set<string>(),
    messages: new Map<string, MessageLink>(),
    images: new Set<string>(),
  };
  const names: SlackNames = {
    user: (id) => void lookups.users.add(id),
    channel: (id) => void lookups.channels.add(id),
    usergroup: (id) => void lookups.usergroups.add(id),
    team: (id) => void lookups.teams.add(id),
    emoji: (name) => void lookups.emoji.add(name),
    message: (link) => void lookups.messages.set(link.url, link),
    image: (url) => void lookups.images.add(url),
  };
  return { names, lookups };
}
