import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../tools/random.js";
import { markOf, type Said } from "../ledger.js";
import { someWords } from "../words.js";
import type { Place, XmppWorld } from "./world.js";

/** People who talk in all places at once, on both sides, without a pause. */
export class Load {
  /** What was said on Matrix, by place, in the order of the rooms. */
  readonly said = new Map<number, Said[]>();
  readonly #stopped = new AbortController();
  readonly #talks: Promise<void>[] = [];
  #failure: unknown;

  /** `everyMs`: milliseconds between two messages in one place on one side, on average. */
  constructor(
    private readonly world: XmppWorld,
    private readonly random: Random,
    private readonly everyMs: number,
  ) {}

  start(): void {
    for (const place of this.world.places) {
      const said: Said[] = [];
      this.said.set(place.number, said);
      this.#talks.push(
        this.#talk((message) => this.#onMatrix(place, message, said)),
        this.#talk((message) => this.#onXmpp(place, message)),
      );
    }
  }

  /** Resolves when the last message has been handed over; rejects when one could not be. */
  async stop(): Promise<void> {
    await this.abandon();
    if (this.#failure !== undefined) throw new Error("Somebody could not go on talking", { cause: this.#failure });
  }

  /** The same, whatever went wrong. */
  async abandon(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#talks);
  }

  /** One message after the other, so that their order is known; who speaks changes. */
  async #talk(say: (message: number) => Promise<void> | void): Promise<void> {
    const { signal } = this.#stopped;
    for (let message = 1; !signal.aborted; message++) {
      try {
        await say(message);
      } catch (error) {
        this.#failure ??= error;
        return;
      }
      await sleep(this.random.between(0, 2 * this.everyMs), undefined, { signal }).catch(() => undefined);
    }
  }

  async #onMatrix({ number, room }: Place, message: number, said: Said[]): Promise<void> {
    const mark = markOf("Matrix → XMPP", number, message, 0);
    const at = Date.now();
    const body = `${mark} ${someWords(this.random)}`;
    const content = { msgtype: this.random.chance(0.15) ? "m.emote" : "m.text", body, "m.mentions": {} };
    await this.random.pick(this.world.matrixPeople).send(room, `crash-${number}-${message}`, content);
    said.push({ id: mark.slice(1, -1), at });
  }

  /** What counts as said is what the room's archive has, so nothing is written down here. */
  #onXmpp({ number, archive }: Place, message: number): void {
    const { people } = this.world;
    const action = this.random.chance(0.15) ? "/me " : "";
    const body = `${action}${markOf("XMPP → Matrix", number, message, 0)} ${someWords(this.random)}`;
    people.say(archive.room, this.random.pick(people.nicks), body);
  }
}
