import { randomInt } from "node:crypto";
import { type ConsentRequest, type Network, type RoomId, UserId } from "@trestle/core";
import { Priority } from "../session/flood-control.js";
import { ranksOf, roleOf } from "../wire/ranks.js";
import { oneLine } from "../wire/sanitise.js";
import { botIn, command } from "./channel-effects.js";
import { channelIdOf } from "./ids.js";
import type { IrcNetwork } from "./irc-network.js";
import { isFailure } from "@trestle/core";

/** So long the operators of a channel have to answer. */
const OPEN_MS = 60 * 60_000;
const MOST_OPEN = 50;
/** So often a channel is asked within that time, whatever comes of it. */
const MOST_ASKED = 3;
const CODES = 1_000_000;

interface Question {
  readonly code: string;
  readonly channel: string;
  readonly room: RoomId;
  readonly timer: NodeJS.Timeout;
}

/**
 * Asks the operators of a channel whether a Matrix room may be linked to it: one notice in the channel, which the bot
 * enters for that, and a code that one of them says there or to the bot alone. Where nobody is there, nobody is asked.
 */
export class Consents {
  readonly #questions = new Map<string, Question>();
  readonly #asked = new Map<string, { count: number; readonly since: number }>();

  constructor(
    private readonly network: IrcNetwork,
    private readonly core: Network,
  ) {}

  async ask(channel: string, { room, by, signal }: ConsentRequest): Promise<"given" | "asked"> {
    const { network } = this;
    if (!network.config.consent || network.channels.isLinked(channel)) return "given";
    this.#count(channel);
    const bot = await botIn(network, channel, signal);
    if (!bot)
      throw new Error(`The bridge's bot cannot come into ${channel} to ask its operators: have one of them let it in.`);
    // When the server has dealt with this, the list of names has come.
    const shown = bot.view.channels.get(channel) ?? channel;
    const key = `consent-${Date.now()}-${randomInt(CODES)}`;
    const seen = await command(bot, channel, [{ verb: "MODE", params: [shown] }], { effect: key, signal });
    if (isFailure(seen)) throw new Error(`${channel} could not be asked: ${seen.reason}`);
    const others = network.members.of(channel).filter(([folded]) => network.connectionOf(folded) === undefined);
    if (others.length === 0) return "given";
    const question = this.#open(channel, room);
    const who = oneLine(UserId(by), 100);
    const text = `${who} on Matrix asks to link a room there (${oneLine(room, 100)}) to ${shown}: what is said here would be read there. An operator of ${shown} says "${bot.view.nick}: agree ${question.code}" or "${bot.view.nick}: refuse ${question.code}", here or in a private message.`;
    bot.send(Priority.control, "NOTICE", [shown, text]);
    return "asked";
  }

  /** Somebody said something to the bot, or in a channel that the bot is in. Returns what the bot answers. */
  heard(nick: string, text: string): string | undefined {
    if (this.#questions.size === 0) return undefined;
    const { network } = this;
    const said = /^(?:[^\s:,]{1,64}[:,] *)?(agree|refuse) (\d{6})\s*$/.exec(text);
    const question = said && [...this.#questions.values()].find(({ code }) => code === said[2]);
    if (!question) return undefined;
    const { channel, room } = question;
    const rank = roleOf(network.members.ranksOf(network.fold(nick), channel), ranksOf(network.isupport));
    if (!["owner", "admin", "moderator"].includes(rank)) return `Only an operator of ${channel} can say that.`;
    const agreed = said[1] === "agree";
    this.#close(question, !agreed);
    const consent = { channel: channelIdOf(network.name, channel), room, agreed, by: `${nick} on ${network.name}` };
    this.core.consented(consent).then(
      (waited) => {
        if (!waited) this.#leave(channel);
      },
      (error: unknown) => {
        this.core.log.warn({ err: error, channel }, "a room could not be linked although the channel agreed");
        this.#leave(channel);
      },
    );
    return agreed ? `${channel} will be linked.` : `${channel} will not be linked.`;
  }

  close(): void {
    for (const { timer } of this.#questions.values()) clearTimeout(timer);
    this.#questions.clear();
  }

  #open(channel: string, room: RoomId): Question {
    const before = this.#questions.get(channel);
    if (before) clearTimeout(before.timer);
    else if (this.#questions.size >= MOST_OPEN)
      throw new Error("Too many channels are being asked just now. Try again in an hour.");
    const code = String(randomInt(CODES)).padStart(6, "0");
    const timer = setTimeout(() => this.#close(question, true), OPEN_MS);
    const question: Question = { code, channel, room, timer };
    this.#questions.set(channel, question);
    return question;
  }

  #close({ channel, timer }: Question, leaves: boolean): void {
    clearTimeout(timer);
    this.#questions.delete(channel);
    if (leaves) this.#leave(channel);
  }

  #leave(channel: string): void {
    if (!this.network.channels.isLinked(channel)) this.network.bot.connection?.part(channel, "Not linked");
  }

  #count(channel: string): void {
    const now = performance.now();
    for (const [each, { since }] of this.#asked) if (now - since > OPEN_MS) this.#asked.delete(each);
    const asked = this.#asked.get(channel) ?? { count: 0, since: now };
    if (asked.count >= MOST_ASKED || this.#asked.size > 1_000)
      throw new Error(
        `${channel} was asked too often lately. Try again in an hour, or ask an operator of it yourself.`,
      );
    asked.count++;
    this.#asked.set(channel, asked);
  }
}
