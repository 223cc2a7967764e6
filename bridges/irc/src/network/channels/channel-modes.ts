import type { ChannelSettings } from "@trestle/core";
import { type ModeChange, modeChanges } from "../../wire/mode-changes.js";
import { isServer } from "../../wire/source.js";
import type { ChannelRanks } from "./channel-ranks.js";
import type { Expulsions } from "./expulsions.js";
import type { Heard, Telling } from "../inward/heard.js";

/** What the flags that every network has say of a channel. RFC 2811 §4.2. */
const SETTINGS: Readonly<Record<string, keyof ChannelSettings>> = {
  m: "moderated",
  i: "inviteOnly",
  k: "keyed",
  s: "secret",
  t: "topicLocked",
};

export interface ChannelModesOptions {
  readonly telling: Telling;
  readonly ranks: ChannelRanks;
  readonly expulsions: Expulsions;
  /** A linked channel has this key now; `undefined` where it has none. */
  readonly keyChanged: (channel: string, key: string | undefined) => void;
}

/** What `MODE` says of a channel: how it is set, who has which rank, who is banned. */
export class ChannelModes {
  constructor(private readonly options: ChannelModesOptions) {}

  /** `complete`: these are all flags the channel has (324). */
  take(heard: Heard, [target = "", ...modes]: readonly string[], complete: boolean): void {
    const { telling, ranks, expulsions } = this.options;
    const { view } = heard.connection;
    const channel = view.fold(target);
    if (!telling.options.isLinked(channel)) return;
    const changes = modeChanges(view.isupport, modes);
    for (const change of changes) this.#key(channel, change);
    const isOwn = heard.own && !complete;
    // Who can come in, and who can see what, is on Matrix already as it was decided there.
    const told = isOwn ? changes.filter(({ letter }) => !"iks".includes(letter)) : changes;
    this.#settings(heard, channel, told, complete);
    if (isOwn) this.#tellKey(heard, channel, changes);
    if (complete) return;
    ranks.changed(heard, channel, changes);
    for (const { letter, on, parameter } of changes)
      if (letter === "b" && parameter !== undefined) expulsions.banned(heard, channel, parameter, on);
  }

  /** Servers hide a key from who may not know it. */
  #key(channel: string, { letter, on, parameter }: ModeChange): void {
    if (letter === "k" && (!on || (parameter !== undefined && parameter !== "*" && parameter !== "<key>")))
      this.options.keyChanged(channel, on ? parameter : undefined);
  }

  /** Who comes from IRC has to be told the key by somebody in the room. */
  #tellKey(heard: Heard, channel: string, changes: readonly ModeChange[]): void {
    const key = changes.findLast(({ letter, on }) => letter === "k" && on)?.parameter;
    if (key === undefined) return;
    const { telling } = this.options;
    const name = heard.connection.view.channels.get(channel) ?? channel;
    telling.emit(heard, {
      kind: "channel",
      ...telling.caused(heard, channel, `${heard.scope.id}:key`),
      notice: `${name} has a key now: ${key}. Whoever comes from IRC needs it; who speaks here is let in.`,
    });
  }

  #settings(heard: Heard, channel: string, changes: readonly ModeChange[], complete: boolean): void {
    const { telling } = this.options;
    const told = new Map<string, boolean>();
    if (complete) for (const setting of Object.values(SETTINGS)) told.set(setting, false);
    for (const { letter, on } of changes) {
      const setting = SETTINGS[letter];
      if (setting !== undefined) told.set(setting, on);
    }
    if (told.size === 0) return;
    const settings: ChannelSettings = Object.fromEntries(told);
    const by = complete || isServer(heard.source) ? undefined : telling.userOf(heard, heard.source.nick);
    telling.emit(heard, {
      kind: "channel",
      ...telling.caused(heard, channel, `${heard.scope.id}:settings`),
      settings,
      ...(by && { by }),
    });
  }
}
