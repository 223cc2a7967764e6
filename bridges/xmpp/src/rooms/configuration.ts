import { retry, type ChannelSettings, type Failure } from "@trestle/core";
import type { MucItem } from "../content/index.js";
import { readDiscoInfo, readRoomInfo } from "../protocol/index.js";
import { failureOf, xml } from "../stream/index.js";
import { featuresOf, NS, type RoomFeatures } from "./muc.js";
import type { Occupant } from "./occupant.js";
import type { RoomParts } from "./parts.js";
import { settingsOf } from "./settings.js";

const NOTHING: RoomFeatures = {
  archive: false,
  occupantIds: false,
  nonAnonymous: false,
  membersOnly: false,
  moderated: false,
  moderation: undefined,
  card: false,
};

export interface ConfigurationOptions {
  readonly parts: RoomParts;
  readonly room: string;
  readonly watcher: Occupant;
}

/** What a room is and can do, as it says (XEP-0045 §6.4). */
export class Configuration {
  #features = NOTHING;
  #settings: ChannelSettings = {};
  #isKnown = false;
  /** Whoever enters has a voice, as ejabberd has it for moderated rooms that were not set otherwise. */
  #hasVoiceByDefault = false;
  #asking: Promise<Failure | undefined> | undefined;

  constructor(private readonly options: ConfigurationOptions) {}

  get features(): RoomFeatures {
    const moderated = this.#features.moderated && !this.#hasVoiceByDefault;
    return moderated === this.#features.moderated ? this.#features : { ...this.#features, moderated };
  }

  /** How it is set, as it concerns Matrix. */
  get settings(): ChannelSettings {
    const { moderated, ...others } = this.#settings;
    const { ghosts, maxGhosts } = this.options.parts.config;
    // Where the bridge speaks for all they have its voice, or none.
    if (moderated === undefined || !ghosts || maxGhosts === 0) return others;
    return { moderated: moderated && !this.#hasVoiceByDefault, ...others };
  }

  /** One of ours came into the room, and this is what they are there. Whether that says something new of the room. */
  entered({ affiliation = "none", role }: MucItem): boolean {
    if (affiliation !== "none" || role === undefined || role === "none") return false;
    // Where nobody needs a voice that they have one says nothing.
    if (this.#isKnown && !this.#features.moderated) return false;
    const before = this.features.moderated;
    this.#hasVoiceByDefault = role !== "visitor";
    return this.#isKnown && this.features.moderated !== before;
  }

  /** The room has said what it is. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Asks the room. One question behind the one that is under way is enough for all who ask meanwhile. */
  look(): Promise<Failure | undefined> {
    const asked = this.#ask();
    this.#asking = asked;
    return asked.finally(() => {
      if (this.#asking === asked) this.#asking = undefined;
    });
  }

  /** Whether it is being asked already. */
  get isAsked(): boolean {
    return this.#asking !== undefined;
  }

  async #ask(): Promise<Failure | undefined> {
    const { parts, room, watcher } = this.options;
    const answer = await parts.stream.request(
      xml("iq", { type: "get", from: watcher.jid, to: room }, xml("query", { xmlns: NS.discoInfo })),
    );
    if (answer.kind === "failure") return retry(answer.failure.reason);
    if (answer.kind === "error") return retry(failureOf(answer.error, `Asking ${room} what it can do`).reason);
    this.#features = featuresOf(answer.stanza);
    if (!this.#features.moderated) this.#hasVoiceByDefault = false;
    const query = answer.stanza.getChild("query", NS.discoInfo);
    const info = query && readRoomInfo(readDiscoInfo(query));
    this.#settings = info ? settingsOf(info) : {};
    this.#isKnown = true;
    return undefined;
  }
}
