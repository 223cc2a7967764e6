import { parseJson, type ConnectorStorage } from "@trestle/core";
import { createHash } from "node:crypto";
import { z } from "zod";

const keysSchema = z.array(z.string());

/**
 * Who reacted to a message with what. XMPP tells all reactions of a person to a message at once (XEP-0444), Matrix one by
 * one, so that what was given before must be known on either way, also after a restart.
 */
export class ReactionSets {
  constructor(
    private readonly storage: ConnectorStorage,
    /** Whose they are: `mine` or `theirs`. */
    private readonly whose: string,
  ) {}

  /** What is given now. */
  async of(channel: string, message: string): Promise<readonly string[]> {
    return parseJson((await this.storage.get(this.keyOf(channel, message))) ?? "[]", keysSchema) ?? [];
  }

  async set(channel: string, message: string, keys: readonly string[]): Promise<void> {
    const key = this.keyOf(channel, message);
    if (keys.length === 0) await this.storage.delete(key);
    else await this.storage.set(key, JSON.stringify(keys));
  }

  /** The same, as what is remembered along with an event. */
  remembered(channel: string, message: string, keys: readonly string[]): Readonly<Record<string, string | null>> {
    return { [this.keyOf(channel, message)]: keys.length === 0 ? null : JSON.stringify(keys) };
  }

  keyOf(channel: string, message: string): string {
    const digest = createHash("sha256").update(`${channel}\n${message}`).digest("base64url");
    return `reactions ${this.whose} ${digest}`;
  }
}
