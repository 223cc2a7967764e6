import type { Room } from "../rooms/room.js";
import type { StoredEvent } from "../rooms/event.js";
import type { NamespaceMatching } from "../profiles/profile.js";
import { namespacePattern } from "./namespace-pattern.js";
import type { Namespace, Registration } from "./registration.js";

type Kind = "users" | "aliases" | "rooms";

const MAX_CACHED_MATCHES = 200_000;

/** A registered application service and what it is interested in. */
export class AppService {
  readonly id: string;
  readonly senderId: string;
  readonly #patterns: Record<Kind, readonly { readonly regex: RegExp; readonly exclusive: boolean }[]>;
  readonly #userMatches = new Map<string, boolean>();

  constructor(
    readonly registration: Registration,
    readonly serverName: string,
    matching: NamespaceMatching,
  ) {
    this.id = registration.id;
    this.senderId = `@${registration.sender_localpart}:${serverName}`;
    this.#patterns = {
      users: compile(registration.namespaces.users, matching, "users"),
      aliases: compile(registration.namespaces.aliases, matching, "aliases"),
      rooms: compile(registration.namespaces.rooms, matching, "rooms"),
    };
  }

  get rateLimited(): boolean {
    return this.registration.rate_limited ?? true;
  }

  /** True for local users of the namespace and for the sender itself. */
  ownsUser(userId: string): boolean {
    let owned = this.#userMatches.get(userId);
    if (owned === undefined) {
      owned = userId === this.senderId || (userId.endsWith(`:${this.serverName}`) && this.#matches("users", userId));
      if (this.#userMatches.size >= MAX_CACHED_MATCHES) this.#userMatches.clear();
      this.#userMatches.set(userId, owned);
    }
    return owned;
  }

  ownsAlias(alias: string): boolean {
    return this.#matches("aliases", alias);
  }

  ownsRoom(roomId: string): boolean {
    return this.#matches("rooms", roomId);
  }

  /** True where the namespace claims the user for this application service alone. */
  claimsUser(userId: string): boolean {
    return userId === this.senderId || this.#claims("users", userId);
  }

  claimsAlias(alias: string): boolean {
    return this.#claims("aliases", alias);
  }

  /** Whether everything in the room is of interest: by its id, an alias, or a joined member. */
  watches(room: Room): boolean {
    if ((room.interest.get(this.id) ?? 0) > 0) return true;
    if (this.#patterns.rooms.length > 0 && this.ownsRoom(room.id)) return true;
    if (this.#patterns.aliases.length === 0) return false;
    for (const alias of room.aliases) if (this.ownsAlias(alias)) return true;
    return false;
  }

  isInterestedIn(event: StoredEvent, room: Room): boolean {
    if (this.ownsUser(event.sender)) return true;
    if (event.type === "m.room.member" && event.stateKey !== undefined && this.ownsUser(event.stateKey)) return true;
    return this.watches(room);
  }

  /** Counts the joined members of `room` it is interested in: needed once, when service or room are new. */
  recount(room: Room): void {
    let count = 0;
    for (const userId of room.joined) if (this.ownsUser(userId)) count++;
    room.interest.set(this.id, count);
  }

  #matches(kind: Kind, id: string): boolean {
    return this.#patterns[kind].some((pattern) => pattern.regex.test(id));
  }

  #claims(kind: Kind, id: string): boolean {
    return this.#patterns[kind].some((pattern) => pattern.exclusive && pattern.regex.test(id));
  }
}

function compile(
  namespaces: readonly Namespace[] = [],
  matching: NamespaceMatching,
  kind: Kind,
): { regex: RegExp; exclusive: boolean }[] {
  return namespaces.map(({ regex, exclusive }) => ({ regex: namespacePattern(regex, matching, kind), exclusive }));
}
