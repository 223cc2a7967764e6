import { randomInt } from "node:crypto";
import { type ConsentRequest, isFailure, type Network, RoomId, UserId } from "@trestle/core";
import { z } from "zod";
import { Priority } from "../../session/flood-control.js";
import { ranksOf, roleOf } from "../../wire/ranks.js";
import { oneLine } from "../../wire/sanitise.js";
import { botIn, command } from "./channel-effects.js";
import { channelIdOf } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";

/** So long the operators of a channel have to answer. */
const OPEN_MS = 60 * 60_000;
const MOST_OPEN = 50;
/** So often a channel is asked within that time, whatever comes of it. */
const MOST_ASKED = 3;
const CODES = 1_000_000;

const storedQuestion = z.object({
  code: z.string().regex(/^\d{6}$/),
  room: z.string(),
  by: z.string(),
  /** Until when it can be answered, in milliseconds since 1970. */
  until: z.number(),
  /** Whether it has been said in the channel. */
  said: z.boolean(),
  /** How often the channel was asked, and since when. */
  count: z.number(),
  since: z.number(),
});
type StoredQuestion = z.infer<typeof storedQuestion>;

interface Question extends StoredQuestion {
  readonly channel: string;
  readonly timer: NodeJS.Timeout;
}

/**
 * Asks the operators of a channel whether a Matrix room may be linked to it: one notice in the channel, which the bot
 * enters for that, and a code that one of them says there or to the bot alone. Where nobody is there, nobody is asked.
 * A question is on disk while it is open: it is answered after a restart as well.
 */
export class Consents {
  readonly #questions = new Map<string, Question>();
  readonly #asked = new Map<string, { count: number; readonly since: number }>();
  #writing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly network: IrcNetwork,
    private readonly core: Network,
  ) {}

  /** Reads what is on disk. */
  async load(): Promise<void> {
    const { storage } = this.core;
    for (const key of await storage.keys(this.#prefix)) {
      const stored = storedQuestion.safeParse(parsed(await storage.get(key)));
      const channel = key.slice(this.#prefix.length);
      const left = stored.success ? stored.data.until - Date.now() : 0;
      // A clock that was set back makes no question last for longer.
      if (!stored.success || left <= 0 || left > OPEN_MS || this.#questions.size >= MOST_OPEN)
        void this.#write(channel);
      else {
        this.#asked.set(channel, { count: stored.data.count, since: stored.data.since });
        this.#keep(channel, stored.data);
      }
    }
  }

  /** The channels whose people have been asked, and have not answered. */
  get open(): readonly string[] {
    return [...this.#questions.keys()];
  }

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
    const before = this.#questions.get(channel);
    // The core asks again for what the process before it had asked for.
    if (before?.said === true && before.room === room && before.by === by) return "asked";
    const question = this.#open(channel, room, by);
    await this.#write(channel, question);
    const who = oneLine(UserId(by), 100);
    const text = `${who} on Matrix asks to link a room there (${oneLine(room, 100)}) to ${shown}: what is said here would be read there. An operator of ${shown} says "${bot.view.nick}: agree ${question.code}" or "${bot.view.nick}: refuse ${question.code}", here or in a private message.`;
    bot.send(Priority.control, "NOTICE", [shown, text]);
    question.said = true;
    await this.#write(channel, question);
    return "asked";
  }

  /** Somebody said something to the bot, or in a channel that the bot is in. Returns what the bot answers. */
  heard(nick: string, text: string): string | undefined {
    if (this.#questions.size === 0) return undefined;
    const { network } = this;
    const said = /^(?:[^\s:,]{1,64}[:,] *)?(agree|refuse) (\d{6})\s*$/.exec(text);
    const question = said && [...this.#questions.values()].find(({ code }) => code === said[2]);
    if (!question) return undefined;
    const { channel, room, by } = question;
    const rank = roleOf(network.members.ranksOf(network.fold(nick), channel), ranksOf(network.isupport));
    if (!["owner", "admin", "moderator"].includes(rank)) return `Only an operator of ${channel} can say that.`;
    const agreed = said[1] === "agree";
    this.#close(question);
    const answer = { room: RoomId(room), agreed, by: `${nick} on ${network.name}`, askedBy: UserId(by) };
    // Until then it is on disk: whoever answers a process that dies can answer the next.
    this.core
      .consented({ channel: channelIdOf(network.name, channel), ...answer })
      .then(
        (waited) => {
          if (!waited || !agreed) this.#leave(channel);
        },
        (error: unknown) => {
          this.core.log.warn({ err: error, channel }, "a room could not be linked although the channel agreed");
          this.#leave(channel);
        },
      )
      .then(() => this.#questions.has(channel) || this.#write(channel))
      .catch((error: unknown) => this.core.log.warn({ err: error, channel }, "an answer could not be kept"));
    return agreed ? `${channel} will be linked.` : `${channel} will not be linked.`;
  }

  close(): void {
    for (const { timer } of this.#questions.values()) clearTimeout(timer);
    this.#questions.clear();
  }

  #open(channel: string, room: string, by: string): Question {
    if (!this.#questions.has(channel) && this.#questions.size >= MOST_OPEN)
      throw new Error("Too many channels are being asked just now. Try again in an hour.");
    const code = String(randomInt(CODES)).padStart(6, "0");
    const { count, since } = this.#asked.get(channel) ?? { count: 1, since: Date.now() };
    return this.#keep(channel, { code, room, by, until: Date.now() + OPEN_MS, said: false, count, since });
  }

  #keep(channel: string, stored: StoredQuestion): Question {
    clearTimeout(this.#questions.get(channel)?.timer);
    const timer = setTimeout(() => {
      this.#close(question);
      this.#leave(channel);
      void this.#write(channel);
    }, stored.until - Date.now());
    const question: Question = { ...stored, channel, timer };
    this.#questions.set(channel, question);
    return question;
  }

  #close({ channel, timer }: Question): void {
    clearTimeout(timer);
    this.#questions.delete(channel);
  }

  /** Puts a question on disk, or takes it from there. */
  #write(channel: string, question?: Question): Promise<unknown> {
    const { storage, log } = this.core;
    const key = this.#prefix + channel;
    const stored = question && JSON.stringify(storedQuestion.parse(question));
    this.#writing = this.#writing
      .then(() => (stored === undefined ? storage.delete(key) : storage.set(key, stored)))
      .catch((error: unknown) => log.warn({ err: error, channel }, "a question to a channel could not be stored"));
    return this.#writing;
  }

  get #prefix(): string {
    return `consent:${this.network.name}/`;
  }

  #leave(channel: string): void {
    if (!this.network.channels.isLinked(channel)) this.network.bot.connection?.part(channel, "Not linked");
  }

  #count(channel: string): void {
    const now = Date.now();
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

/** `undefined` where the text is no JSON. */
function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
