import { LRUCache } from "lru-cache";
import type { MatrixEvent } from "../../appservice/event.js";
import { done, type Verdict } from "../../delivery/entry.js";
import { atMost } from "../../mapping/cache-bound.js";
import type { Link } from "../../mapping/links.js";
import type { Permissions } from "../permissions.js";
import type { BridgeRuntime } from "../runtime.js";
import { memberOf } from "../to-network/authors.js";
import type { Absences } from "./absences.js";

const toldAgainMs = 3_600_000;

/** Keeps from the network what those say and do whom policy lists ban. They are told nothing: spammers would have it told to thousands of accounts. */
export class Withheld {
  /** Of whom the log says it already. */
  readonly #logged = new LRUCache<string, true>({ ...atMost(1_000), ttl: toldAgainMs });

  constructor(
    readonly runtime: BridgeRuntime,
    readonly absences: Absences,
    readonly permissions: Permissions,
  ) {}

  /** Where they are in the room is remembered all the same, for when they are banned no longer. */
  drop(event: MatrixEvent, link: Link): Verdict {
    const { runtime } = this;
    runtime.metrics.policyDropped(runtime.name);
    if (!this.#logged.has(event.sender)) {
      this.#logged.set(event.sender, true);
      runtime.log.info({ user: event.sender, room: event.room_id }, "A policy list bans this; it is not passed on");
    }
    if (event.type !== "m.room.member" || event.state_key !== event.sender) return done();
    const member = memberOf(event.content);
    const writes = runtime.members.set(link.roomKey, event.sender, member);
    const isUntold = member.membership === "join" && this.permissions.bans(event.sender);
    return done(isUntold ? [...writes, this.absences.cameIn(link.roomKey, event.sender)] : writes);
  }
}
