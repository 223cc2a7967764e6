import { createHash } from "node:crypto";
import { ContentUri, parseJson, UserId, type Author, type Network } from "@trestle/core";
import { z } from "zod";
import { readPicture } from "../matrix-picture.js";
import type { Photo } from "../protocol/index.js";
import { Recent } from "./recent.js";

const storedSchema = z.object({ name: z.string(), avatar: z.string().optional(), hash: z.string().optional() });

/** A Matrix user, as XMPP sees them. */
export interface MatrixPerson {
  readonly user: UserId;
  readonly name: string;
  readonly avatar?: ContentUri;
  /** The SHA-1 of their picture, where it was read; empty where they have none. */
  readonly hash?: string;
}

/** So many are searched. */
const mostListed = 20_000;
const prefix = "matrix user ";

/** The Matrix users who speak through the bridge: what they are called, and their pictures. */
export class MatrixPeople {
  readonly #known = new Recent<MatrixPerson>(5_000);
  readonly #photos = new Recent<Photo>(32);
  /** Names by user id, read when somebody searches for the first time. */
  #names: Promise<Map<UserId, string>> | undefined;

  /** `onChange`: somebody's name or picture changed. */
  constructor(
    private readonly network: Network,
    private readonly onChange: (person: MatrixPerson) => void,
  ) {}

  /** Somebody did something. Never waits. */
  note({ userId, name, avatar }: Author): void {
    const known = this.#known.get(userId);
    if (known?.name === name && known.avatar === avatar) return;
    void this.#changed({ user: userId, name, ...(avatar !== undefined && { avatar }) }).catch((error: unknown) =>
      this.network.log.warn({ err: error, userId }, "The name of a Matrix user could not be kept"),
    );
  }

  /** Who somebody is; by their id where they have never spoken here. */
  async of(user: UserId): Promise<MatrixPerson> {
    const known = this.#known.get(user) ?? (await this.#stored(user));
    return known ?? { user, name: user.slice(1).split(":", 1)[0] ?? user };
  }

  /** Their picture; `undefined` where there is none, or it cannot be had. */
  async photoOf({ avatar }: MatrixPerson): Promise<Photo | undefined> {
    if (avatar === undefined) return undefined;
    const kept = this.#photos.get(avatar);
    if (kept) return kept;
    const photo = await readPicture(this.network, avatar);
    if (photo) this.#photos.set(avatar, photo);
    return photo;
  }

  /** The id of their picture, as presences have it (XEP-0153); `undefined` where it is not known. */
  async hashOf(person: MatrixPerson): Promise<string | undefined> {
    if (person.avatar === undefined) return "";
    if (person.hash !== undefined) return person.hash;
    const photo = await this.photoOf(person);
    if (photo?.from !== "data") return undefined;
    const hash = createHash("sha1").update(photo.data).digest("hex");
    await this.#keep({ ...person, hash });
    return hash;
  }

  /** Those in whose name or id the text stands, in any case. */
  async search(text: string, most: number): Promise<readonly MatrixPerson[]> {
    const names = await (this.#names ??= this.#list());
    const wanted = text.trim().toLowerCase();
    const found: MatrixPerson[] = [];
    if (wanted === "") return found;
    for (const [user, name] of names) {
      if (!name.toLowerCase().includes(wanted) && !user.toLowerCase().includes(wanted)) continue;
      found.push({ user, name });
      if (found.length >= most) break;
    }
    return found;
  }

  async #changed(person: MatrixPerson): Promise<void> {
    const before = this.#known.get(person.user) ?? (await this.#stored(person.user));
    if (before?.name === person.name && before.avatar === person.avatar) return;
    await this.#keep(person);
    this.onChange(person);
  }

  async #keep(person: MatrixPerson): Promise<void> {
    const { user, ...rest } = person;
    this.#known.set(user, person);
    const names = await this.#names;
    if (names && (names.size < mostListed || names.has(user))) names.set(user, person.name);
    await this.network.storage.set(prefix + user, JSON.stringify(rest));
  }

  async #stored(user: UserId): Promise<MatrixPerson | undefined> {
    const stored = parseJson((await this.network.storage.get(prefix + user)) ?? "", storedSchema);
    if (!stored) return undefined;
    const { name, avatar, hash } = stored;
    const person: MatrixPerson = {
      user,
      name,
      ...(avatar !== undefined && { avatar: ContentUri(avatar) }),
      ...(hash !== undefined && { hash }),
    };
    this.#known.set(user, person);
    return person;
  }

  async #list(): Promise<Map<UserId, string>> {
    const names = new Map<UserId, string>();
    for (const key of (await this.network.storage.keys(prefix)).slice(0, mostListed)) {
      const user = UserId(key.slice(prefix.length));
      names.set(user, (await this.of(user)).name);
    }
    return names;
  }
}
