import { createHmac } from "node:crypto";
import type { EffectId } from "@trestle/core";

const FORM = /^tr\.([A-Za-z0-9_-]{1,40}(?:~[1-9][0-9]{0,3})?)\.([A-Za-z0-9_-]{16})$/;

/**
 * The ids of the messages that the bridge sends: derived from the effect, so that they are the same at every attempt and
 * after a crash, and known as the bridge's own in what a room shows or has archived. Nobody else can make one.
 */
export class OwnIds {
  constructor(private readonly secret: string) {}

  /** `stanza` counts from 0 where one effect takes several. */
  of(room: string, effect: EffectId, stanza = 0): string {
    const cause = stanza === 0 ? effect : `${effect}~${stanza}`;
    return `tr.${cause}.${this.#mark(room, cause)}`;
  }

  isOwn(room: string, id: string): boolean {
    const [, effect, mark] = FORM.exec(id) ?? [];
    return effect !== undefined && this.#mark(room, effect) === mark;
  }

  #mark(room: string, effect: string): string {
    return createHmac("sha256", this.secret).update(`message id\n${room}\n${effect}`).digest("base64url").slice(0, 16);
  }
}
