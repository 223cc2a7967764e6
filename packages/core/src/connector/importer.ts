import type { LoginAccount } from "./connector.js";

/**
 * Reads what another bridge to the same network kept, so that its rooms, people and messages go on being what they were.
 * A connector names its importers in `importers`; `trestle import` runs them.
 */
export interface Importer {
  /** What it reads and what `source` is, for people. */
  readonly description: string;
  /**
   * Everything there is, in any order but one: where several events of a room are one message of the network, the first
   * one read is the message itself. Throw an `Error` whose message tells the person what to mend.
   */
  readonly read: (source: string, context: ImportContext) => AsyncIterable<ImportRecord>;
}

/** For whom an importer reads. */
export interface ImportContext {
  /** The bridge's `network:` section as it is written in the configuration, not validated. */
  readonly config: unknown;
  /** Where further files that a source needs are named, such as a key. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One thing that another bridge kept. Ids are those of this connector, not those of the other bridge. */
export type ImportRecord =
  ImportedGhost | ImportedLink | ImportedLogin | ImportedMessage | ImportedReaction | ImportedValue | ImportRemark;

/** The Matrix user that stands for a person already, and goes on doing so, whatever their id is made of. */
export interface ImportedGhost {
  readonly kind: "ghost";
  /** The person's id on the network. */
  readonly remote: string;
  /** The ghost's whole user id. It must be in the namespace of the bridge's registration. */
  readonly user: string;
  /** The display name the homeserver has for it. */
  readonly name?: string;
  /** The id of the picture the homeserver has for it, as `RemoteAvatar.id`. */
  readonly avatar?: string;
}

/** A room and a channel that belong together. */
export interface ImportedLink {
  readonly kind: "link";
  readonly room: string;
  readonly channel: string;
  readonly channelName: string;
}

/** A Matrix user's own account on a network, kept only where they have none there yet. */
export interface ImportedLogin {
  readonly kind: "login";
  readonly user: string;
  /** As `accountNetworks.of` says it of the account; absent where the connector has no `accountNetworks`. */
  readonly network?: string;
  /** As the connector's `login` returns it. */
  readonly account: LoginAccount;
}

/** An event and a message that are the same. */
export interface ImportedMessage {
  readonly kind: "message";
  readonly channel: string;
  readonly remote: string;
  readonly room: string;
  readonly event: string;
  /** Who sent the event; the homeserver is asked when it matters where this is absent. */
  readonly sender?: string;
}

/** A reaction that is in the room. */
export interface ImportedReaction {
  readonly kind: "reaction";
  readonly channel: string;
  /** The message reacted to. */
  readonly remote: string;
  readonly room: string;
  readonly event: string;
  /** As the connector gives it with `reaction` events. */
  readonly key: string;
  /** The ghost that reacted; absent where it was a Matrix user of whom the other bridge kept no id. */
  readonly sender?: string;
}

/** Something in the connector's own storage, kept only where there is nothing under that key yet. */
export interface ImportedValue {
  readonly kind: "value";
  readonly key: string;
  readonly value: string;
}

/** Something a person has to know: what is left out, or what they have to do. */
export interface ImportRemark {
  readonly kind: "leftOut" | "toDo";
  /** For people; the same for all it is said of. */
  readonly reason: string;
  /** Whom or what it is about. */
  readonly subject: string;
}
