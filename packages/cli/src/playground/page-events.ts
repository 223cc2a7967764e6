/** What the page shows of one side, and what changes it: plain JSON. */
export type Side = "matrix" | "network";

export interface Author {
  /** A Matrix user id, or a nick. */
  readonly id: string;
  readonly name: string;
}

export interface Reaction {
  readonly key: string;
  readonly count: number;
  /** Whether the person at the page is among them. */
  readonly own: boolean;
}

export interface MessageItem {
  readonly kind: "message";
  readonly id: string;
  readonly from: Author;
  /** Said by the person at the page, who may edit and delete it. */
  readonly own: boolean;
  /** Brought from the other side by the bridge, where that is to be seen. */
  readonly relayed?: boolean;
  readonly style: "text" | "notice" | "emote";
  /** The id of the first message of the thread it stands in. */
  readonly thread?: string;
  readonly text: string;
  /** HTML; the page shows of it what it knows. */
  readonly html?: string;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly edited: boolean;
  readonly deleted: boolean;
  readonly reactions: readonly Reaction[];
}

/** Somebody came or went, the topic changed. */
export interface HappeningItem {
  readonly kind: "happening";
  readonly id: string;
  readonly text: string;
  readonly at: number;
}

export type Item = MessageItem | HappeningItem;

export interface SideState {
  readonly items: readonly Item[];
  readonly members: readonly Author[];
  readonly topic: string;
  /** Whether the friend, who comes and goes at the press of a button, is there. */
  readonly friendHere: boolean;
}

export type BridgePhase = "starting" | "running" | "down";

export interface FlowCounts {
  readonly queued: number;
  readonly delivered: number;
  readonly dead: number;
}

export interface BridgeState {
  readonly phase: BridgePhase;
  /** For a person: why it is down. */
  readonly detail: string;
  readonly pid: number | null;
  /** How often it was killed here. */
  readonly kills: number;
  readonly toNetwork: FlowCounts;
  readonly toMatrix: FlowCounts;
  /** Events that the homeserver keeps for the bridge. */
  readonly atHomeserver: number;
  /** The oldest that wait in the journal. */
  readonly waiting: readonly WaitingEntry[];
}

export interface WaitingEntry {
  readonly seq: number;
  readonly direction: "toNetwork" | "toMatrix";
  readonly state: "queued" | "waiting" | "dead";
  readonly source: string;
  readonly ageMs: number;
  readonly error?: string;
}

export interface DirectionTally {
  readonly sent: number;
  /** Each counted once. */
  readonly arrived: number;
  readonly duplicated: number;
  /** Those that came after one that was sent later. */
  readonly outOfOrder: number;
}

export interface RunState {
  readonly run: number;
  readonly total: number;
  readonly toNetwork: DirectionTally;
  readonly toMatrix: DirectionTally;
}

/** What a real client needs to join in. */
export interface Access {
  readonly homeserverUrl: string;
  readonly roomAlias: string;
  readonly user: string;
  readonly password: string;
  readonly channel: string;
  readonly network: ShownNetwork;
}

/** What the page says of the network beside Matrix. */
export interface ShownNetwork {
  readonly name: string;
  readonly place: string;
  readonly markup: "irc" | "slack" | "plain";
  /** Begins the user ids of its people on Matrix. */
  readonly prefix: string;
  readonly person: string;
  readonly friend: string | null;
  readonly hasTopic: boolean;
  /** Whether its person can react to messages, and delete them. */
  readonly reacts: boolean;
  readonly deletes: boolean;
  /** Whether its person can correct messages, and answer in threads. */
  readonly edits: boolean;
  readonly threads: boolean;
  readonly runTotal: number;
  /** Lines of text. */
  readonly access: readonly string[];
  /** How to go on: what to type, and what is said about it. */
  readonly command: string;
  readonly next: string;
}

export interface Snapshot {
  readonly matrix: SideState;
  readonly network: SideState;
  readonly bridge: BridgeState;
  readonly run: RunState | null;
  readonly access: Access;
}

export type PageEvent =
  | { readonly type: "item"; readonly side: Side; readonly item: Item }
  | { readonly type: "people"; readonly side: Side; readonly members: readonly Author[]; readonly friendHere: boolean }
  | { readonly type: "topic"; readonly side: Side; readonly topic: string }
  | { readonly type: "bridge"; readonly bridge: BridgeState }
  | { readonly type: "run"; readonly run: RunState };
