import type { Client } from "./client.js";

export interface Ban {
  readonly mask: string;
  readonly by: string;
  readonly at: number;
}

export interface Topic {
  readonly text: string;
  readonly by: string;
  readonly at: number;
}

/** What a member is in a channel. */
export interface Standing {
  op: boolean;
  voice: boolean;
}

export class Channel {
  readonly createdAt = Date.now();
  readonly members = new Map<Client, Standing>();
  /** Modes without a parameter: i m n s t r. */
  readonly flags = new Set<string>(["n", "t"]);
  bans: Ban[] = [];
  key: string | undefined;
  limit: number | undefined;
  topic: Topic | undefined;

  constructor(readonly name: string) {}

  isOp(client: Client): boolean {
    return this.members.get(client)?.op === true;
  }

  isSecretFor(client: Client): boolean {
    return this.flags.has("s") && !this.members.has(client);
  }

  /** `@` and `+`, the highest only, or all of them. */
  prefixOf(client: Client, all: boolean): string {
    const standing = this.members.get(client);
    if (standing === undefined) return "";
    const prefixes = `${standing.op ? "@" : ""}${standing.voice ? "+" : ""}`;
    return all ? prefixes : prefixes.slice(0, 1);
  }

  /** `+nt` and parameters. */
  get allModes(): string[] {
    return this.#modes(this.key);
  }

  /** `+nt` and parameters, the key only for members. */
  modesFor(client: Client): string[] {
    return this.#modes(this.members.has(client) ? this.key : this.key && "*");
  }

  #modes(key: string | undefined): string[] {
    const letters = [...this.flags].sort();
    const params: string[] = [];
    if (key !== undefined) {
      letters.push("k");
      params.push(key);
    }
    if (this.limit !== undefined) {
      letters.push("l");
      params.push(String(this.limit));
    }
    return [`+${letters.join("")}`, ...params];
  }
}
