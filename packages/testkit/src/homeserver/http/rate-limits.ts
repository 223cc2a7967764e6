import type { Clock } from "../clock.js";
import { MatrixError } from "../errors.js";
import type { RequestContext } from "./context.js";

/** So many at once, then so many a second; what Synapse allows where its configuration says nothing. */
interface Limit {
  readonly burst: number;
  readonly perSecond: number;
  /** Whether the own user of an application service is exempt. */
  readonly sparesSender: boolean;
  /** Who or what is limited. */
  readonly key: (context: RequestContext) => string;
}

const byUser = (context: RequestContext): string => context.userId;
const MESSAGES: Limit = { burst: 10, perSecond: 0.2, sparesSender: true, key: byUser };
const ROOMS: Limit = { burst: 10, perSecond: 0.016, sparesSender: false, key: byUser };
const JOINS: Limit = {
  burst: 11,
  perSecond: 1,
  sparesSender: false,
  key: (context) => context.params["roomId"] ?? context.params["roomIdOrAlias"] ?? "",
};
const INVITES: Limit = { burst: 10, perSecond: 0.3, sparesSender: false, key: byUser };

const LIMITS: readonly (readonly [route: RegExp, limit: Limit])[] = [
  [/^PUT .*\/(?:send|redact|state)\//u, MESSAGES],
  [/^PUT .*\/profile\//u, MESSAGES],
  [/^POST .*\/createRoom$/u, ROOMS],
  [/^POST .*\/join(?:\/\{roomIdOrAlias\})?$/u, JOINS],
  [/^POST .*\/invite$/u, INVITES],
];

const MAX_BUCKETS = 100_000;

/** Leaky buckets, one for each limit and key. */
export class RateLimits {
  readonly #buckets = new Map<string, { level: number; at: number }>();

  constructor(private readonly clock: Clock) {}

  /** Counts a request. @throws MatrixError 429 `M_LIMIT_EXCEEDED` */
  check(context: RequestContext): void {
    const service = context.requester.service?.info;
    if (service?.rateLimited === false) return;
    const name = `${context.route.method} ${context.route.template}`;
    const limit = LIMITS.find(([route]) => route.test(name))?.[1];
    if (limit === undefined || (limit.sparesSender && service?.senderId === context.userId)) return;
    this.#fill(`${LIMITS.findIndex(([, each]) => each === limit)} ${limit.key(context)}`, limit);
  }

  #fill(key: string, { burst, perSecond }: Limit): void {
    const now = this.clock.now();
    const bucket = this.#buckets.get(key) ?? { level: 0, at: now };
    const level = Math.max(0, bucket.level - ((now - bucket.at) / 1000) * perSecond);
    if (level + 1 > burst) {
      const retryAfterMs = Math.ceil(((level + 1 - burst) / perSecond) * 1000);
      throw new MatrixError(
        429,
        "M_LIMIT_EXCEEDED",
        "Too Many Requests",
        { retry_after_ms: retryAfterMs },
        { "retry-after": String(Math.ceil(retryAfterMs / 1000)) },
      );
    }
    if (this.#buckets.size >= MAX_BUCKETS) this.#buckets.clear();
    this.#buckets.set(key, { level: level + 1, at: now });
  }
}
