import type { Random } from "../../tools/random.js";
import { RoomPeople } from "../room-people.js";
import type { Utterance } from "./book.js";
import { nextDeed } from "./deeds.js";
import { lookAtRoom } from "./matrix-sight.js";
import { textOf } from "./words.js";
import type { Place } from "./world.js";

/** The people on Matrix in one place, who write into the book what they do. */
export class MatrixSide {
  readonly #people: RoomPeople<Utterance>;

  constructor(
    private readonly place: Place,
    private readonly random: Random,
  ) {
    this.#people = new RoomPeople(
      place.room,
      place.number,
      place.matrixPeople,
      random,
      (each) => this.#find(each),
      place.book.sent,
    );
  }

  /** Somebody does something; resolves when the homeserver has it. */
  async act(): Promise<void> {
    const deed = nextDeed(this.random, this.place.book, "matrix");
    switch (deed.do) {
      case "say":
        return this.#say(undefined);
      case "answer":
        return this.#say(deed.target);
      case "edit":
        return this.#edit(deed.target);
      case "delete":
        return this.#people.delete(deed.target);
      case "unreact":
        return this.#people.unreact(deed.reaction);
      case "react":
        return this.#react(deed.target, deed.key);
    }
  }

  async #say(answers: Utterance | undefined): Promise<void> {
    const { book } = this.place;
    const said = await this.#people.say(answers, (number, event) => ({
      msgtype: this.random.chance(0.15) ? "m.emote" : "m.text",
      body: this.#text(number, 0),
      "m.mentions": {},
      ...(event !== undefined && { "m.relates_to": { "m.in_reply_to": { event_id: event } } }),
    }));
    if (!said) return;
    const id = `m${book.place}-${said.number}`;
    book.saidOnMatrix.push({ id: `${id}.0`, at: said.at });
    book.utterances.push({ id, side: "matrix", answers, ...said, version: 0, deleted: false, pinned: false });
  }

  async #edit(target: Utterance): Promise<void> {
    const { at } = await this.#people.edit(target, (version) => this.#text(target.number, version));
    this.place.book.saidOnMatrix.push({ id: `${target.id}.${target.version}`, at });
  }

  async #react(target: Utterance, key: string): Promise<void> {
    const { book } = this.place;
    const done = await this.#people.react(target, key, (who) => book.hasReacted(target, who, key));
    if (done) book.reactions.push({ side: "matrix", target, key, taken: false, ...done });
  }

  #text(number: number, version: number): string {
    return textOf(this.random, "matrix", this.place.book.place, number, version);
  }

  /** The event of a message; `undefined` while it has not arrived. */
  async #find({ id, side, handle }: Utterance): Promise<string | undefined> {
    if (side === "matrix") return handle;
    const { timeline, book } = this.place;
    await timeline.read();
    const { arrivals } = lookAtRoom(timeline.events, book.sent);
    return arrivals.find(({ mark, replaces }) => mark.id === id && replaces === undefined)?.handle;
  }
}
