import type { IrcMessage } from "../wire/message.js";

/** How many batches may be open; what a server leaves open beyond that has no tags of its own. */
const MAX_OPEN = 100;
/** What is said of the whole message, on the line that opens its batch. IRCv3 multiline. */
const OF_THE_WHOLE = ["msgid", "time", "account", "+draft/reply", "+reply"] as const;

/** Gives the first line of a `draft/multiline` message the tags of the whole, so that it stands for the message. */
export class BatchTags {
  readonly #open = new Map<string, ReadonlyMap<string, string>>();

  /** The line with what its batch says of it. */
  complete(message: IrcMessage | undefined): IrcMessage | undefined {
    if (message?.verb === "BATCH") {
      this.#batch(message);
      return message;
    }
    const reference = message?.tags.get("batch");
    const whole = reference === undefined ? undefined : this.#open.get(reference);
    if (!message || !whole || reference === undefined) return message;
    const tags = new Map(message.tags);
    for (const [name, value] of whole) if (!tags.has(name)) tags.set(name, value);
    // The lines that follow are other messages on Matrix: only when and by whom they were said is the same.
    this.#open.set(reference, new Map([...whole].filter(([name]) => name === "time" || name === "account")));
    return { ...message, tags };
  }

  #batch({ params, tags }: IrcMessage): void {
    const [reference = "", type] = params;
    if (reference.startsWith("-")) this.#open.delete(reference.slice(1));
    else if (type === "draft/multiline" && this.#open.size < MAX_OPEN)
      this.#open.set(
        reference.slice(1),
        new Map(OF_THE_WHOLE.flatMap((name) => (tags.has(name) ? [[name, tags.get(name) ?? ""] as const] : []))),
      );
  }
}
