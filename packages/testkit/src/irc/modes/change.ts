import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import { isChannelName } from "../names.js";
import type { Network } from "../network.js";
import type { Changes } from "./changes.js";
import { completeMask } from "./masks.js";
import { neededFor, RANKS, type RankMode } from "./ranks.js";

/** One letter of a MODE of a channel. */
export class ModeChange {
  constructor(
    private readonly network: Network,
    private readonly channel: Channel,
    /** The server where it is absent: nothing is refused then. */
    private readonly by: Client | undefined,
    private readonly on: boolean,
    private readonly letter: string,
  ) {}

  /** `MODE #c b` asks for the bans. */
  isQuestion(left: readonly string[]): boolean {
    return this.network.modes.lists.has(this.letter) && left.length === 0;
  }

  answer(): void {
    const { channel, by, letter, network } = this;
    const mode = network.modes.lists.get(letter);
    if (by === undefined || mode === undefined) return;
    const lettered = mode.lettered === true ? [letter] : [];
    for (const { mask, by: setter, at } of channel.list(letter))
      network.reply(by, mode.entry, [channel.name, ...lettered, mask, setter, String(Math.floor(at / 1000))]);
    network.reply(by, mode.end, [channel.name, ...lettered], `End of channel ${mode.name} list`);
  }

  isAllowed(): boolean {
    const { by, channel } = this;
    if (by === undefined) return true;
    const rank = this.#rankMode();
    const { modes } = this.network;
    const known =
      rank !== undefined ||
      modes.lists.has(this.letter) ||
      `${modes.keyed}${modes.counted}${modes.flags}`.includes(this.letter);
    if (!known || channel.isHalfOp(by)) return true;
    this.#refuse("482", [channel.name], "You must be a channel operator");
    return false;
  }

  apply(left: string[], applied: Changes): void {
    const { modes } = this.network;
    const rank = this.#rankMode();
    if (rank !== undefined) this.#standing(rank, left, applied);
    else if (modes.lists.has(this.letter)) this.#entry(left, applied);
    else if (modes.keyed.includes(this.letter)) this.#key(left, applied);
    else if (modes.counted.includes(this.letter)) this.#counted(left, applied);
    else if (modes.flags.includes(this.letter)) this.#flag(applied);
    else this.#refuse("472", [this.letter], "is not a recognised channel mode.");
  }

  #rankMode(): RankMode | undefined {
    const { ranks } = this.network.settings;
    return RANKS.find(({ mode }) => mode === this.letter && ranks.includes(mode))?.mode;
  }

  #refuse(numeric: string, params: readonly string[], text: string): void {
    if (this.by !== undefined) this.network.reply(this.by, numeric, params, text);
  }

  #standing(mode: RankMode, left: string[], applied: Changes): void {
    const { network, channel, by, on } = this;
    const nick = left.shift();
    if (nick === undefined) {
      this.#refuse("461", ["MODE"], "Not enough parameters.");
      return;
    }
    const target = network.findClient(nick, by);
    const standing = target === undefined ? undefined : channel.members.get(target);
    if (target === undefined) {
      this.#refuse("401", [nick], "No such nick");
    } else if (standing === undefined) {
      this.#refuse("441", [target.shownNick, channel.name], "They are not on that channel");
    } else if (by !== undefined && by !== target && channel.rankOf(by) < neededFor(mode)) {
      this.#refuse("482", [channel.name], "You must be a channel operator");
    } else if (by !== undefined && by === target && on && channel.rankOf(by) < neededFor(mode)) {
      this.#refuse("482", [channel.name], "You must be a channel operator");
    } else if (standing.has(mode) !== on) {
      if (on) standing.add(mode);
      else standing.delete(mode);
      applied.add(on, mode, target.shownNick);
    }
  }

  #entry(left: string[], applied: Changes): void {
    const { network, channel, letter } = this;
    const mask = completeMask(left.shift() ?? "");
    const entries = channel.list(letter);
    const same = entries.find((entry) => network.fold(entry.mask) === network.fold(mask));
    if (this.on === (same !== undefined)) return;
    if (this.on && entries.length >= network.settings.limits.bans) {
      this.#refuse("478", [channel.name, mask, letter], "Channel ban list is full");
      return;
    }
    const by = this.by?.shownNick ?? network.settings.name;
    channel.lists.set(
      letter,
      this.on ? [...entries, { mask, by, at: network.now() }] : entries.filter((entry) => entry !== same),
    );
    applied.add(this.on, letter, same?.mask ?? mask);
  }

  #key(left: string[], applied: Changes): void {
    const { channel, network } = this;
    const given = left.shift();
    if (this.on) {
      if (given === undefined) this.#refuse("461", ["MODE"], "Not enough parameters.");
      else if (given === "" || /[ ,]/.test(given) || given.startsWith(":"))
        this.#refuse("525", [channel.name], "Key is not well-formed");
      else {
        channel.settings.set("k", given.slice(0, network.settings.limits.key));
        applied.add(true, "k", channel.key);
      }
    } else if (channel.key !== undefined) {
      applied.add(false, "k", channel.key);
      channel.settings.delete("k");
    }
  }

  /** The limit, or where to forward those who may not come in. */
  #counted(left: string[], applied: Changes): void {
    const { channel, letter } = this;
    if (!this.on) {
      if (channel.settings.delete(letter)) applied.add(false, letter);
      return;
    }
    const given = left.shift();
    if (given === undefined) {
      this.#refuse("461", ["MODE"], "Not enough parameters.");
      return;
    }
    const value = letter === "l" ? String(Number.parseInt(given, 10)) : given;
    const valid = letter === "l" ? Number(value) > 0 : isChannelName(value, this.network.settings.limits.channel);
    if (!valid) {
      this.#refuse("696", [channel.name, letter, given === "" ? "*" : given], `Invalid parameter of mode ${letter}`);
      return;
    }
    channel.settings.set(letter, value);
    applied.add(true, letter, value);
  }

  #flag(applied: Changes): void {
    if (this.channel.flags.has(this.letter) === this.on) return;
    if (this.on) this.channel.flags.add(this.letter);
    else this.channel.flags.delete(this.letter);
    applied.add(this.on, this.letter);
  }
}
