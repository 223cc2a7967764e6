import { EventId, RemoteMessageId } from "../connector/ids.js";
import type { Store } from "../store/store.js";
import type { Write } from "../store/writes.js";
import { eventHash, remoteHash } from "../store/message-writer.js";
import { RecentMap } from "./recent-map.js";

/** The sender of what was imported from a bridge that did not keep it: the homeserver knows. */
export const unknownSender = "";

/** One part of a message, known on both sides. */
export interface MappedMessage {
  readonly channelKey: number;
  readonly remote: RemoteMessageId;
  readonly part: number;
  readonly roomKey: number;
  readonly event: EventId;
  /** The user id of the Matrix user or the ghost that sent it to the room; or {@link unknownSender}. */
  readonly sender: string;
}

export interface MappedReaction {
  readonly channelKey: number;
  /** The message reacted to. */
  readonly remote: RemoteMessageId;
  readonly roomKey: number;
  readonly sender: string;
  readonly key: string;
  readonly event: EventId;
}

/** What has been mapped: to be committed, and to be called when it is. */
export interface Mapping {
  readonly writes: readonly Write[];
  readonly committed: () => void;
}

/**
 * Which event is which message. What was mapped a moment ago is found at once, although its commit may still be under
 * way: an edit may follow its message closely.
 */
export class Messages {
  readonly #byEvent = new UnderWay();
  readonly #byRemote = new UnderWay();
  readonly #reactions = new RecentMap<MappedReaction>(2_000);

  constructor(readonly store: Store) {}

  /** Maps all parts of a message. */
  map(parts: readonly MappedMessage[]): Mapping {
    const writes: Write[] = [];
    for (const part of parts) {
      const { channelKey, remote, roomKey, event, sender } = part;
      this.#byEvent.add(event, part);
      this.#byRemote.add(remote, part);
      writes.push(["mapMessage", channelKey, remote, part.part, roomKey, event, sender]);
    }
    return { writes, committed: () => this.#forget(parts) };
  }

  /** The parts that an event has in a channel, in order. */
  async ofEvent(event: string, channelKey: number): Promise<readonly MappedMessage[]> {
    const underWay = this.#byEvent.find(event, (part) => part.channelKey === channelKey);
    if (underWay) return underWay;
    const hash = eventHash(event, this.store.hashSeed);
    return this.store.all<MappedMessage>(
      `SELECT ${columns} FROM message WHERE ${among("message_event")} AND event = ? AND channel = ? ORDER BY part`,
      hash,
      JSON.stringify(this.store.notIndexed("event", hash)),
      event,
      channelKey,
    );
  }

  /** The parts that a network's message has in a room, in order. */
  async ofRemote(channelKey: number, remote: string, roomKey: number): Promise<readonly MappedMessage[]> {
    const underWay = this.#byRemote.find(remote, (part) => part.channelKey === channelKey && part.roomKey === roomKey);
    if (underWay) return underWay;
    const hash = remoteHash(channelKey, remote, roomKey, this.store.hashSeed);
    return this.store.all<MappedMessage>(
      `SELECT ${columns} FROM message WHERE ${among("message_remote")} AND channel = ? AND remote = ? AND room = ? ORDER BY part`,
      hash,
      JSON.stringify(this.store.notIndexed("remote", hash)),
      channelKey,
      remote,
      roomKey,
    );
  }

  /** Forgets an event that was redacted; the writes must be committed. */
  unmap(parts: readonly MappedMessage[]): Write[] {
    this.#forget(parts);
    return parts.map((part) => ["unmapEvent", part.event]);
  }

  #forget(parts: readonly MappedMessage[]): void {
    for (const part of parts) {
      this.#byEvent.remove(part.event, part);
      this.#byRemote.remove(part.remote, part);
    }
  }

  mapReaction(reaction: MappedReaction): Write[] {
    this.#reactions.set(reaction.event, reaction);
    this.#reactions.set(reactionKey(reaction), reaction);
    return [
      [
        "mapReaction",
        reaction.channelKey,
        reaction.remote,
        reaction.roomKey,
        reaction.sender,
        reaction.key,
        reaction.event,
      ],
    ];
  }

  async reactionOfEvent(event: string): Promise<MappedReaction | undefined> {
    return (
      this.#reactions.get(event) ??
      this.store.get<MappedReaction>(`SELECT ${reactionColumns} FROM reaction WHERE event = ?`, event)
    );
  }

  async reaction(
    channelKey: number,
    remote: string,
    roomKey: number,
    sender: string,
    key: string,
  ): Promise<MappedReaction | undefined> {
    const cached = this.#reactions.get(reactionKey({ channelKey, remote, roomKey, sender, key }));
    if (cached) return cached;
    return this.store.get<MappedReaction>(
      `SELECT ${reactionColumns} FROM reaction WHERE channel = ? AND remote = ? AND room = ? AND sender = ? AND key = ?`,
      channelKey,
      remote,
      roomKey,
      sender,
      key,
    );
  }

  unmapReaction(reaction: MappedReaction): Write[] {
    this.#reactions.delete(reaction.event);
    this.#reactions.delete(reactionKey(reaction));
    return [["unmapReaction", reaction.event]];
  }
}

const columns = "channel AS channelKey, remote, part, room AS roomKey, event, sender";
const reactionColumns = "channel AS channelKey, remote, room AS roomKey, sender, key, event";

/** Those that an index has under a hash, and those that it may not have yet. */
const among = (index: string): string =>
  `id IN (SELECT id FROM ${index} WHERE hash = ? UNION ALL SELECT value FROM json_each(?))`;

function remoteKey(channelKey: number, remote: string, roomKey: number): string {
  return `${channelKey}|${roomKey}|${remote}`;
}

function reactionKey(reaction: {
  channelKey: number;
  remote: string;
  roomKey: number;
  sender: string;
  key: string;
}): string {
  return `${remoteKey(reaction.channelKey, reaction.remote, reaction.roomKey)}|${reaction.sender}|${reaction.key}`;
}

/** Parts whose commit is under way, by one of their ids: no more than lanes may have without a mark. */
class UnderWay {
  readonly #parts = new Map<string, readonly MappedMessage[]>();

  add(id: string, part: MappedMessage): void {
    const others = this.#parts.get(id);
    this.#parts.set(id, others ? [...others.filter((other) => !isSame(other, part)), part] : [part]);
  }

  remove(id: string, part: MappedMessage): void {
    const left = this.#parts.get(id)?.filter((other) => !isSame(other, part));
    if (left && left.length > 0) this.#parts.set(id, left);
    else this.#parts.delete(id);
  }

  /** In their order. */
  find(id: string, fits: (part: MappedMessage) => boolean): readonly MappedMessage[] | undefined {
    const found = this.#parts.get(id)?.filter(fits);
    return found && found.length > 0 ? found.sort((a, b) => a.part - b.part) : undefined;
  }
}

function isSame(one: MappedMessage, other: MappedMessage): boolean {
  return one.channelKey === other.channelKey && one.roomKey === other.roomKey && one.part === other.part;
}
