import type { Random } from "../../tools/random.js";
import type { MatrixPerson } from "../matrix-client.js";
import { RoomPeople } from "../room-people.js";
import type { Emoji, Utterance } from "./book.js";
import { nextDeed } from "./deeds.js";
import { lookAtRoom } from "./sight.js";
import { numberOf, textOf } from "./words.js";
import type { Place } from "./world.js";

/** The people on Matrix in one place, who write into the book what they do. */
export class MatrixSide {
  readonly #people: RoomPeople<Utterance>;
  #reactions = 0;

  constructor(
    private readonly place: Place,
    people: readonly MatrixPerson[],
    private readonly random: Random,
  ) {
    const { room, book } = place;
    this.#people = new RoomPeople(room, book.place, people, random, (each) => this.#find(each));
  }

  /** Somebody does something; resolves when the homeserver has it. */
  async act(): Promise<void> {
    const { book } = this.place;
    const deed = nextDeed(this.random, book, "matrix");
    switch (deed.do) {
      case "say":
        return this.#say(undefined);
      case "answer":
        return this.#say(deed.target);
      case "edit": {
        const { target } = deed;
        const bodyOf = (version: number): string => this.#text(numberOf(target.id), version);
        await this.#people.edit(target, bodyOf);
        return;
      }
      case "delete":
        return this.#people.delete(deed.target);
      case "unreact":
        return this.#people.unreact(deed.reaction);
      case "react":
        return this.#react(deed.target, deed.emoji);
    }
  }

  async #say(root: Utterance | undefined): Promise<void> {
    const { book } = this.place;
    const said = await this.#people.say(root, (number, event) => ({
      msgtype: "m.text",
      body: this.#text(number, 0),
      "m.mentions": {},
      ...(event !== undefined && {
        "m.relates_to": {
          rel_type: "m.thread",
          event_id: event,
          is_falling_back: true,
          "m.in_reply_to": { event_id: event },
        },
      }),
    }));
    if (!said) return;
    const { number, at, who, handle } = said;
    const what = { id: `m${book.place}-${number}`, side: "matrix", place: book.place, root, at, who, handle } as const;
    book.utterances.push({ ...what, version: 0, deleted: false, pinned: false });
  }

  async #react(target: Utterance, emoji: Emoji): Promise<void> {
    const { book } = this.place;
    const done = await this.#people.react(target, emoji.character, (who) => book.hasReacted(target, who, emoji));
    if (!done) return;
    const id = `m${book.place}-r${++this.#reactions}`;
    book.reactions.push({ id, side: "matrix", target, emoji, taken: false, ...done });
  }

  #text(number: number, version: number): string {
    return textOf(this.random, "matrix", this.place.book.place, number, version);
  }

  /** The event of a message; `undefined` while it has not arrived. */
  async #find({ id, side, handle }: Utterance): Promise<string | undefined> {
    if (side === "matrix") return handle;
    const { timeline } = this.place;
    await timeline.read();
    const { arrivals } = lookAtRoom(timeline, this.#people.ids);
    return arrivals.find((each) => each.id === id && each.replaces === undefined)?.handle;
  }
}
