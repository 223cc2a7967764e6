import { createHash } from "node:crypto";
import type { ConnectorStorage } from "@trestle/core";
import { z } from "zod";

const keptSchema = z.array(z.string());
const storageKey = "own changes";
const mostRemembered = 500;
/** The core keeps 64 KiB under one key. */
const longestText = 60;

/** An edit or a reaction of somebody for whom the bridge speaks. */
export interface OwnChange {
  readonly kind: "edit" | "added" | "removed";
  readonly channel: string;
  readonly ts: string;
  /** Who it is in Slack; of an edit it does not matter. */
  readonly user?: string;
  /** The new text, or the name of the emoji. */
  readonly what: string;
}

/**
 * Edits and reactions that the bridge makes itself, of which Slack will tell: nothing to be told to Matrix. On disk before
 * Slack is asked, because Slack may tell of it when another process listens.
 */
export class OwnChanges {
  readonly #expected: string[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(readonly storage: ConnectorStorage) {}

  async load(): Promise<void> {
    const text = await this.storage.get(storageKey);
    if (text !== undefined) this.#expected.push(...keptSchema.parse(JSON.parse(text)));
  }

  async expect(change: OwnChange): Promise<void> {
    const id = idOf(change);
    // Reacting twice is reacting once; every edit is told of.
    if (change.kind !== "edit" && this.#expected.includes(id)) return;
    this.#expected.push(id);
    if (this.#expected.length > mostRemembered) this.#expected.shift();
    await this.#write();
  }

  /** Whether it was ours; the next one like it is not. */
  async take(change: OwnChange): Promise<boolean> {
    const at = this.#expected.indexOf(idOf(change));
    if (at < 0) return false;
    this.#expected.splice(at, 1);
    await this.#write();
    return true;
  }

  #write(): Promise<void> {
    const write = (): Promise<void> => this.storage.set(storageKey, JSON.stringify(this.#expected));
    const turn = this.#writing.then(write, write);
    this.#writing = turn.catch(() => undefined);
    return turn;
  }
}

function idOf({ kind, channel, ts, user = "", what }: OwnChange): string {
  const text = what.length <= longestText ? what : createHash("sha256").update(what).digest("base64url");
  return `${kind} ${channel} ${ts} ${user} ${text}`;
}
