import { EventId, RemoteMessageId } from "../connector/ids.js";
import type { Store } from "../store/store.js";
import type { Write } from "../store/writes.js";
import { eventHash, mostUnindexedMessages, remoteHash } from "../store/message-writer.js";
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

/** The store cannot find the newest messages: they are found here. */
const recent = mostUnindexedMessages + 2_000;

/**
 * Which event is which message. What was mapped a moment ago is found at once, although its commit may still be under
 * way: an edit may follow its message closely.
 */
export class Messages {
  readonly #byEvent = new RecentMap<readonly MappedMessage[]>(recent);
  readonly #byRemote = new RecentMap<readonly MappedMessage[]>(recent);
  readonly #reactions = new RecentMap<MappedReaction>(2_000);

  constructor(readonly store: Store) {}

  /** Maps parts; the writes must be committed. */
  map(parts: readonly MappedMessage[]): Write[] {
    for (const part of parts) {
      const alone = [part];
      remember(this.#byEvent, `${part.event}|${part.channelKey}`, part, alone);
      remember(this.#byRemote, remoteKey(part.channelKey, part.remote, part.roomKey), part, alone);
    }
    return parts.map((part) => [
      "mapMessage",
      part.channelKey,
      part.remote,
      part.part,
      part.roomKey,
      part.event,
      part.sender,
    ]);
  }

  /** The parts that an event has in a channel, in order. */
  async ofEvent(event: string, channelKey: number): Promise<readonly MappedMessage[]> {
    const cached = this.#byEvent.get(`${event}|${channelKey}`);
    if (cached) return cached;
    return this.store.all<MappedMessage>(
      `SELECT ${columns} FROM message_event i JOIN message m ON m.id = i.id WHERE i.hash = ? AND event = ? AND channel = ? ORDER BY part`,
      eventHash(event, this.store.hashSeed),
      event,
      channelKey,
    );
  }

  /** The parts that a network's message has in a room, in order. */
  async ofRemote(channelKey: number, remote: string, roomKey: number): Promise<readonly MappedMessage[]> {
    const cached = this.#byRemote.get(remoteKey(channelKey, remote, roomKey));
    if (cached) return cached;
    return this.store.all<MappedMessage>(
      `SELECT ${columns} FROM message_remote i JOIN message m ON m.id = i.id WHERE i.hash = ? AND channel = ? AND remote = ? AND room = ? ORDER BY part`,
      remoteHash(channelKey, remote, roomKey, this.store.hashSeed),
      channelKey,
      remote,
      roomKey,
    );
  }

  /** Forgets an event that was redacted; the writes must be committed. */
  unmap(parts: readonly MappedMessage[]): Write[] {
    for (const part of parts) {
      this.#byEvent.delete(`${part.event}|${part.channelKey}`);
      this.#byRemote.delete(remoteKey(part.channelKey, part.remote, part.roomKey));
    }
    return parts.map((part) => ["unmapEvent", part.event]);
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

/** `alone` is a list of the part alone: most messages have one part, and both maps can hold the same list. */
function remember(
  cache: RecentMap<readonly MappedMessage[]>,
  key: string,
  part: MappedMessage,
  alone: readonly MappedMessage[],
): void {
  const known = part.part === 0 ? undefined : cache.get(key);
  if (!known) cache.set(key, alone);
  else
    cache.set(
      key,
      [...known.filter((other) => other.part !== part.part), part].sort((a, b) => a.part - b.part),
    );
}
