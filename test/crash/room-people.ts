import type { Random } from "../tools/random.js";
import type { MatrixPerson } from "./matrix-client.js";

/** What people in a room know of something that was said there. */
export interface Spoken {
  /** The Matrix user, where it was said on Matrix. */
  readonly who: string;
  /** The event's id, where it was said on Matrix. */
  readonly handle: string;
  version: number;
  deleted: boolean;
  pinned: boolean;
}

/** What somebody did on Matrix. */
export interface Done {
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly who: string;
  /** The event's id. */
  readonly handle: string;
}

type Content = Readonly<Record<string, unknown>>;

/** The people on Matrix in one room: each deed resolves when the homeserver has it. */
export class RoomPeople<Utterance extends Spoken> {
  readonly ids: ReadonlySet<string>;
  #messages = 0;
  #transactions = 0;

  /** `find` is the event of something that was said; `undefined` while it has not arrived. */
  constructor(
    private readonly room: string,
    private readonly place: number,
    private readonly people: readonly MatrixPerson[],
    private readonly random: Random,
    private readonly find: (utterance: Utterance) => Promise<string | undefined>,
    /** Where the ids of their events are put. */
    private readonly sent = new Set<string>(),
  ) {
    this.ids = new Set(people.map(({ userId }) => userId));
  }

  /** Somebody says what `content` makes of the message's number and the event that it answers, if that has arrived. */
  async say(
    answers: Utterance | undefined,
    content: (number: number, event: string | undefined) => Content,
  ): Promise<(Done & { readonly number: number }) | undefined> {
    const event = answers && (await this.find(answers));
    if (answers && (event === undefined || answers.deleted)) return undefined;
    if (answers) answers.pinned = true;
    const person = this.random.pick(this.people);
    const number = ++this.#messages;
    const at = Date.now();
    const handle = await person.send(this.room, this.#transaction(), content(number, event));
    this.sent.add(handle);
    return { number, at, who: person.userId, handle };
  }

  /** Whoever said it says something else instead: `bodyOf` its new version. */
  async edit(target: Utterance, bodyOf: (version: number) => string): Promise<Pick<Done, "at">> {
    target.version += 1;
    const at = Date.now();
    const body = bodyOf(target.version);
    const content = { msgtype: "m.text", body, "m.mentions": {} };
    const edit = await this.#person(target.who).send(this.room, this.#transaction(), {
      ...content,
      body: `* ${body}`,
      "m.new_content": content,
      "m.relates_to": { rel_type: "m.replace", event_id: target.handle },
    });
    this.sent.add(edit);
    return { at };
  }

  /** Whoever said it takes it back. */
  async delete(target: Utterance): Promise<void> {
    target.deleted = true;
    this.sent.add(await this.#person(target.who).redact(this.room, target.handle, this.#transaction()));
  }

  /** Somebody who has not done so yet reacts, where what they react to has arrived. */
  async react(target: Utterance, key: string, hasReacted: (who: string) => boolean): Promise<Done | undefined> {
    const person = this.random.pick(this.people);
    const event = await this.find(target);
    if (event === undefined || target.deleted || hasReacted(person.userId)) return undefined;
    target.pinned = true;
    const at = Date.now();
    const content = { "m.relates_to": { rel_type: "m.annotation", event_id: event, key } };
    const handle = await person.send(this.room, this.#transaction(), content, "m.reaction");
    this.sent.add(handle);
    return { at, who: person.userId, handle };
  }

  /** Whoever reacted takes that back. */
  async unreact(reaction: {
    readonly who: string;
    readonly handle: string | undefined;
    taken: boolean;
  }): Promise<void> {
    if (reaction.handle === undefined) return;
    reaction.taken = true;
    this.sent.add(await this.#person(reaction.who).redact(this.room, reaction.handle, this.#transaction()));
  }

  #person(userId: string): MatrixPerson {
    const person = this.people.find((each) => each.userId === userId);
    if (!person) throw new Error(`There is no ${userId}`);
    return person;
  }

  #transaction(): string {
    return `crash-${this.place}-${++this.#transactions}`;
  }
}
