/**
 * A stand-in for a network, written by the author of a bridge and driven by the suite: it is the network's server and
 * the people on it. What an optional member would do and the network cannot is left out; the checks that need it are
 * then left out as well, and the report says so.
 *
 * Only the first seven members are needed.
 */
export interface NetworkFake {
  /** Begins anew, empty, with nobody on it: called once before each check. */
  start(): Promise<NetworkSetting>;
  /** Ends it and everything it opened. Called once after each `start`. */
  stop(): Promise<void>;
  /** Somebody says something in a channel. Resolves to the network's own id of the message, when the network has it. */
  say(channel: string, person: string, text: string, options?: SayOptions): Promise<string>;
  /**
   * What people in a channel saw the bridge do, in order, from the start on, also across outages. What people of the
   * network do themselves does not belong here.
   */
  seen(channel: string): readonly Seen[];
  /** An outage: connections break off, and nobody can connect until `reconnect`. */
  disconnect(): Promise<void>;
  reconnect(): Promise<void>;
  /** People who may speak, at least two, all different to the network: the odder their names the better. */
  readonly people: readonly [string, string, ...string[]];

  /** What people say while the bridge is away reaches it later (a history, a queue, a session that outlives it). */
  readonly remembers?: boolean;
  /** A person corrects what they said. */
  edit?(channel: string, person: string, id: string, text: string): Promise<void>;
  /** A person takes back what they said. */
  remove?(channel: string, person: string, id: string): Promise<void>;
  /** A person reacts to a message, their own or one of the bridge's. */
  react?(channel: string, person: string, id: string, key: string): Promise<void>;
  unreact?(channel: string, person: string, id: string, key: string): Promise<void>;
  /** A person sets the topic. */
  setTopic?(channel: string, person: string, topic: string): Promise<void>;
  /** A person gives the channel a picture. */
  setPicture?(channel: string, person: string, image: Uint8Array): Promise<void>;
  /** A person shows a file. */
  share?(channel: string, person: string, file: SharedFile): Promise<string>;
  /** The network sends its latest messages of a channel once more, as many do after a reconnection. */
  replay?(channel: string): Promise<void>;
  /**
   * The network takes what the bridge sends to a channel, but does not answer until the returned function is called.
   * Other channels go on.
   */
  stall?(channel: string): () => void;
  /** The network refuses for good what the bridge sends to a channel (the bridge is banned), until the returned function is called. */
  refuse?(channel: string): Promise<() => void>;
  /** Where the bridge runs in this process: what it had open broke off without a word, as if its process had died. */
  crashed?(): void;
  /** Whether the bridge is on the network now. */
  connected?(): boolean;
  /** What the bridge sent that the network's rules do not allow: a broken frame, an unknown command, a message too long. */
  violations?(): readonly string[];
  /** A person begins to type, or stops. */
  type?(channel: string, person: string, isTyping: boolean): Promise<void>;
  /** Whether people in a channel see now that the bridge, or somebody for whom it speaks, is typing. */
  seesTyping?(channel: string): boolean;
  /** The network's id of the latest message that people in a channel see as read by the bridge, or by somebody for whom it speaks. */
  seesRead?(channel: string): string | undefined;
  /** What signs a Matrix user in. Needed where the connector has `login`. */
  readonly credentials?: Credentials;
}

export interface SayOptions {
  /** An action, `/me waves`. */
  readonly emote?: boolean;
  /** The id of the message it answers; only asked of networks whose connector has `limits.replies`. */
  readonly replyTo?: string;
}

export interface NetworkSetting {
  /** The `network:` section of the bridge's configuration. */
  readonly config: unknown;
  /** Two channels as an operator would name them in a link; `say` and `seen` get the same names. */
  readonly channels: readonly [string, string];
}

export interface SharedFile {
  readonly name: string;
  readonly mimeType: string;
  readonly content: Uint8Array;
}

export interface Credentials {
  /** For which of the connector's `accountNetworks` they are, where it names several. */
  readonly network?: string;
  /** What is typed at each question of the login, in order, so that it succeeds. */
  readonly right: readonly string[];
  /** The same, so that it is refused. */
  readonly wrong: readonly string[];
  /** What must never be readable in the bridge's files: one of `right`. */
  readonly secret: string;
  /** The account that `right` signs in to, as `by` of a message names it. Without it nobody can tell who spoke. */
  readonly account?: string;
}

/** One thing that people on the network saw the bridge do. */
export type Seen = SeenMessage | SeenEdit | SeenRemoval | SeenReaction | SeenChange | SeenPicture | SeenFile;

export interface SeenMessage {
  readonly kind: "message";
  /** The network's id of it, where it has one. */
  readonly id?: string;
  /** The text as people read it; the author's name may stand before it. */
  readonly text: string;
  readonly emote?: boolean;
  /** Whose account said it, where it was not the bridge's own. */
  readonly by?: string;
  /** What it answers. */
  readonly replyTo?: string;
}

export interface SeenEdit {
  readonly kind: "edit";
  readonly target: string;
  readonly text: string;
}

export interface SeenRemoval {
  readonly kind: "removal";
  readonly target: string;
}

export interface SeenReaction {
  readonly kind: "reaction" | "reactionRemoved";
  readonly target: string;
  readonly key: string;
}

export interface SeenChange {
  readonly kind: "topic" | "name";
  readonly text: string;
}

/** The channel has another picture. */
export interface SeenPicture {
  readonly kind: "picture";
  readonly image: Uint8Array;
}

export interface SeenFile {
  readonly kind: "file";
  readonly id?: string;
  readonly name: string;
  readonly content: Uint8Array;
}
