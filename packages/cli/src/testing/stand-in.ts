/** A network in the playground that is shown by the stand-in its tests use. */
export interface StandInNetwork {
  /** The connector: a package, or the URL or absolute path of its module. */
  readonly connector: string | URL;
  /** The network's name for people. */
  readonly name: string;
  /** A server of the network with its people. */
  readonly standIn: StandIn;
}

/** The part of a conformance fake (`NetworkFake` of `@trestle/conformance`) that the playground needs. */
export interface StandIn {
  /** Begins anew; resolves to the bridge's `network:` section, and channels as a link names them. */
  start(): Promise<{ readonly config: unknown; readonly channels: readonly [string, ...string[]] }>;
  /** Ends it and everything it opened. */
  stop(): Promise<void>;
  /** Somebody says something; resolves to the network's id of it. */
  say(channel: string, person: string, text: string, options?: { readonly emote?: boolean }): Promise<string>;
  /** Everything that people in a channel saw the bridge do since `start`, in order. */
  seen(channel: string): readonly StandInSeen[];
  readonly people: readonly [string, ...string[]];
  /** Somebody sets the topic; only where the network has topics. */
  setTopic?(channel: string, person: string, topic: string): Promise<void>;
}

/** Something that was seen; only messages, corrections and topics are shown. */
export interface StandInSeen {
  readonly kind: string;
  readonly id?: string;
  readonly text?: string;
  readonly emote?: boolean;
  readonly target?: string;
}
