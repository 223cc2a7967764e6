import type { Element } from "./stream/index.js";

/** A part of the bridge that some of the incoming stanzas are meant for. */
export interface StanzaTaker {
  /**
   * Takes a stanza, or says `"unknown"` where it is meant for another part. Resolves when what it said is on disk;
   * `undefined` where nothing of it has to be kept.
   */
  take(stanza: Element): Promise<void> | undefined | "unknown";
}
