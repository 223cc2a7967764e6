import {
  RemoteMessageId,
  refused,
  retry,
  uncertain,
  type EffectBase,
  type Failure,
  type Outcome,
  type Sent,
} from "@trestle/core";
import type { XmlElement } from "../content/index.js";
import { failureOf, stanzaErrorOf, type Element } from "../stream/index.js";
import type { Archive } from "./archive.js";
import type { Occupant } from "./occupant.js";
import type { RoomParts } from "./parts.js";
import { CLOCK_SKEW_MS } from "./place.js";
import { Reflections } from "./reflections.js";

export interface RoomSenderOptions {
  readonly parts: RoomParts;
  readonly room: string;
  readonly archive: Archive;
  readonly watcher: Occupant;
  readonly hasArchive: () => boolean;
  /** Why nothing can be said in the room now. */
  readonly whyOut: () => string | undefined;
  /** The bridge's own occupant is not in the room any more. */
  readonly removed: () => void;
  /** Somebody of ours was not let speak: what they are told about it. */
  readonly voiceless: (speaker: Occupant, nick: string) => string;
}

/** What every stanza of the bridge in a room has in common. */
export interface SentEnvelope {
  readonly from: string;
  readonly to: string;
  readonly type: "groupchat";
  readonly id: string;
}

/** Says things in a room: something is said when the room has shown it. */
export class RoomSender {
  readonly #options: RoomSenderOptions;
  readonly #reflections: Reflections;
  /** A subject that was sent, and not shown yet. */
  #subject: { readonly id: string; readonly text: string } | undefined;

  constructor(options: RoomSenderOptions) {
    this.#options = options;
    this.#reflections = new Reflections(options.room);
  }

  /**
   * Sends one of the stanzas of an effect; where an earlier attempt may have sent it, the room is asked first. `write` is
   * the same at every attempt.
   */
  async send(
    effect: EffectBase,
    speaker: Occupant,
    write: (envelope: SentEnvelope) => XmlElement,
    stanza = 0,
  ): Promise<Sent | Failure> {
    if (effect.maybeSent) {
      const found = await this.find(effect, stanza);
      if (found) return found;
    }
    return this.sendAnew(effect, speaker, write, stanza);
  }

  /** The same for what is known not to have been sent. */
  async sendAnew(
    effect: EffectBase,
    speaker: Occupant,
    write: (envelope: SentEnvelope) => XmlElement,
    stanza = 0,
  ): Promise<Sent | Failure> {
    const { parts, room } = this.#options;
    const id = parts.ids.of(room, effect.effect, stanza);
    const shown = this.#reflections.wait(id, speaker.jid, parts.tuning.reflectionTimeoutMs, effect.signal);
    const failure = await speaker.send(write({ from: speaker.jid, to: room, type: "groupchat", id }));
    if (failure) this.#reflections.failed(id, failure);
    return shown;
  }

  /** Sets the subject, which some rooms show under no id. */
  async sendSubject(
    effect: EffectBase,
    speaker: Occupant,
    text: string,
    write: (envelope: SentEnvelope) => XmlElement,
  ): Promise<Outcome> {
    const asked = { id: this.#options.parts.ids.of(this.#options.room, effect.effect), text };
    this.#subject = asked;
    try {
      return await this.sendAnew(effect, speaker, write);
    } finally {
      if (this.#subject === asked) this.#subject = undefined;
    }
  }

  /**
   * What the room has made of a stanza, from memory or its archive: `null` where it surely does not have it. A failure
   * is always `uncertain`: it is to be asked again.
   */
  async find(effect: EffectBase, stanza = 0): Promise<Sent | Failure | null> {
    const { parts, room, archive, watcher, hasArchive, whyOut } = this.#options;
    const id = parts.ids.of(room, effect.effect, stanza);
    const shown = this.#reflections.find(id);
    if (shown) return shown;
    const out = whyOut();
    if (out !== undefined) return uncertain(out);
    if (!hasArchive()) return null;
    let place: { readonly after: string } | { readonly start: number } = { start: effect.at - CLOCK_SKEW_MS };
    for (;;) {
      const page = await archive.page(watcher.jid, place, effect.signal);
      if (page === "gone") return uncertain(`The archive of ${room} has changed while it was read.`);
      if ("failed" in page) return uncertain(page.reason);
      const found = page.items.find(({ message }) => message.attrs["id"] === id);
      if (found) return { id: RemoteMessageId(found.id) };
      const last = page.items.at(-1);
      if (page.complete || !last) return null;
      place = { after: last.id };
    }
  }

  /** The room shows a message of ours, under an id of its own where it has such. */
  shown(id: string, roomsId: string | undefined): void {
    this.#reflections.shown(id, roomsId);
  }

  /** The room shows a subject. */
  subjectShown(text: string | undefined): void {
    if (this.#subject && this.#subject.text === text) this.#reflections.shown(this.#subject.id, undefined);
  }

  /** The connection is gone, of one address or of all: nobody knows what became of what is under way. */
  lost(speaker?: string): void {
    this.#reflections.lost(speaker);
  }

  /** A message of ours came back. */
  bounced(stanza: Element, occupant: Occupant): void {
    const { parts, room, watcher, removed, voiceless } = this.#options;
    const { id = "" } = stanza.attrs;
    if (!parts.ids.isOwn(room, id)) return;
    const error = stanzaErrorOf(stanza);
    // XEP-0045 §7.4: who is not in the room cannot speak in it.
    if (error.condition === "not-acceptable" || error.condition === "item-not-found") {
      occupant.forget();
      if (occupant === watcher) removed();
      this.#reflections.failed(id, retry(`${occupant.jid} is no longer in ${room}, and enters it again`));
      return;
    }
    const failure =
      error.condition === "forbidden"
        ? refused(
            id === this.#subject?.id
              ? `${occupant.nick ?? occupant.jid} may not change the subject of ${room}: only its moderators may`
              : voiceless(occupant, occupant.nick ?? occupant.jid),
          )
        : failureOf(error, `The message to ${room}`);
    this.#reflections.failed(id, failure);
  }
}
