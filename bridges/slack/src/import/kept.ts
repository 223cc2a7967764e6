/** What matrix-appservice-slack kept, wherever it kept it, as far as it is used. */
export interface Kept {
  teams(): AsyncIterable<KeptTeam>;
  rooms(): AsyncIterable<KeptRoom>;
  ghosts(): AsyncIterable<KeptGhost>;
  /** Of several events that have one `ts`, the one that surely is the message comes first. */
  events(): AsyncIterable<KeptEvent>;
  reactions(): AsyncIterable<KeptReaction>;
  accounts(): AsyncIterable<KeptAccount>;
  /** What could not be read, by what it was. */
  readonly unreadable: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** A workspace. */
export interface KeptTeam {
  readonly id: string;
  readonly name?: string | undefined;
  /** The first part of `….slack.com`; ghosts are named after it. */
  readonly domain?: string | undefined;
  /** The bot's user. */
  readonly botUser?: string | undefined;
  readonly botToken?: string | undefined;
}

/** A link. What is missing was never known: then the link was made by webhooks alone. */
export interface KeptRoom {
  readonly room: string;
  /** The name of its inbound webhook. */
  readonly inbound: string;
  readonly channel?: string | undefined;
  readonly channelName?: string | undefined;
  readonly team?: string | undefined;
  /** `channel`, `group`, `im`, `mpim`. */
  readonly type?: string | undefined;
  /** Whose conversation it is, where only a puppet sees it. */
  readonly owner?: string | undefined;
  readonly botToken?: string | undefined;
}

export interface KeptGhost {
  readonly user: string;
  readonly slackId?: string | undefined;
  readonly team?: string | undefined;
  readonly name?: string | undefined;
  readonly avatarHash?: string | undefined;
}

export interface KeptEvent {
  readonly room: string;
  readonly event: string;
  readonly channel: string;
  readonly ts: string;
}

export interface KeptReaction {
  readonly room: string;
  readonly event: string;
  readonly channel: string;
  readonly ts: string;
  readonly slackUser: string;
  /** The emoji's name. */
  readonly name: string;
}

/** A Matrix user with an account on Slack. */
export interface KeptAccount {
  readonly user: string;
  readonly slackId: string;
  readonly team?: string | undefined;
}
