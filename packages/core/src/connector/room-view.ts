import type { ContentUri, RemoteUserId, RoomAlias, RoomId, UserId } from "./ids.js";

/** A Matrix room as it is at one moment, for networks on which a room is shown as one of their own. */
export interface RoomView {
  readonly room: RoomId;
  readonly name?: string;
  readonly topic?: string;
  readonly avatar?: ContentUri;
  /** The canonical alias. */
  readonly alias?: RoomAlias;
  /** The other aliases that the room tells. */
  readonly otherAliases: readonly RoomAlias[];
  /** `public`, `invite`, `knock`, `restricted`, `knock_restricted`, or what the specification says later. */
  readonly joinRule: string;
  /** `world_readable`, `shared`, `invited` or `joined`. */
  readonly historyVisibility: string;
  readonly isEncrypted: boolean;
  /** The Matrix users who are in it, the bridge's own left out; in the order in which the homeserver gives them. */
  readonly members: readonly RoomMember[];
  /** The people of the network whose ghosts are in it, are invited or banned, or were given a power of their own. */
  readonly people: readonly RoomPerson[];
  readonly power: PowerNeeded;
}

/** A Matrix user in a room. */
export interface RoomMember {
  readonly userId: UserId;
  /** The display name; the localpart where there is none. */
  readonly name: string;
  readonly avatar?: ContentUri;
  /** The power level; infinite for the creators of rooms of version 12 and later. */
  readonly power: number;
}

/** A person of the network, as a room has their ghost. */
export interface RoomPerson {
  readonly id: RemoteUserId;
  readonly membership: "join" | "invite" | "ban" | "leave";
  readonly power: number;
}

/** The power levels that a room asks for. */
export interface PowerNeeded {
  /** What those have of whom nothing is said. */
  readonly usual: number;
  readonly speak: number;
  readonly setTopic: number;
  readonly kick: number;
  readonly ban: number;
  readonly redact: number;
  readonly invite: number;
}
