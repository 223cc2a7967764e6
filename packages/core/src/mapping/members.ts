import { LRUCache } from "lru-cache";
import type { Store } from "../store/store.js";
import type { Write } from "../store/writes.js";
import { atMost } from "./cache-bound.js";

/** A Matrix user in a room, as the last member event said. */
export interface Member {
  readonly membership: string;
  readonly name: string | undefined;
  readonly avatar: string | undefined;
}

interface MemberRow {
  readonly membership: string;
  readonly name: string | null;
  readonly avatar: string | null;
}

/** The Matrix users of linked rooms: asked of the homeserver once, then kept current by the events. */
export class Members {
  readonly #cache = new LRUCache<string, Member>(atMost(20_000));

  constructor(readonly store: Store) {}

  /** What is in memory already. */
  cached(roomKey: number, user: string): Member | undefined {
    return this.#cache.get(`${roomKey}|${user}`);
  }

  async find(roomKey: number, user: string): Promise<Member | undefined> {
    const key = `${roomKey}|${user}`;
    const cached = this.#cache.get(key);
    if (cached) return cached;
    const row = await this.store.get<MemberRow>(
      "SELECT membership, name, avatar FROM member WHERE room = ? AND user = ?",
      roomKey,
      user,
    );
    if (!row) return undefined;
    const member = { membership: row.membership, name: row.name ?? undefined, avatar: row.avatar ?? undefined };
    this.#cache.set(key, member);
    return member;
  }

  /** Remembers; the writes must be committed. */
  set(roomKey: number, user: string, member: Member): Write[] {
    this.#cache.set(`${roomKey}|${user}`, member);
    return [["setMember", roomKey, user, member.membership, member.name ?? null, member.avatar ?? null]];
  }
}
