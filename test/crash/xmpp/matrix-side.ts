import type { Random } from "../../tools/random.js";
import type { MatrixPerson } from "../matrix-client.js";
import type { Reaction, Utterance } from "./book.js";
import { nextDeed } from "./deeds.js";
import { lookAtRoom } from "./matrix-sight.js";
import { textOf } from "./words.js";
import type { Place } from "./world.js";

/** The people on Matrix in one place. */
export class MatrixSide {
  #messages = 0;
  #transactions = 0;

  constructor(
    private readonly place: Place,
    private readonly random: Random,
  ) {}

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
        deed.target.deleted = true;
        return this.#redact(deed.target.who, deed.target.handle);
      case "unreact":
        return this.#unreact(deed.reaction);
      case "react":
        return this.#react(deed.target, deed.key);
    }
  }

  async #say(answers: Utterance | undefined): Promise<void> {
    const { book, room } = this.place;
    const event = answers && (await this.#find(answers));
    if (answers && (event === undefined || answers.deleted)) return;
    if (answers) answers.pinned = true;
    const person = this.random.pick(this.place.matrixPeople);
    const number = ++this.#messages;
    const at = Date.now();
    const handle = await person.send(room, this.#transaction(), {
      msgtype: this.random.chance(0.15) ? "m.emote" : "m.text",
      body: textOf(this.random, "matrix", book.place, number, 0),
      "m.mentions": {},
      ...(event !== undefined && { "m.relates_to": { "m.in_reply_to": { event_id: event } } }),
    });
    book.sent.add(handle);
    const id = `m${book.place}-${number}`;
    book.saidOnMatrix.push({ id: `${id}.0`, at });
    const what = { id, side: "matrix", number, at, who: person.userId, handle, answers } as const;
    book.utterances.push({ ...what, version: 0, deleted: false, pinned: false });
  }

  async #edit(target: Utterance): Promise<void> {
    const { room, book } = this.place;
    target.version += 1;
    const { version } = target;
    const at = Date.now();
    const body = textOf(this.random, "matrix", book.place, target.number, version);
    const content = { msgtype: "m.text", body, "m.mentions": {} };
    const handle = await this.#person(target.who).send(room, this.#transaction(), {
      ...content,
      body: `* ${body}`,
      "m.new_content": content,
      "m.relates_to": { rel_type: "m.replace", event_id: target.handle },
    });
    book.sent.add(handle);
    book.saidOnMatrix.push({ id: `${target.id}.${version}`, at });
  }

  async #react(target: Utterance, key: string): Promise<void> {
    const { book, room } = this.place;
    const person = this.random.pick(this.place.matrixPeople);
    const event = await this.#find(target);
    if (event === undefined || target.deleted || book.hasReacted(target, person.userId, key)) return;
    target.pinned = true;
    const at = Date.now();
    const content = { "m.relates_to": { rel_type: "m.annotation", event_id: event, key } };
    const reaction: Reaction = { side: "matrix", target, who: person.userId, key, at, handle: undefined, taken: false };
    book.reactions.push(reaction);
    reaction.handle = await person.send(room, this.#transaction(), content, "m.reaction");
    book.sent.add(reaction.handle);
  }

  async #unreact(reaction: Reaction): Promise<void> {
    const { who, handle } = reaction;
    if (handle === undefined) return;
    reaction.taken = true;
    await this.#redact(who, handle);
  }

  async #redact(who: string, handle: string): Promise<void> {
    const { book, room } = this.place;
    book.sent.add(await this.#person(who).redact(room, handle, this.#transaction()));
  }

  /** The event of a message; `undefined` while it has not arrived. */
  async #find({ id, side, handle }: Utterance): Promise<string | undefined> {
    if (side === "matrix") return handle;
    const { timeline, book } = this.place;
    await timeline.read();
    const { arrivals } = lookAtRoom(timeline.events, book.sent);
    return arrivals.find(({ mark, replaces }) => mark.id === id && replaces === undefined)?.handle;
  }

  #person(userId: string): MatrixPerson {
    const person = this.place.matrixPeople.find((each) => each.userId === userId);
    if (!person) throw new Error(`There is no ${userId}`);
    return person;
  }

  #transaction(): string {
    return `crash-${this.place.number}-${++this.#transactions}`;
  }
}
