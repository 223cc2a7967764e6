import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../tools/random.js";
import type { IrcClient } from "./irc-client.js";
import { markOf, type Said } from "./ledger.js";
import type { MatrixPerson } from "./matrix-client.js";
import { someWords } from "./words.js";

export interface Place {
  readonly number: number;
  readonly room: string;
  readonly channel: string;
  readonly matrixPeople: readonly MatrixPerson[];
  readonly ircPeople: readonly IrcClient[];
}

export interface LoadOptions {
  /** Milliseconds between two messages of one place on Matrix, on average. */
  readonly matrixEveryMs: number;
  /** The same for IRC. */
  readonly ircEveryMs: number;
}

/** People who talk in all places at once, on both sides, without a pause. */
export class Load {
  /** While it is set nobody on IRC speaks. */
  ircPaused = false;
  /** What was said on Matrix, by place, in the order of the rooms. */
  readonly said = new Map<number, Said[]>();
  readonly #stopped = new AbortController();
  readonly #talks: Promise<void>[] = [];

  constructor(
    private readonly places: readonly Place[],
    private readonly random: Random,
    private readonly options: LoadOptions,
  ) {}

  start(): void {
    for (const place of this.places) this.#talks.push(this.#talkOnMatrix(place), this.#talkOnIrc(place));
  }

  /** Resolves when the last message has been handed over. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#talks);
  }

  /** One message after the other, so that their order in the room is known; who speaks changes. */
  async #talkOnMatrix(place: Place): Promise<void> {
    const said: Said[] = [];
    this.said.set(place.number, said);
    for (let message = 1; !this.#stopped.signal.aborted; message++) {
      const lines = this.random.chance(0.15) ? this.random.between(2, 4) : 1;
      const emote = lines === 1 && this.random.chance(0.2);
      const marks = Array.from({ length: lines }, (_, line) => markOf("Matrix → IRC", place.number, message, line));
      const at = Date.now();
      const body = marks.map((mark) => `${mark} ${someWords(this.random)}`).join("\n");
      const content = { msgtype: emote ? "m.emote" : "m.text", body, "m.mentions": {} };
      await this.random.pick(place.matrixPeople).send(place.room, `crash-${place.number}-${message}`, content);
      said.push(...marks.map((mark) => ({ id: mark.slice(1, -1), at })));
      await this.#pause(this.options.matrixEveryMs);
    }
  }

  /** What counts as said is what the channel saw, so nothing is written down here. */
  async #talkOnIrc(place: Place): Promise<void> {
    for (let message = 1; !this.#stopped.signal.aborted; message++) {
      const person = this.random.pick(place.ircPeople);
      if (!this.ircPaused)
        person.say(
          place.channel,
          `${markOf("IRC → Matrix", place.number, message, 0)} ${someWords(this.random)}`,
          this.random.chance(0.2),
        );
      await this.#pause(this.options.ircEveryMs);
    }
  }

  async #pause(meanMs: number): Promise<void> {
    await sleep(this.random.between(0, 2 * meanMs), undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}
