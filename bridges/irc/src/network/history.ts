import type { Connection } from "../session/connection.js";
import { Priority } from "../session/flood-control.js";
import type { IrcMessage } from "../wire/message.js";

/** So many messages of a channel are asked for at once, or as many as the server gives. */
const PAGE = 100;
/** What was missed beyond so many pages is not asked for. */
const MOST_PAGES = 20;
const CAPABILITY = "draft/chathistory";

interface Gap {
  /** How many messages the page that is on its way has brought. */
  count: number;
  pages: number;
}

/**
 * What was said in the channels while the bot was away, asked for when it is back (IRCv3 chathistory). Only what came
 * after the last message that this process has heard: of what was said before its start it knows nothing.
 */
export class History {
  /** The latest message by channel. */
  readonly #latest = new Map<string, string>();
  readonly #gaps = new Map<string, Gap>();
  /** Channels of open batches of history, by their references. */
  readonly #batches = new Map<string, string>();

  /** The bot has joined a channel. */
  joined(connection: Connection, channel: string): void {
    const folded = connection.view.fold(channel);
    this.#gaps.delete(folded);
    if (this.#latest.has(folded)) this.#ask(connection, folded, channel, 0);
  }

  /** Takes note of a line that the bot heard. */
  note(connection: Connection, { verb, params, tags }: IrcMessage): void {
    if (verb === "PRIVMSG" || verb === "NOTICE") {
      const id = tags.get("msgid");
      const channel = connection.view.fold(params[0] ?? "");
      if (id !== undefined && connection.view.channels.has(channel)) this.#latest.set(channel, id);
      const gap = this.#gaps.get(this.#batches.get(tags.get("batch") ?? "") ?? "");
      if (gap) gap.count++;
    } else if (verb === "BATCH") this.#batch(connection, params);
  }

  /** A new connection, or none: what was asked for does not come any more. */
  reset(): void {
    this.#gaps.clear();
    this.#batches.clear();
  }

  forget(channel: string): void {
    this.#latest.delete(channel);
  }

  #batch(connection: Connection, [reference = "", type, target = ""]: readonly string[]): void {
    const name = reference.slice(1);
    if (reference.startsWith("+")) {
      const channel = connection.view.fold(target);
      if (type === "chathistory" && this.#gaps.has(channel)) this.#batches.set(name, channel);
      return;
    }
    const channel = this.#batches.get(name);
    this.#batches.delete(name);
    const gap = channel === undefined ? undefined : this.#gaps.get(channel);
    if (channel === undefined || !gap) return;
    this.#gaps.delete(channel);
    const shown = connection.view.channels.get(channel);
    if (gap.count > 0 && gap.pages < MOST_PAGES && shown !== undefined)
      this.#ask(connection, channel, shown, gap.pages);
  }

  #ask(connection: Connection, channel: string, shown: string, pages: number): void {
    const latest = this.#latest.get(channel);
    const { capabilities, isupport } = connection.view;
    if (latest === undefined || !capabilities.has(CAPABILITY) || !capabilities.has("batch")) return;
    const announced = Number(isupport.get("CHATHISTORY") ?? PAGE);
    const limit = announced > 0 ? Math.min(PAGE, announced) : PAGE;
    this.#gaps.set(channel, { count: 0, pages: pages + 1 });
    connection.send(Priority.control, "CHATHISTORY", ["AFTER", shown, `msgid=${latest}`, String(limit)]);
  }
}
