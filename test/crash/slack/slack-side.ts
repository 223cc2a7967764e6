import type { Person, Posted } from "@trestle/slack-emulator";
import type { Random } from "../../tools/random.js";
import type { Utterance } from "./book.js";
import { nextDeed } from "./deeds.js";
import { everythingIn, marksIn } from "./sight.js";
import { numberOf, textOf } from "./words.js";
import type { Place } from "./world.js";

/** The people in Slack in one place. */
export class SlackSide {
  #messages = 0;
  #reactions = 0;

  constructor(
    private readonly place: Place,
    private readonly people: readonly Person[],
    private readonly random: Random,
  ) {}

  /** Somebody does something. */
  act(): void {
    const { book } = this.place;
    const deed = nextDeed(this.random, book, "slack");
    switch (deed.do) {
      case "say": {
        this.#say(undefined);
        return;
      }
      case "answer": {
        this.#say(deed.target);
        return;
      }
      case "edit": {
        const { target } = deed;
        target.version += 1;
        const text = textOf(this.random, "slack", target.place, numberOf(target.id), target.version);
        this.#person(target.who).edit(this.#posted(target.handle), text);
        return;
      }
      case "delete":
        deed.target.deleted = true;
        {
          this.#person(deed.target.who).delete(this.#posted(deed.target.handle));
          return;
        }
      case "unreact": {
        const { reaction } = deed;
        const message = this.#find(reaction.target);
        if (!message) return;
        reaction.taken = true;
        this.#person(reaction.who).unreact(message, reaction.emoji.name);
        return;
      }
      case "react": {
        const { target, emoji } = deed;
        const person = this.random.pick(this.people);
        const message = this.#find(target);
        if (!message || book.hasReacted(target, person.id, emoji)) return;
        target.pinned = true;
        person.react(message, emoji.name);
        const id = `s${book.place}-r${++this.#reactions}`;
        const at = Date.now();
        book.reactions.push({ id, side: "slack", target, who: person.id, emoji, at, handle: undefined, taken: false });
      }
    }
  }

  #say(root: Utterance | undefined): void {
    const { book, channel } = this.place;
    const message = root && this.#find(root);
    if (root && !message) return;
    if (root) root.pinned = true;
    const person = this.random.pick(this.people);
    const number = ++this.#messages;
    const text = textOf(this.random, "slack", book.place, number, 0);
    const at = Date.now();
    const { ts } = message ? person.reply(message, text) : person.post(channel.id, text);
    book.utterances.push({
      id: `s${book.place}-${number}`,
      side: "slack",
      place: book.place,
      root,
      at,
      who: person.id,
      handle: ts,
      version: 0,
      deleted: false,
      pinned: false,
    });
  }

  /** A message; `undefined` while it has not arrived. */
  #find({ id, side, handle }: Utterance): Posted | undefined {
    if (side === "slack") return this.#posted(handle);
    const found = everythingIn(this.place.channel).find(({ text }) =>
      marksIn("matrix", text).some((mark) => mark.id === id),
    );
    return found && this.#posted(found.ts);
  }

  #posted(ts: string): Posted {
    return { channel: this.place.channel.id, ts };
  }

  #person(id: string): Person {
    const person = this.people.find((each) => each.id === id);
    if (!person) throw new Error(`There is no ${id}`);
    return person;
  }
}
