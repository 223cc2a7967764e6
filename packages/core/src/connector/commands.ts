import type { Author } from "./effects.js";
import type { ChannelId, EffectId, RoomId, UserId } from "./ids.js";

/**
 * A command of the network's own, about the channel a room is linked to: `!slack archive`. It stands in the list that
 * `help` gives. Only people who may link the room can use it, unless it is for everybody.
 */
export interface NetworkCommand {
  /** What is typed behind its name, e.g. `<name>`; nothing where absent. */
  readonly usage?: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** Whoever may use the bridge can use it, for it is about nobody but themselves. */
  readonly forEverybody?: boolean;
  /**
   * Does it, and says so to the person. It may be called again after a crash, with the same `effect`: what is done
   * already is a success. Throw an `Error` whose message tells the person what is missing.
   */
  readonly run: (call: CommandCall) => Promise<string>;
}

/** What a person typed. */
export interface CommandCall {
  /** The same when it is called again. */
  readonly effect: EffectId;
  readonly channel: ChannelId;
  readonly author: Author;
  /** What stood behind the command's name. */
  readonly argument: string;
  /** Aborted when the core stops waiting: give up, and do nothing after it. */
  readonly signal: AbortSignal;
}

/** A Matrix user wants to link a room to a channel whose people have not been asked. */
export interface ConsentRequest {
  readonly channel: ChannelId;
  readonly room: RoomId;
  readonly by: UserId;
  /** Aborted when the core stops waiting: give up. */
  readonly signal: AbortSignal;
}

/** What the people of a channel say to that. */
export interface Consent {
  readonly channel: ChannelId;
  readonly room: RoomId;
  readonly agreed: boolean;
  /** Who of the network says so, for the people of the room. */
  readonly by: string;
  /** `by` of the request that is answered: with it the answer counts after a restart of the bridge too. */
  readonly askedBy?: UserId;
}

/** A channel is to be made, and linked to the room in which somebody asked for it. */
export interface ChannelRequest {
  /** The same when it is asked for again after a crash. */
  readonly effect: EffectId;
  /** As the person typed it. */
  readonly name: string;
  /** Only who is invited is to see it. */
  readonly isPrivate: boolean;
  readonly author: Author;
  /** Aborted when the core stops waiting: give up, and do nothing after it. */
  readonly signal: AbortSignal;
}
