import type { Clock } from "../clock.js";

/** Calls a minute for each method and workspace, by Slack's tiers. */
const tiers: readonly (readonly [perMinute: number, methods: RegExp])[] = [
  [
    20,
    /^(?:conversations\.(?:list|create|archive|unarchive|rename|invite|kick|leave|join|setTopic|setPurpose)|users\.(?:list|conversations)|reactions\.remove|pins\.|usergroups\.|emoji\.list|files\.getUploadURLExternal)/,
  ],
  [
    100,
    /^(?:conversations\.members|users\.info|users\.profile\.get|files\.(?:info|completeUploadExternal)|chat\.postEphemeral|users\.getPresence)/,
  ],
  [300, /^chat\.(?:postMessage|meMessage|getPermalink)|^auth\.test$/],
  [50, /./],
];

/** How calls are limited. */
export interface RateLimitOptions {
  /** Slack's tiers, or calls a minute by method name. */
  readonly methods: "slack" | Readonly<Record<string, number>>;
  /** Posts a second in one channel. */
  readonly postsPerSecond: number;
  /** How many posts a channel takes at once before that. */
  readonly burst: number;
}

const minute = 60_000;

/** Counts calls and says when there were too many. */
export class RateLimits {
  readonly #clock: Clock;
  readonly #options: RateLimitOptions | undefined;
  readonly #calls = new Map<string, number[]>();

  constructor(clock: Clock, options: RateLimitOptions | undefined) {
    this.#clock = clock;
    this.#options = options;
  }

  /** The whole seconds to wait, when a call is one too many; else undefined, and it counts. */
  check(call: {
    readonly method: string;
    readonly app: string;
    readonly workspace: string;
    readonly channel: string | undefined;
  }): number | undefined {
    const options = this.#options;
    if (options === undefined) return undefined;
    if (call.method === "chat.postMessage" && call.channel !== undefined) {
      const wait = this.#count(
        `${call.app} ${call.channel}`,
        options.burst,
        (options.burst * 1000) / options.postsPerSecond,
      );
      if (wait !== undefined) return wait;
    }
    const perMinute =
      options.methods === "slack"
        ? (tiers.find(([, methods]) => methods.test(call.method))?.[0] ?? 50)
        : options.methods[call.method];
    return perMinute === undefined
      ? undefined
      : this.#count(`${call.app} ${call.workspace} ${call.method}`, perMinute, minute);
  }

  #count(key: string, most: number, span: number): number | undefined {
    const now = this.#clock.now();
    const recent = (this.#calls.get(key) ?? []).filter((at) => at > now - span);
    this.#calls.set(key, recent);
    const oldest = recent[0];
    if (oldest !== undefined && recent.length >= most) return Math.max(1, Math.ceil((oldest + span - now) / 1000));
    recent.push(now);
    return undefined;
  }
}
