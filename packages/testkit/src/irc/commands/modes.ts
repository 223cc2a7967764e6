import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import { CHANNEL_FLAGS } from "../isupport.js";
import { completeMask } from "../names.js";
import type { Network } from "../network.js";
import { type Call, type Commands, param } from "./command.js";

export const modeCommands: Commands = {
  MODE: { needs: 1, run: mode },
};

function mode(call: Call): void {
  const { client, network } = call;
  const target = param(call, 0);
  if (!/^[#&]/.test(target)) {
    userMode(call, target);
    return;
  }
  const channel = network.findChannel(target);
  if (channel === undefined || channel.isSecretFor(client)) {
    network.reply(client, "403", [target], "No such channel");
  } else if (call.params[1] === undefined) {
    network.reply(client, "324", [channel.name, ...channel.modesFor(client)]);
    network.reply(client, "329", [channel.name, String(Math.floor(channel.createdAt / 1000))]);
  } else {
    changeModes(network, channel, client, call.params[1], call.params.slice(2));
  }
}

function userMode({ client, network, params }: Call, target: string): void {
  const named = network.findClient(target, client);
  if (named === undefined) {
    network.reply(client, "401", [target], "No such nick");
  } else if (named !== client) {
    network.reply(client, "502", [], "Can't change mode for other users");
  } else if (params[1] === undefined) {
    network.reply(client, "221", [`+${[...client.modes].sort().join("")}`]);
  } else {
    changeUserModes(network, client, params[1]);
  }
}

function changeUserModes(network: Network, client: Client, text: string): void {
  const applied = new Changes();
  for (const { on, letter } of letters(text)) {
    if (letter !== "i" && letter !== "B") {
      network.reply(client, "501", [letter], "is not a recognised user mode.");
    } else if (client.modes.has(letter) !== on) {
      if (on) client.modes.add(letter);
      else client.modes.delete(letter);
      applied.add(on, letter);
    }
  }
  if (applied.some) network.relay(client.mask, "MODE", [client.shownNick, ...applied.words], { to: [client] });
}

function* letters(text: string): Generator<{ on: boolean; letter: string }> {
  let on = true;
  for (const letter of text) {
    if (letter === "+" || letter === "-") on = letter === "+";
    else yield { on, letter };
  }
}

/** The changes that took effect, as they are told: `+o-v alice bob`. */
class Changes {
  #text = "";
  #sign = "";
  readonly #params: string[] = [];

  add(on: boolean, letter: string, parameter?: string): void {
    const sign = on ? "+" : "-";
    if (sign !== this.#sign) this.#text += sign;
    this.#sign = sign;
    this.#text += letter;
    if (parameter !== undefined) this.#params.push(parameter);
  }

  get some(): boolean {
    return this.#text !== "";
  }

  get words(): string[] {
    return [this.#text, ...this.#params];
  }
}

/** `by` is the server where it is absent: nothing is refused then. */
export function changeModes(
  network: Network,
  channel: Channel,
  by: Client | undefined,
  text: string,
  params: readonly string[],
): void {
  const applied = new Changes();
  const left = [...params].slice(0, network.settings.limits.modes);
  for (const { on, letter } of letters(text)) {
    const change = new ModeChange(network, channel, by, on, letter);
    if (change.isQuestion(left)) change.answer();
    else if (change.isAllowed()) change.apply(left, applied);
    else break;
  }
  if (!applied.some) return;
  const to = by === undefined ? channel.members.keys() : network.reachable(channel, by);
  network.relay(by?.mask ?? network.settings.name, "MODE", [channel.name, ...applied.words], { to });
}

/** One letter of a MODE. */
class ModeChange {
  constructor(
    private readonly network: Network,
    private readonly channel: Channel,
    private readonly by: Client | undefined,
    private readonly on: boolean,
    private readonly letter: string,
  ) {}

  /** `MODE #c b` asks for the bans. */
  isQuestion(left: readonly string[]): boolean {
    return this.letter === "b" && left.length === 0;
  }

  answer(): void {
    if (this.by === undefined) return;
    for (const ban of this.channel.bans) {
      this.network.reply(this.by, "367", [this.channel.name, ban.mask, ban.by, String(Math.floor(ban.at / 1000))]);
    }
    this.network.reply(this.by, "368", [this.channel.name], "End of channel ban list");
  }

  isAllowed(): boolean {
    if (this.by === undefined || this.channel.isOp(this.by)) return true;
    if (this.channel.members.has(this.by)) this.#refuse("482", [this.channel.name], "You must be a channel operator");
    else this.#refuse("442", [this.channel.name], "You're not on that channel");
    return false;
  }

  apply(left: string[], applied: Changes): void {
    if (this.letter === "o" || this.letter === "v") this.#standing(left, applied);
    else if (this.letter === "b") this.#ban(left, applied);
    else if (this.letter === "k") this.#key(left, applied);
    else if (this.letter === "l") this.#limit(left, applied);
    else if (CHANNEL_FLAGS.includes(this.letter)) this.#flag(applied);
    else this.#refuse("472", [this.letter], "is not a recognised channel mode.");
  }

  #refuse(numeric: string, params: readonly string[], text: string): void {
    if (this.by !== undefined) this.network.reply(this.by, numeric, params, text);
  }

  #standing(left: string[], applied: Changes): void {
    const nick = left.shift();
    if (nick === undefined) {
      this.#refuse("461", ["MODE"], "Not enough parameters.");
      return;
    }
    const target = this.network.findClient(nick, this.by);
    const standing = target === undefined ? undefined : this.channel.members.get(target);
    if (target === undefined) this.#refuse("401", [nick], "No such nick");
    else if (standing === undefined)
      this.#refuse("441", [target.shownNick, this.channel.name], "They are not on that channel");
    else {
      const role = this.letter === "o" ? "op" : "voice";
      if (standing[role] === this.on) return;
      standing[role] = this.on;
      applied.add(this.on, this.letter, target.shownNick);
    }
  }

  #ban(left: string[], applied: Changes): void {
    const mask = completeMask(left.shift() ?? "");
    const { network, channel } = this;
    const same = channel.bans.find((ban) => network.fold(ban.mask) === network.fold(mask));
    if (this.on) {
      if (same !== undefined) return;
      if (channel.bans.length >= network.settings.limits.bans) {
        this.#refuse("478", [channel.name, mask], "Channel ban list is full");
        return;
      }
      channel.bans.push({ mask, by: this.by?.shownNick ?? network.settings.name, at: Date.now() });
    } else {
      if (same === undefined) return;
      channel.bans = channel.bans.filter((ban) => ban !== same);
    }
    applied.add(this.on, "b", mask);
  }

  #key(left: string[], applied: Changes): void {
    const given = left.shift();
    if (this.on) {
      if (given === undefined || given === "") {
        this.#refuse("461", ["MODE"], "Not enough parameters.");
        return;
      }
      this.channel.key = given.slice(0, this.network.settings.limits.key);
      applied.add(true, "k", this.channel.key);
    } else if (this.channel.key !== undefined) {
      applied.add(false, "k", this.channel.key);
      this.channel.key = undefined;
    }
  }

  #limit(left: string[], applied: Changes): void {
    if (this.on) {
      const limit = Number.parseInt(left.shift() ?? "", 10);
      if (!(limit > 0)) {
        this.#refuse("461", ["MODE"], "Not enough parameters.");
        return;
      }
      this.channel.limit = limit;
      applied.add(true, "l", String(limit));
    } else if (this.channel.limit !== undefined) {
      this.channel.limit = undefined;
      applied.add(false, "l");
    }
  }

  #flag(applied: Changes): void {
    if (this.channel.flags.has(this.letter) === this.on) return;
    if (this.on) this.channel.flags.add(this.letter);
    else this.channel.flags.delete(this.letter);
    applied.add(this.on, this.letter);
  }
}
