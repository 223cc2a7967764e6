import { LRUCache } from "lru-cache";
import type { RemoteAvatar, RemoteUser } from "../connector/events.js";
import { ContentUri, RemoteUserId, UserId } from "../connector/ids.js";
import { atMost } from "../mapping/cache-bound.js";
import { encodeGhostLocalpart } from "../mapping/ghost-id.js";
import { classify } from "../matrix/failure.js";
import type { MatrixResult } from "../matrix/result.js";
import type { Write } from "../store/writes.js";
import type { BridgeRuntime } from "./runtime.js";
import { TurnsByKey } from "./turns-by-key.js";

/** The Matrix user that stands for a person on the network. */
export interface Ghost {
  /** The store's own number. */
  readonly key: number;
  readonly remote: RemoteUserId;
  readonly user: UserId;
  /** The display name the homeserver has. */
  readonly name: string | undefined;
  /** The id of the avatar the homeserver has. */
  readonly avatar: string | undefined;
}

interface GhostRow {
  readonly id: number;
  readonly remote: string;
  readonly user: string;
  readonly name: string | null;
  readonly avatar: string | null;
}

const longestName = 256;

export type AvatarUpload = (
  avatar: RemoteAvatar,
  asUser: UserId,
) => Promise<MatrixResult<{ readonly uri: ContentUri }>>;

/** Ghosts exist from the first time they are needed; what the homeserver knows of them is kept, so that nothing is asked or set twice. */
export class Ghosts {
  readonly #byRemote = new LRUCache<string, Ghost>(atMost(20_000));
  /** Pictures that could not be taken over a while ago: not tried again with every message. */
  readonly #failedAvatars = new LRUCache<string, true>({ ...atMost(5_000), ttl: 10 * 60_000 });
  readonly #changing = new TurnsByKey<string>();

  constructor(
    readonly runtime: BridgeRuntime,
    readonly upload: AvatarUpload,
  ) {}

  async find(remote: string): Promise<Ghost | undefined> {
    const cached = this.#byRemote.get(remote);
    if (cached) return cached;
    const row = await this.runtime.store.get<GhostRow>(
      "SELECT * FROM ghost WHERE bridge = ? AND remote = ?",
      this.runtime.key,
      remote,
    );
    return row && this.#remember(row);
  }

  /** The ghost of a person where it is in memory and needs no change. */
  current(person: RemoteUser): Ghost | undefined {
    const known = this.#byRemote.get(person.id);
    return known && this.#isCurrent(known, person) ? known : undefined;
  }

  async ofUser(user: string): Promise<Ghost | undefined> {
    const row = await this.runtime.store.get<GhostRow>(
      "SELECT * FROM ghost WHERE bridge = ? AND user = ?",
      this.runtime.key,
      user,
    );
    return row && this.#remember(row);
  }

  /** The ghost of a person, registered, with the name and picture that the event tells. Costs no request where nothing changed. */
  async ensure(person: RemoteUser): Promise<MatrixResult<Ghost>> {
    const known = this.#byRemote.get(person.id) ?? (await this.find(person.id));
    if (known && this.#isCurrent(known, person)) return { ok: true, body: known };
    return this.#changing.run(person.id, () => this.#change(person));
  }

  async #change(person: RemoteUser): Promise<MatrixResult<Ghost>> {
    let ghost = await this.find(person.id);
    if (!ghost) {
      const made = await this.#register(person.id);
      if (!made.ok) return made;
      ghost = made.body;
    }
    const name = trimName(person.name ?? (ghost.name === undefined ? person.id : undefined));
    if (name !== undefined && name !== ghost.name) {
      const named = await this.runtime.client.setDisplayName(ghost.user, name);
      if (!named.ok && classify(named.failure).action === "retry") return named;
      if (!named.ok)
        this.runtime.log.warn({ ghost: ghost.user, failure: named.failure }, "The homeserver refused a display name");
      ghost = await this.#save({ ...ghost, name }, ["setGhostName", name, ghost.key]);
    }
    if (person.avatar && !this.#hasAvatar(ghost, person.avatar)) ghost = await this.#setAvatar(ghost, person.avatar);
    return { ok: true, body: ghost };
  }

  async #register(remote: string): Promise<MatrixResult<Ghost>> {
    const { runtime } = this;
    const { localpart } = encodeGhostLocalpart(runtime.ghostPrefix, remote, runtime.serverName);
    const registered = await runtime.client.register(localpart);
    if (!registered.ok) return registered;
    const user = UserId(`@${localpart}:${runtime.serverName}`);
    await runtime.store.commit([["addGhost", runtime.key, remote, user]]);
    const ghost = await this.find(remote);
    if (!ghost) throw new Error(`The ghost ${user} was written but cannot be read.`);
    return { ok: true, body: ghost };
  }

  /** A picture that cannot be fetched or set never holds up a message. */
  async #setAvatar(ghost: Ghost, avatar: RemoteAvatar): Promise<Ghost> {
    const uploaded = avatar.url === "" ? undefined : await this.upload(avatar, ghost.user);
    if (uploaded && !uploaded.ok) {
      this.runtime.log.info({ ghost: ghost.user, failure: uploaded.failure }, "An avatar could not be taken over");
      this.#failedAvatars.set(`${ghost.key}|${avatar.id}`, true);
      return ghost;
    }
    const set = await this.runtime.client.setAvatarUrl(ghost.user, uploaded ? uploaded.body.uri : null);
    if (!set.ok) {
      this.#failedAvatars.set(`${ghost.key}|${avatar.id}`, true);
      return ghost;
    }
    return this.#save({ ...ghost, avatar: avatar.id }, ["setGhostAvatar", avatar.id, ghost.key]);
  }

  #isCurrent(ghost: Ghost, person: RemoteUser): boolean {
    const name = person.name === undefined ? ghost.name : trimName(person.name);
    return (
      ghost.name !== undefined &&
      name === ghost.name &&
      (person.avatar === undefined || this.#hasAvatar(ghost, person.avatar))
    );
  }

  #hasAvatar(ghost: Ghost, avatar: RemoteAvatar): boolean {
    return avatar.id === ghost.avatar || this.#failedAvatars.has(`${ghost.key}|${avatar.id}`);
  }

  async #save(ghost: Ghost, write: Write): Promise<Ghost> {
    await this.runtime.store.commit([write]);
    this.#byRemote.set(ghost.remote, ghost);
    return ghost;
  }

  #remember(row: GhostRow): Ghost {
    const ghost: Ghost = {
      key: row.id,
      remote: RemoteUserId(row.remote),
      user: UserId(row.user),
      name: row.name ?? undefined,
      avatar: row.avatar ?? undefined,
    };
    this.#byRemote.set(row.remote, ghost);
    return ghost;
  }
}

function trimName(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const clean = name.replaceAll("\u0000", "").toWellFormed().trim();
  return clean.length <= longestName ? clean : `${clean.slice(0, longestName - 2).toWellFormed()}…`;
}
