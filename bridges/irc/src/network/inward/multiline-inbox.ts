import { z } from "zod";
import type { StateChange } from "../../holder/frames.js";
import type { Connection } from "../../session/connection.js";
import type { IrcMessage } from "../../wire/message.js";

const TYPE = "draft/multiline";
const CONCAT = "draft/multiline-concat";
/** Before the reference of a batch, and after it and another colon the number of a line in it. */
const KEY = "multiline:";
const MOST_OPEN = 100;
/** A longer message is told in pieces: a Matrix event has room for 64 KiB, in which the text stands twice. */
const MOST_CHARACTERS = 8_192;
/** Said of a message once: not of its second piece. */
const OF_THE_FIRST: ReadonlySet<string> = new Set(["msgid", "+draft/reply", "+reply"]);

interface OpenMessage {
  readonly tags: ReadonlyMap<string, string>;
  readonly lines: Line[];
  /** How many lines have come, also in pieces that were told. */
  count: number;
}

const openingSchema = z.object({ tags: z.array(z.tuple([z.string(), z.string()])) });
const lineSchema = z.object({
  verb: z.string(),
  source: z.string(),
  target: z.string(),
  text: z.string(),
  goesOn: z.boolean(),
});
type Line = z.output<typeof lineSchema>;

/**
 * Puts messages of several lines together that other people send (IRCv3 multiline). What has come of one is kept with the
 * holder until it is complete, so that nothing is lost when the bridge is stopped in the middle.
 */
export class MultilineInbox {
  readonly #open = new Map<string, OpenMessage>();

  /**
   * Takes the beginning or the end of a batch, or a line that somebody else has sent. Returns `kept` for a line of a
   * message that is not complete, a message that is, and `undefined` where there is nothing to put together.
   */
  take(connection: Connection, message: IrcMessage, changes: StateChange[]): IrcMessage | "kept" | undefined {
    const { verb, params, tags } = message;
    if (verb !== "BATCH") return this.#line(connection, message, changes);
    const [reference = "", type] = params;
    const name = reference.slice(1);
    if (reference.startsWith("-")) return this.#close(connection, name, changes);
    if (type !== TYPE) return undefined;
    if (this.#open.size >= MOST_OPEN) this.#open.delete(this.#open.keys().next().value ?? "");
    this.#open.set(keyOf(connection, name), { tags, lines: [], count: 0 });
    changes.push([KEY + name, JSON.stringify({ tags: [...tags] })]);
    return undefined;
  }

  /** Goes on with what the process before has kept. */
  restore(connection: Connection, state: readonly StateChange[]): void {
    for (const [key, value] of state) {
      if (!key.startsWith(KEY) || value === undefined) continue;
      const [name = "", number] = key.slice(KEY.length).split(":");
      const own = keyOf(connection, name);
      const open: OpenMessage = this.#open.get(own) ?? { tags: new Map(), lines: [], count: 0 };
      if (number === undefined) {
        const { tags } = openingSchema.parse(JSON.parse(value));
        this.#open.set(own, { ...open, tags: new Map(tags) });
      } else {
        // In the order in which they came: the holder keeps its keys so.
        open.lines.push(lineSchema.parse(JSON.parse(value)));
        open.count = Math.max(open.count, Number(number) + 1);
        this.#open.set(own, open);
      }
    }
  }

  /** A connection of these has ended, and with it what was not complete. */
  reset(): void {
    this.#open.clear();
  }

  #line(connection: Connection, message: IrcMessage, changes: StateChange[]): IrcMessage | "kept" | undefined {
    const { verb, params, source, tags } = message;
    const name = tags.get("batch");
    const key = name === undefined ? "" : keyOf(connection, name);
    const open = this.#open.get(key);
    const [target = "", text = ""] = params;
    if (!open || name === undefined) return undefined;
    const line: Line = { verb, source, target, text, goesOn: tags.has(CONCAT) };
    const length = open.lines.reduce((sum, each) => sum + each.text.length + 1, text.length);
    const told = length > MOST_CHARACTERS ? joined(open) : undefined;
    if (told) {
      for (let number = 0; number < open.count; number++) changes.push([`${KEY}${name}:${number}`, undefined]);
      const rest = new Map([...open.tags].filter(([tag]) => !OF_THE_FIRST.has(tag)));
      changes.push([KEY + name, JSON.stringify({ tags: [...rest] })]);
      this.#open.set(key, { ...open, tags: rest, lines: [line], count: 1 });
      changes.push([`${KEY}${name}:0`, JSON.stringify(line)]);
      return told;
    }
    open.lines.push(line);
    changes.push([`${KEY}${name}:${open.count++}`, JSON.stringify(line)]);
    return "kept";
  }

  #close(connection: Connection, name: string, changes: StateChange[]): IrcMessage | undefined {
    const key = keyOf(connection, name);
    const open = this.#open.get(key);
    if (!open) return undefined;
    this.#open.delete(key);
    changes.push([KEY + name, undefined]);
    for (let number = 0; number < open.count; number++) changes.push([`${KEY}${name}:${number}`, undefined]);
    return joined(open);
  }
}

/** The lines of a message as one; `undefined` where none have come, or they show nothing. */
function joined({ tags, lines }: OpenMessage): IrcMessage | undefined {
  const [first] = lines;
  if (!first) return undefined;
  const text = lines.map((line, index) => (index === 0 || line.goesOn ? "" : "\n") + line.text).join("");
  return { tags, source: first.source, verb: first.verb, params: [first.target, text] };
}

function keyOf({ id }: Connection, reference: string): string {
  return `${id} ${reference}`;
}
