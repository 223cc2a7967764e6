import type { Random } from "../../tools/random.js";
import type { MatrixPerson } from "../matrix-client.js";
import type { Utterance } from "./book.js";
import { nextDeed } from "./deeds.js";
import { lookAtRoom } from "./sight.js";
import { numberOf, textOf } from "./words.js";
import type { Place } from "./world.js";

/** The people on Matrix in one place. */
export class MatrixSide {
  #messages = 0;
  #transactions = 0;

  constructor(
    private readonly place: Place,
    private readonly people: readonly MatrixPerson[],
    private readonly random: Random,
  ) {}

  /** Somebody does something; resolves when the homeserver has it. */
  async act(): Promise<void> {
    const { book } = this.place;
    const deed = nextDeed(this.random, book, "matrix");
    switch (deed.do) {
      case "say":
        return this.#say(undefined);
      case "answer":
        return this.#say(deed.target);
      case "edit":
        return this.#edit(deed.target);
      case "delete":
        deed.target.deleted = true;
        await this.#person(deed.target.who).redact(this.place.room, deed.target.handle, this.#transaction());
        return;
      case "unreact": {
        const { who, handle } = deed.reaction;
        if (handle === undefined) return;
        deed.reaction.taken = true;
        await this.#person(who).redact(this.place.room, handle, this.#transaction());
        return;
      }
      case "react": {
        const { target, emoji } = deed;
        const person = this.random.pick(this.people);
        const event = await this.#find(target);
        if (event === undefined || target.deleted || book.hasReacted(target, person.userId, emoji)) return;
        target.pinned = true;
        const at = Date.now();
        const transaction = this.#transaction();
        const content = { "m.relates_to": { rel_type: "m.annotation", event_id: event, key: emoji.character } };
        const handle = await person.send(this.place.room, transaction, content, "m.reaction");
        const id = `m${book.place}-r${this.#transactions}`;
        book.reactions.push({ id, side: "matrix", target, who: person.userId, emoji, at, handle, taken: false });
      }
    }
  }

  async #say(root: Utterance | undefined): Promise<void> {
    const { book, room } = this.place;
    const event = root && (await this.#find(root));
    if (root && (event === undefined || root.deleted)) return;
    if (root) root.pinned = true;
    const person = this.random.pick(this.people);
    const number = ++this.#messages;
    const at = Date.now();
    const handle = await person.send(room, this.#transaction(), {
      msgtype: "m.text",
      body: textOf(this.random, "matrix", book.place, number, 0),
      "m.mentions": {},
      ...(event !== undefined && {
        "m.relates_to": {
          rel_type: "m.thread",
          event_id: event,
          is_falling_back: true,
          "m.in_reply_to": { event_id: event },
        },
      }),
    });
    book.utterances.push({
      id: `m${book.place}-${number}`,
      side: "matrix",
      place: book.place,
      root,
      at,
      who: person.userId,
      handle,
      version: 0,
      deleted: false,
      pinned: false,
    });
  }

  async #edit(target: Utterance): Promise<void> {
    const { room } = this.place;
    target.version += 1;
    const body = textOf(this.random, "matrix", target.place, numberOf(target.id), target.version);
    const content = { msgtype: "m.text", body, "m.mentions": {} };
    await this.#person(target.who).send(room, this.#transaction(), {
      ...content,
      body: `* ${body}`,
      "m.new_content": content,
      "m.relates_to": { rel_type: "m.replace", event_id: target.handle },
    });
  }

  /** The event of a message; `undefined` while it has not arrived. */
  async #find({ id, side, handle }: Utterance): Promise<string | undefined> {
    if (side === "matrix") return handle;
    const { timeline } = this.place;
    await timeline.read();
    const { arrivals } = lookAtRoom(timeline, new Set(this.people.map(({ userId }) => userId)));
    return arrivals.find((each) => each.id === id && each.replaces === undefined)?.handle;
  }

  #person(userId: string): MatrixPerson {
    const person = this.people.find((each) => each.userId === userId);
    if (!person) throw new Error(`There is no ${userId}`);
    return person;
  }

  #transaction(): string {
    return `crash-${this.place.book.place}-${++this.#transactions}`;
  }
}
