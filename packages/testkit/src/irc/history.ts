import type { Stamp } from "./client.js";
import type { Utterance } from "./utterance.js";

/** Something that was said, for CHATHISTORY and REDACT. */
export interface SaidEntry {
  readonly kind: "said";
  readonly utterance: Utterance;
  /** Folded. */
  readonly nick: string;
  readonly account: string | undefined;
  readonly stamp: Stamp;
}

/** Something that happened in a channel, for `draft/event-playback`. */
export interface EventEntry {
  readonly kind: "event";
  readonly body: string;
  readonly stamp: Stamp;
}

export type HistoryEntry = SaidEntry | EventEntry;

/** How many channels and conversations are remembered. */
const BUFFERS = 10_000;

/**
 * What was said and what happened, by channel and by conversation, in order. It survives an outage of the server, and is
 * kept whether or not `draft/chathistory` is on.
 */
export class History {
  readonly #buffers = new Map<string, HistoryEntry[]>();

  constructor(private readonly keep: number) {}

  add(key: string, entry: HistoryEntry): void {
    const buffer = this.#buffers.get(key) ?? [];
    buffer.push(entry);
    if (buffer.length > this.keep) buffer.splice(0, buffer.length - this.keep);
    this.#buffers.set(key, buffer);
    if (this.#buffers.size > BUFFERS) {
      const [oldest] = this.#buffers.keys();
      if (oldest !== undefined) this.#buffers.delete(oldest);
    }
  }

  of(key: string): readonly HistoryEntry[] {
    return this.#buffers.get(key) ?? [];
  }

  /** The folded nicks that a folded nick has exchanged messages with. */
  peersOf(nick: string): string[] {
    return [...this.#buffers.keys()].flatMap((key) => {
      const [one, other] = key.split(" ");
      if (one === undefined || other === undefined || (one !== nick && other !== nick)) return [];
      return [one === nick ? other : one];
    });
  }

  find(key: string, msgid: string): SaidEntry | undefined {
    const entry = this.of(key).find(({ stamp }) => stamp.msgid === msgid);
    return entry?.kind === "said" ? entry : undefined;
  }

  remove(key: string, entry: HistoryEntry): void {
    const buffer = this.#buffers.get(key);
    const index = buffer?.indexOf(entry) ?? -1;
    if (index >= 0) buffer?.splice(index, 1);
  }
}

/** The key of what two people said to each other. A channel's key is its folded name. */
export const conversation = (one: string, other: string): string => [one, other].sort().join(" ");
