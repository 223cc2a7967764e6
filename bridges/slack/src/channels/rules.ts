import type { SlackConfig } from "../config.js";

/** Which channels the operator lets be bridged: `channels.allow` and `channels.deny`, by id or name. */
export class ChannelRules {
  readonly #allow: readonly RegExp[];
  readonly #deny: readonly RegExp[];
  /** Whether there is any channel that may not be. */
  readonly restrict: boolean;

  constructor({ allow, deny }: SlackConfig["channels"]) {
    this.#allow = allow.map(globOf);
    this.#deny = deny.map(globOf);
    this.restrict = deny.length > 0 || !allow.includes("*");
  }

  permit({ id, name = "" }: { readonly id: string; readonly name?: string | undefined }): boolean {
    const matches = (pattern: RegExp): boolean => pattern.test(id) || pattern.test(name);
    return this.#allow.some(matches) && !this.#deny.some(matches);
  }
}

function globOf(pattern: string): RegExp {
  const text = pattern
    .replace(/^#/, "")
    .split("*")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${text}$`, "i");
}
