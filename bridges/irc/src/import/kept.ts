/** What matrix-appservice-irc kept, wherever it kept it, as far as it is used. */
export interface Kept {
  channels(): AsyncIterable<KeptChannel>;
  queries(): AsyncIterable<KeptQuery>;
  users(): AsyncIterable<KeptUser>;
  /** What could not be read, by what it was. */
  readonly unreadable: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** A room and a channel that are linked. */
export interface KeptChannel {
  readonly room: string;
  /** The network, by the address in that bridge's configuration. */
  readonly domain: string;
  readonly channel: string;
}

/** A private conversation. */
export interface KeptQuery {
  readonly room: string;
  readonly domain: string;
  readonly nick: string;
  readonly user: string;
  readonly ghost: string;
}

/** What a Matrix user has set for one network. */
export interface KeptUser {
  readonly user: string;
  /** In the NeDB files with underscores in place of dots. */
  readonly domain: string;
  readonly nick?: string | undefined;
  readonly username?: string | undefined;
  /** Encrypted, base64. */
  readonly password?: string | undefined;
}
