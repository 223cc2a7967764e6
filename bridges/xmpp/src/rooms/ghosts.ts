import { parseJson, RemoteUserId, UserId, type Author } from "@trestle/core";
import { z } from "zod";
import { bareJidOf, localOfUser, nickCandidate } from "../address/index.js";
import { readOccupantId } from "../content/index.js";
import type { Element } from "../stream/index.js";
import { Occupant } from "./occupant.js";
import type { OwnVoice, RoomParts } from "./parts.js";

const storedSchema = z.object({ name: z.string(), nick: z.string(), occupant: z.string().optional() });

const MOST_NICKS = 20_000;

interface Ghost {
  readonly occupant: Occupant;
  name: string;
  /** As the room has shown it last. */
  nick: string | undefined;
  /** Who they are in the room (XEP-0421), with whatever client, as the room has shown it last. */
  occupantId: string | undefined;
  /** Through which they are in the room; the component where absent. */
  readonly voice: OwnVoice | undefined;
}

/** What others want to know of them. */
export interface GhostsWatched {
  /** The room shows one of them what they are there; `isEntry`: they have just come in. */
  readonly shown: (userId: UserId, stanza: Element, isEntry: boolean) => void;
  /** The room put one of them out, or says that they left. */
  readonly removed: (userId: UserId, stanza: Element) => void;
  /** One of them has another nick in the room than they would be called by: it is taken, or the room gave them one. */
  readonly renamed: (name: string, wanted: string, nick: string) => void;
}

/** The Matrix users in a room, each an occupant of their own. Who they are is kept, so that they come back after a restart. */
export class Ghosts {
  /** Who spoke last stands last. */
  readonly #ghosts = new Map<UserId, Ghost>();
  /** Every nick that one of ours had: in an archive their messages are known by it. */
  readonly #nicks = new Set<string>();

  constructor(
    private readonly parts: RoomParts,
    private readonly room: string,
    private readonly watched: GhostsWatched,
  ) {}

  async load(): Promise<void> {
    const { network, config } = this.parts;
    const prefix = this.#keyOf("");
    for (const key of await network.storage.keys(prefix)) {
      const stored = parseJson((await network.storage.get(key)) ?? "", storedSchema);
      if (!stored) continue;
      this.#remember(stored.nick);
      if (config.ghosts && this.#ghosts.size < config.maxGhosts) this.#make(UserId(key.slice(prefix.length)), stored);
    }
  }

  /** The occupant for a Matrix user, in the room or not. The one who was silent for longest makes room. */
  get({ userId, name }: Pick<Author, "userId" | "name">): Occupant {
    const known = this.#ghosts.get(userId);
    if (known) {
      this.#ghosts.delete(userId);
      this.#ghosts.set(userId, known);
      if (known.name !== name) this.rename(userId, name);
      return known.occupant;
    }
    if (this.#ghosts.size >= this.parts.config.maxGhosts) {
      const silent = this.#ghosts.keys().next().value;
      if (silent !== undefined) this.remove(silent);
    }
    return this.#make(userId, { name });
  }

  /** Whether a Matrix user is in rooms with an account of their own. */
  hasVoice(userId: UserId): boolean {
    return this.parts.voiceOf?.(userId) !== undefined;
  }

  /** A Matrix user has signed in with an account of their own, or out: who was in the room comes in anew. */
  async voiceChanged(userId: UserId): Promise<void> {
    const ghost = this.#ghosts.get(userId);
    if (!ghost || ghost.voice === this.parts.voiceOf?.(userId)) return;
    await ghost.occupant.leave();
    // Of another address the room says something else.
    await this.#make(userId, { name: ghost.name }).join();
  }

  /** The account of a Matrix user's own that an occupant is, by the ids of their occupants or, where there are none, their nicks. */
  accountOf(id: RemoteUserId, nick: string): RemoteUserId | undefined {
    for (const { voice, occupant, occupantId } of this.#ghosts.values()) {
      if (!voice) continue;
      const isSame = id.startsWith("nick:")
        ? nick === occupant.nick
        : id === voice.jid || id === `occupant:${this.room}/${occupantId ?? ""}`;
      if (isSame) return RemoteUserId(voice.jid);
    }
    return undefined;
  }

  /** Whose occupants they are, in the room or not. */
  get users(): readonly UserId[] {
    return [...this.#ghosts.keys()];
  }

  /** The occupant that has this address. */
  find(userId: UserId): Occupant | undefined {
    return this.#ghosts.get(userId)?.occupant;
  }

  /** The bare address under which a Matrix user is in the room, or would be: that of their own account, or of the component. */
  addressOf(userId: UserId): string {
    const jid = this.#ghosts.get(userId)?.occupant.jid ?? this.#jidOf(userId);
    return bareJidOf(jid) ?? jid;
  }

  /** Whose occupant has a nick now. */
  userWithNick(nick: string): UserId | undefined {
    for (const [userId, { occupant }] of this.#ghosts) if (occupant.nick === nick) return userId;
    return undefined;
  }

  withNick(nick: string): Occupant | undefined {
    const user = this.userWithNick(nick);
    return user === undefined ? undefined : this.find(user);
  }

  /** Whether one of ours asks for a nick now. */
  isAsking(nick: string): boolean {
    for (const { occupant } of this.#ghosts.values()) if (occupant.asking === nick) return true;
    return false;
  }

  hasNick(nick: string): boolean {
    return this.#nicks.has(nick);
  }

  rename(userId: UserId, name: string): void {
    const ghost = this.#ghosts.get(userId);
    if (!ghost) return;
    ghost.name = name;
    // Kept at once: the room may show the new nick only after the bridge has stopped.
    if (ghost.nick !== undefined)
      this.#inBackground(this.#keep(userId, ghost, ghost.nick), `The name of ${userId} could not be kept`);
    this.#inBackground(ghost.occupant.rename(), `${userId} could not be renamed in ${this.room}`);
  }

  /** Has them leave, for good. */
  remove(userId: UserId): void {
    const ghost = this.#ghosts.get(userId);
    this.#ghosts.delete(userId);
    // Also of those who were not read yet.
    const gone = Promise.all([ghost?.occupant.leave(), this.parts.network.storage.delete(this.#keyOf(userId))]);
    this.#inBackground(gone, `${userId} could not leave ${this.room}`);
  }

  /** Brings back all of them, one after the other. */
  async enter(goOn: () => boolean): Promise<void> {
    for (const [userId, { occupant }] of [...this.#ghosts]) {
      if (!goOn()) return;
      const failure = await occupant.join();
      if (failure)
        this.parts.network.log.info({ room: this.room, userId, reason: failure.reason }, "A user is not in a room");
    }
  }

  /** The connection of a Matrix user's own account is there (again), or is gone. */
  voice(userId: UserId, isThere: boolean): void {
    const ghost = this.#ghosts.get(userId);
    if (!ghost?.voice) return;
    if (isThere) this.#inBackground(ghost.occupant.join(), `${userId} could not enter ${this.room}`);
    else ghost.occupant.lost();
  }

  lost(): void {
    for (const { occupant } of this.#ghosts.values()) occupant.lost();
  }

  /** Has all of them leave, to come back. */
  async away(): Promise<void> {
    await Promise.all([...this.#ghosts.values()].map(({ occupant }) => occupant.leave()));
  }

  /** Has all of them leave, for good. */
  async leave(): Promise<void> {
    await this.away();
    this.#ghosts.clear();
    for (const key of await this.parts.network.storage.keys(this.#keyOf("")))
      await this.parts.network.storage.delete(key);
  }

  #make(userId: UserId, known: z.output<typeof storedSchema> | { readonly name: string }): Occupant {
    const { tuning, voiceOf } = this.parts;
    const { nick, occupant: occupantId } = "nick" in known ? known : {};
    const voice = voiceOf?.(userId);
    const ghost: Ghost = {
      name: known.name,
      nick,
      occupantId,
      voice,
      occupant: new Occupant({
        stream: voice?.stream ?? this.parts.stream,
        room: this.room,
        jid: this.#jidOf(userId),
        nick: (attempt) => nickCandidate(ghost.name, userId, attempt),
        joinTimeoutMs: tuning.joinTimeoutMs,
        onShown: (stanza, isEntry) => this.watched.shown(userId, stanza, isEntry),
        onRemoved: (stanza) => this.watched.removed(userId, stanza),
        onNick: (taken, shown) => {
          this.#remember(taken);
          ghost.occupantId = readOccupantId(shown);
          const wanted = nickCandidate(ghost.name, userId, 0);
          // Told once: it is shown anew with every presence, and asked for anew after every start.
          if (taken !== wanted && taken !== ghost.nick) this.watched.renamed(ghost.name, wanted, taken);
          return this.#keep(userId, ghost, taken);
        },
      }),
    };
    if (nick !== undefined) this.#remember(nick);
    this.#ghosts.set(userId, ghost);
    return ghost.occupant;
  }

  #jidOf(userId: UserId): string {
    const { config, voiceOf } = this.parts;
    return voiceOf?.(userId)?.jid ?? `${localOfUser(userId)}@${config.domain}/matrix`;
  }

  async #keep(userId: UserId, ghost: Ghost, nick: string): Promise<void> {
    ghost.nick = nick;
    await this.parts.network.storage.set(
      this.#keyOf(userId),
      JSON.stringify({ name: ghost.name, nick, occupant: ghost.occupantId }),
    );
  }

  #remember(nick: string): void {
    this.#nicks.delete(nick);
    this.#nicks.add(nick);
    const oldest = this.#nicks.size > MOST_NICKS ? this.#nicks.values().next().value : undefined;
    if (oldest !== undefined) this.#nicks.delete(oldest);
  }

  #keyOf(userId: string): string {
    return `ghost ${this.room} ${userId}`;
  }

  #inBackground(work: Promise<unknown>, what: string): void {
    work.catch((error: unknown) => this.parts.network.log.error({ err: error }, what));
  }
}
