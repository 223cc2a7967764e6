import type { PageEvent, SideState } from "./page-events.js";

/** What the playground needs to know of a network to show it beside Matrix. */
export interface PlaygroundNetwork {
  /** The connector, as a configuration names it: `irc`, a package, or the absolute path of a module. */
  readonly connector: string;
  /** The network's name for people, `IRC`. */
  readonly name: string;
  /** What people call a place to talk there, with its article: `an IRC channel`. */
  readonly place: string;
  /** How the page shows what is said there. `plain` where absent. */
  readonly markup?: "irc" | "slack" | "plain";
  /** Begins the user ids of its people on Matrix, `irc_`; after the connector where absent. */
  readonly prefix?: string;
  /** Who types at the page. */
  readonly person: string;
  /** Who comes and goes at the press of a button; only where the network tells who is there. */
  readonly friend?: string;
  /** How many counted messages are sent each way; 200 where absent. Fewer for a network that takes them slowly. */
  readonly runTotal?: number;
  /** How to go on with the real network. */
  readonly next?: NextStep;
  /** Starts a server of the network with its people, on the loopback interface. */
  open(stage: NetworkStage): Promise<NetworkSide>;
}

/** What a person does when the playground has shown enough. */
export interface NextStep {
  readonly command: string;
  /** What else is needed, in a sentence or two. */
  readonly text: string;
}

/** What a network is given. */
export interface NetworkStage {
  /** The port to listen on where it is free; 0 for any. */
  readonly port: number;
  /** A directory for files, which is removed at the end. */
  readonly directory: string;
  /** The topic at the beginning. */
  readonly topic: string;
  readonly tell: (event: PageEvent) => void;
  /** Called with the text of every message that is seen in the channel. */
  readonly heard: (text: string) => void;
}

/** The network's half of the page. */
export interface NetworkSide {
  /** The channel as people know it. */
  readonly channel: string;
  /** The channel as a link of the configuration names it. */
  readonly link: string;
  /** The bridge's `network:` section. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** More keys of the bridge's section of the configuration. */
  readonly bridge?: Readonly<Record<string, unknown>>;
  /** What one types to join in with a client of one's own. */
  readonly access: readonly string[];
  readonly state: SideState;
  /** The person at the page says something; `thread` is the id of the first message of the thread it belongs to. */
  say(text: string, options?: SayOptions): Promise<void> | void;
  /** Whether messages have threads: then `say` is given them. */
  readonly threads?: boolean;
  /** The person corrects a message of their own. */
  edit?(id: string, text: string): Promise<void> | void;
  setTopic?(topic: string): Promise<void> | void;
  /** The person reacts to a message of the timeline, or takes the reaction back. */
  toggleReaction?(id: string, key: string): Promise<void> | void;
  /** The person deletes a message of their own. */
  remove?(id: string): Promise<void> | void;
  setFriend?(here: boolean): Promise<void> | void;
  /** Ends the people and the server. */
  close(): Promise<void>;
}

export interface SayOptions {
  readonly emote?: boolean;
  readonly thread?: string;
}
