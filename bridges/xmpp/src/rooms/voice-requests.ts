import { randomUUID } from "node:crypto";
import { RemoteMessageId, type ChannelId } from "@trestle/core";
import { ns, signalOf, type MucItem } from "../content/index.js";
import { writeForm } from "../protocol/index.js";
import type { Occupant } from "./occupant.js";
import type { RoomParts } from "./parts.js";

export interface VoiceRequestsOptions {
  readonly parts: RoomParts;
  readonly room: string;
  readonly channel: ChannelId;
}

/** Somebody of ours: the address in the room, and how to send from there. */
type Speaker = Pick<Occupant, "jid" | "send">;

/** So many are remembered; whoever asked before them may ask again. */
const MOST_ASKED = 1_000;

/** Asks moderators of a room for voice for those of ours who have none and want to speak: once, until they have it (XEP-0045 §8.6). */
export class VoiceRequests {
  /** Who waits, by their address. */
  readonly #asked = new Set<string>();

  constructor(private readonly options: VoiceRequestsOptions) {}

  /** Somebody was not let speak. What they are told about it. */
  refused(speaker: Speaker, nick: string): string {
    const { jid } = speaker;
    const { room } = this.options;
    const isNew = !this.#asked.has(jid);
    if (isNew) this.#ask(speaker);
    return isNew
      ? `${nick} may not speak in ${room}: it is moderated. Its moderators were asked for voice; say it again when they have given it.`
      : `${nick} may not speak in ${room}: its moderators were asked for voice, and have not given it yet.`;
  }

  /** A Matrix user came into the room because they came into the Matrix room: there they may not even try to speak. */
  async joined(speaker: Speaker, nick: string, { role }: MucItem): Promise<void> {
    if (role === "visitor" && !this.#asked.has(speaker.jid)) await this.#tell(this.refused(speaker, nick));
  }

  /** The room shows somebody of ours what they are. Resolves when the room was told that they can speak now. */
  async shown(jid: string, nick: string, { role }: MucItem): Promise<void> {
    if ((role !== "participant" && role !== "moderator") || !this.#asked.delete(jid)) return;
    await this.#tell(`${nick} may speak in ${this.options.room} now.`);
  }

  async #tell(notice: string): Promise<void> {
    const { parts, channel } = this.options;
    await parts.network.receive({ kind: "channel", id: RemoteMessageId(`voice:${randomUUID()}`), channel, notice });
  }

  #ask(speaker: Speaker): void {
    const { jid } = speaker;
    this.#asked.add(jid);
    const oldest = this.#asked.size > MOST_ASKED ? this.#asked.values().next().value : undefined;
    if (oldest !== undefined) this.#asked.delete(oldest);
    const { room } = this.options;
    const fields = [{ name: "muc#role", type: "list-single" as const, values: ["participant"] }];
    const form = writeForm({ type: "submit", formType: ns.mucRequest, fields });
    // A room that takes no such requests says so, which helps nobody.
    void speaker.send(signalOf({ from: jid, to: room, type: "normal", id: randomUUID() }, form));
  }
}
