import { randomUUID } from "node:crypto";
import type { ReceiptSignal, TypingSignal, UserId } from "@trestle/core";
import { writeChatState, writeMarker, type ChatState } from "../content/index.js";
import type { Ghosts } from "./ghosts.js";
import type { Messages } from "./messages.js";
import type { RoomFeatures } from "./muc.js";
import type { Occupant } from "./occupant.js";
import type { RoomParts } from "./parts.js";

export interface ChatStatesOptions {
  readonly parts: RoomParts;
  readonly room: string;
  readonly watcher: Occupant;
  readonly ghosts: Ghosts;
  readonly messages: Messages;
  readonly features: () => RoomFeatures;
  readonly whyOut: () => string | undefined;
}

/** What Matrix users do, but say nothing by it: that they type (XEP-0085) and what they have read (XEP-0333). */
export class ChatStates {
  readonly #options: ChatStatesOptions;
  #typing = new Set<Occupant>();

  constructor(options: ChatStatesOptions) {
    this.#options = options;
  }

  async typing({ authors }: TypingSignal): Promise<void> {
    if (this.#options.whyOut() !== undefined) return;
    const now = new Set(authors.flatMap(({ userId }) => this.#inRoom(userId) ?? []));
    const before = this.#typing;
    this.#typing = now;
    for (const occupant of before) if (!now.has(occupant)) await this.#tell(occupant, "active");
    for (const occupant of now) if (!before.has(occupant)) await this.#tell(occupant, "composing");
  }

  /** Only among members who know each other: in a public room it is told to too many, about too many. */
  async read({ author, upTo }: ReceiptSignal): Promise<void> {
    const { room, ghosts, messages, features, whyOut } = this.#options;
    const { membersOnly, nonAnonymous } = features();
    const occupant = ghosts.find(author.userId);
    if (!membersOnly || !nonAnonymous || occupant?.nick === undefined) return;
    if (whyOut() !== undefined || !messages.canReferTo(upTo)) return;
    await occupant.send(writeMarker({ from: occupant.jid, to: room, type: "groupchat", id: randomUUID() }, upTo));
  }

  /** Who speaks does not type any more: what they say tells so. */
  spoke(occupant: Occupant): void {
    this.#typing.delete(occupant);
  }

  /** Nobody enters a room only to type in it. */
  #inRoom(user: UserId): Occupant | undefined {
    const { parts, ghosts, watcher } = this.#options;
    const ofTheirOwn = (parts.config.ghosts && parts.config.maxGhosts > 0) || ghosts.hasVoice(user);
    const occupant = ofTheirOwn ? ghosts.find(user) : watcher;
    return occupant?.nick === undefined ? undefined : occupant;
  }

  async #tell(occupant: Occupant, state: ChatState): Promise<void> {
    const { room } = this.#options;
    const { jid, nick } = occupant;
    if (nick === undefined) return;
    await occupant.send(writeChatState({ from: jid, to: room, type: "groupchat", id: randomUUID() }, state));
  }
}
