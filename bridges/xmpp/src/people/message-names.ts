import { createHash, randomUUID } from "node:crypto";
import { parseJson, RemoteMessageId, type ChannelId, type ConnectorStorage } from "@trestle/core";
import { z } from "zod";
import type { MessageIds } from "../content/index.js";
import type { OwnIds } from "../own-ids.js";
import { Recent } from "./recent.js";

/** Shorter ids are numbers that clients count from the start whenever they are started. */
const shortestUnique = 8;
const longestPlain = 500;
const kept = 5_000;
/** So many of each conversation are known again after a restart; conversations that are thought of at a time. */
const storedOfEach = 100;
const conversations = 1_000;
const storedSchema = z.array(z.tuple([z.string(), z.string()]));
/** What the Matrix user said with another client of theirs is known under an id that begins so, and nobody else's does. */
const elsewhere = "mine:";
/** The end of an id to which a digest was added. */
const digested = /~[A-Za-z0-9_-]{12}$/;

/**
 * Under which ids the core knows what was said in conversations. That of a message is the sender's own; except where it
 * cannot tell messages apart: it is missing, counted, absurdly long, or one that the bridge would give. Which one such a
 * message has is remembered for some thousand messages, so that what is about it is found; of the latest of each
 * conversation also across restarts, where what `remembered` returns is put into the connector's storage.
 */
export class MessageNames {
  /** By channel and the id on the wire. */
  readonly #known = new Recent<RemoteMessageId>(kept);
  /** By channel and the id that the core knows. */
  readonly #wire = new Recent<string>(kept);

  /** The latest of each conversation, oldest first: the id on the wire, and the one that the core knows. */
  readonly #latest = new Recent<readonly (readonly [string, string])[]>(conversations);

  constructor(
    private readonly ids: OwnIds,
    private readonly storage?: Pick<ConnectorStorage, "get">,
  ) {}

  /** Resolves when what was known before the start is known again of a conversation. */
  async load(channel: ChannelId): Promise<void> {
    if (this.storage === undefined || this.#latest.has(channel)) return;
    const stored = parseJson((await this.storage.get(keyOf(channel))) ?? "[]", storedSchema) ?? [];
    if (this.#latest.has(channel)) return;
    this.#latest.set(channel, stored);
    for (const [wire, name] of stored) this.#known.set(`${channel}\n${wire}`, RemoteMessageId(name));
  }

  /** What is to be kept of a conversation. */
  remembered(channel: ChannelId): Readonly<Record<string, string>> {
    const latest = this.#latest.get(channel) ?? [];
    return latest.length === 0 ? {} : { [keyOf(channel)]: JSON.stringify(latest) };
  }

  /** A message of the person is to be known from now on; `said` tells those apart that have the same id. */
  name(channel: ChannelId, { id, originId }: MessageIds, said: string): RemoteMessageId {
    const wire = id ?? originId;
    const name = this.#nameOf(channel, wire, said);
    for (const each of new Set([id, originId])) {
      // Whoever gives a message of theirs an id of ours does not take ours away.
      if (each === undefined || each === name || this.ids.isOwn(channel, each)) continue;
      this.#learn(channel, each, name);
    }
    if (wire !== undefined && wire !== name) this.#wire.set(`${channel}\n${name}`, wire);
    return name;
  }

  /** The same for what the Matrix user said with another client of theirs. */
  nameOwn(channel: ChannelId, ids: MessageIds, said: string): RemoteMessageId {
    const wire = ids.id ?? ids.originId;
    const name = RemoteMessageId(elsewhere + this.#nameOf(channel, wire, said));
    for (const each of new Set([ids.id, ids.originId])) if (each !== undefined) this.#learn(channel, each, name);
    if (wire !== undefined) this.#wire.set(`${channel}\n${name}`, wire);
    return name;
  }

  /** Whether the Matrix user said it, through the bridge or with another client. */
  isOurs(channel: ChannelId, name: RemoteMessageId): boolean {
    return name.startsWith(elsewhere) || this.ids.isOwn(channel, name);
  }

  /** A message of the Matrix user's own, by the id that stands in what they say about it with another client. */
  findOwn(channel: ChannelId, wire: string): RemoteMessageId {
    const found = this.find(channel, wire);
    return this.isOurs(channel, found) ? found : RemoteMessageId((elsewhere + wire).slice(0, longestPlain));
  }

  /** What a correction corrects is what a correction of the correction corrects, whichever of both it names. */
  alias(channel: ChannelId, { id, originId }: MessageIds, target: RemoteMessageId): void {
    for (const each of [id, originId]) if (each !== undefined) this.#learn(channel, each, target);
  }

  /** The message that something is about, by the id that stands in it. */
  find(channel: ChannelId, wire: string): RemoteMessageId {
    const known = this.#known.get(`${channel}\n${wire}`);
    if (known !== undefined) return known;
    const whole = wire.replace(/\.\d{1,4}$/, "");
    return RemoteMessageId((this.ids.isOwn(channel, whole) ? whole : wire).slice(0, longestPlain));
  }

  /** The id on the wire of a message that the core knows. */
  onWire(channel: ChannelId, name: RemoteMessageId): string {
    const wire = this.#wire.get(`${channel}\n${name}`);
    if (wire !== undefined) return wire;
    return (name.startsWith(elsewhere) ? name.slice(elsewhere.length) : name).replace(digested, "");
  }

  #learn(channel: ChannelId, wire: string, name: RemoteMessageId): void {
    this.#known.set(`${channel}\n${wire}`, name);
    // What nobody in their senses says is not kept.
    if (wire.length > longestPlain) return;
    const others = (this.#latest.get(channel) ?? []).filter(([known]) => known !== wire);
    this.#latest.set(channel, [...others, [wire, name] as const].slice(-storedOfEach));
  }

  #nameOf(channel: ChannelId, wire: string | undefined, said: string): RemoteMessageId {
    if (wire === undefined) return RemoteMessageId(`x-${randomUUID()}`);
    const digest = createHash("sha256").update(`${wire}\n${said}`).digest("base64url").slice(0, 12);
    if (wire.length > longestPlain || wire.startsWith(elsewhere)) return RemoteMessageId(`x-${digest}${digest}`);
    const isUnique = wire.length >= shortestUnique && /\D/.test(wire) && !digested.test(wire);
    return RemoteMessageId(isUnique && !this.ids.isOwn(channel, wire) ? wire : `${wire}~${digest}`);
  }
}

function keyOf(channel: ChannelId): string {
  return `names ${createHash("sha256").update(channel).digest("base64url")}`;
}

/**
 * The id of one part of a message of ours, from 0: a long text, and a file with its caption, are several messages on XMPP.
 * What is about any of them is about the whole.
 */
export function partId(id: string, index: number): string {
  return index === 0 ? id : `${id}.${index}`;
}
