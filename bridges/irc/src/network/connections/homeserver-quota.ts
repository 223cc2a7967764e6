import type { UserId } from "@trestle/core";

/** Whoever was heard so lately keeps their puppet: otherwise the users of one server would quit for each other all day. */
const HEARD_LATELY_MS = 600_000;

interface Seated {
  readonly user: UserId;
  /** When the user last said something, in milliseconds. */
  readonly spokeAt: number;
}

/** What another user of a homeserver finds: room, no room, or one of that server's puppets that makes room. */
export type RoomFound<Each extends Seated> = "free" | "full" | { readonly makesRoom: Each };

/** How many puppets the users of each homeserver may have; `*` is any server without an entry of its own. */
export class HomeserverQuota {
  readonly #limits: ReadonlyMap<string, number>;

  constructor(limits: Readonly<Record<string, number>>) {
    this.#limits = new Map(Object.entries(limits));
  }

  /** `undefined`: as many as there may be at all. */
  limitFor(user: UserId): number | undefined {
    return this.#limits.get(serverOf(user)) ?? this.#limits.get("*");
  }

  /** @param now by the clock of `spokeAt` */
  roomFor<Each extends Seated>(user: UserId, puppets: Iterable<Each>, now: number): RoomFound<Each> {
    const limit = this.limitFor(user);
    if (limit === undefined) return "free";
    const server = serverOf(user);
    let count = 0;
    let oldest: Each | undefined;
    for (const puppet of puppets) {
      if (serverOf(puppet.user) !== server) continue;
      count += 1;
      if (!oldest || puppet.spokeAt < oldest.spokeAt) oldest = puppet;
    }
    if (count < limit) return "free";
    // Where the limit was lowered more must go than one can make room.
    if (count > limit || !oldest || now - oldest.spokeAt < HEARD_LATELY_MS) return "full";
    return { makesRoom: oldest };
  }
}

export function serverOf(user: UserId): string {
  return user.slice(user.indexOf(":") + 1);
}
