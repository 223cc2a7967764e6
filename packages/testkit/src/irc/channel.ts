import type { Client } from "./client.js";
import { HALF_OPERATOR, OPERATOR, RANKS, type RankMode, rankValue } from "./modes/ranks.js";

/** An entry of a ban, exception, invitation or quiet list. */
export interface ListEntry {
  readonly mask: string;
  readonly by: string;
  /** In milliseconds since 1970. */
  readonly at: number;
}

export interface Topic {
  readonly text: string;
  readonly by: string;
  readonly at: number;
}

/** The ranks of a member, all of them: one who is `o` and `v` is `v` still when the `o` is taken. */
export type Standing = Set<RankMode>;

export class Channel {
  readonly members = new Map<Client, Standing>();
  /** Modes without a parameter. */
  readonly flags = new Set<string>(["n", "t"]);
  /** By letter: `b`, `e`, `I`, `q`. */
  readonly lists = new Map<string, ListEntry[]>();
  /** By letter: the key `k`, the limit `l`, where to forward `f`. */
  readonly settings = new Map<string, string>();
  topic: Topic | undefined;

  constructor(
    readonly name: string,
    readonly createdAt: number,
  ) {}

  get key(): string | undefined {
    return this.settings.get("k");
  }

  get limit(): number | undefined {
    const limit = this.settings.get("l");
    return limit === undefined ? undefined : Number(limit);
  }

  list(letter: string): readonly ListEntry[] {
    return this.lists.get(letter) ?? [];
  }

  rankOf(client: Client): number {
    return rankValue(this.members.get(client));
  }

  isOp(client: Client): boolean {
    return this.rankOf(client) >= OPERATOR;
  }

  isHalfOp(client: Client): boolean {
    return this.rankOf(client) >= HALF_OPERATOR;
  }

  /** Secret or private, to those outside. */
  isSecretFor(client: Client): boolean {
    return (this.flags.has("s") || this.flags.has("p")) && !this.members.has(client);
  }

  /** `~&@%+`, the highest only, or all of them. */
  prefixOf(client: Client, all: boolean): string {
    const standing = this.members.get(client);
    const prefixes = RANKS.filter(({ mode }) => standing?.has(mode) === true).map(({ prefix }) => prefix);
    return all ? prefixes.join("") : (prefixes[0] ?? "");
  }

  /** `+nt` and parameters. */
  get allModes(): string[] {
    return this.#modes(true);
  }

  /** `+nt` and parameters, the key only for members. */
  modesFor(client: Client): string[] {
    return this.#modes(this.members.has(client));
  }

  #modes(withKey: boolean): string[] {
    const letters = [...this.flags].sort();
    const params: string[] = [];
    for (const letter of ["k", "l", "f"]) {
      const value = this.settings.get(letter);
      if (value === undefined) continue;
      letters.push(letter);
      params.push(letter === "k" && !withKey ? "*" : value);
    }
    return [`+${letters.join("")}`, ...params];
  }
}
