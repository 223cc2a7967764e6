import { randomBytes } from "node:crypto";
import type { NetworkEvent } from "@trestle/core";
import type { StateChange } from "../../holder/frames.js";
import type { Connection } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import { type IrcMessage, msgidOf } from "../../wire/message.js";
import type { Heard } from "./heard.js";
import { HistoryMarks, type HistoryMarksOptions, type Mark } from "./history-marks.js";

/** So many messages of a channel are asked for at once, or as many as the server gives. */
const PAGE = 100;
/** So many pages of what was missed are asked for; the rest up to the bot's return is left out. */
const MOST_PAGES = 20;
/** So many lines that are said meanwhile wait for it. */
const MOST_WAITING = 1_000;
const CAPABILITY = "draft/chathistory";
/** Before the folded name of each channel whose history is being asked for; kept with the holder. */
const GAP_KEY = "gap:";
const BARRIER = "history-";

/** Tells what was heard, under the ids of its own line, but with the line by which it is told now. */
type Tell = (heard: Heard) => void;

interface Gap {
  /** As it is written. */
  readonly channel: string;
  /** When the bot came into the channel. */
  readonly since: number;
  pages: number;
  /** From where on the page that is on its way was asked for; `undefined`: not asked yet, for other answers are on their way. */
  asked: Mark | undefined;
  /** Up to where it was heard then. */
  heard: Mark;
  /** How many lines the page that is on its way has brought. */
  lines: number;
  /** The answer to this PING comes after the answer to the question, or after the others. */
  barrier: string;
  /** Whether the beginning of what was missed is left out. */
  isCut: boolean;
  readonly waiting: { readonly heard: Heard; readonly tell: Tell }[];
}

export interface HistoryOptions extends HistoryMarksOptions {
  /** For what no line is there to be told with: behind all that lines have told. */
  readonly tell: (events: readonly NetworkEvent[]) => void;
}

/**
 * What was said in the channels while nobody of the bridge heard it, asked for when the bot is back (IRCv3 chathistory):
 * from the last message that was heard on, also by a process before. What is said meanwhile is told behind it. A channel
 * that was never heard has nothing that was missed.
 */
export class History {
  readonly #marks: HistoryMarks;
  readonly #gaps = new Map<string, Gap>();
  /** Channels of open batches of history, by their references; `isPage`: not one within another. */
  readonly #batches = new Map<string, { readonly channel: string; readonly isPage: boolean }>();
  /** No process before has sent the same. */
  readonly #barrierPrefix = `${BARRIER}${randomBytes(6).toString("hex")}-`;
  #barriers = 0;
  /** On a connection of the process before: until this is answered, answers to its questions may come. */
  #takenOver = "";

  constructor(private readonly options: HistoryOptions) {
    this.#marks = new HistoryMarks(options);
  }

  /** Reads what is on disk. */
  async load(): Promise<void> {
    await this.#marks.load();
  }

  /** The bot has come into a channel. */
  joined(heard: Heard, channel: string): void {
    const folded = heard.connection.view.fold(channel);
    const before = this.#gaps.get(folded);
    this.#end(folded, heard);
    if (this.#open(heard.connection, folded, channel, heard.at, before?.barrier))
      heard.scope.changes.push([GAP_KEY + folded, channel]);
    // From now on something can be missed.
    else if (isOffered(heard.connection) && !this.#marks.of(folded)) this.#marks.set(folded, { at: heard.at });
  }

  /** Goes on where the process before ended. */
  resume(connection: Connection, state: readonly StateChange[]): void {
    if (isOffered(connection)) this.#takenOver = this.#ping(connection);
    for (const [key, channel] of state)
      if (key.startsWith(GAP_KEY) && channel !== undefined)
        this.#open(connection, key.slice(GAP_KEY.length), channel, undefined);
  }

  /** Takes note of a line that the bot heard. */
  note(heard: Heard): void {
    const { connection, message } = heard;
    switch (message.verb) {
      case "BATCH":
        this.#batch(heard);
        return;
      case "PRIVMSG":
      case "NOTICE": {
        const channel = connection.view.fold(message.params[0] ?? "");
        const isMissed = this.isMissed(message);
        const gap = isMissed ? this.#gaps.get(channel) : undefined;
        if (gap) gap.lines++;
        if (connection.view.channels.has(channel) && (isMissed || !this.#gaps.has(channel)))
          this.#marks.set(channel, markOf(heard));
        return;
      }
      case "FAIL":
      case "PONG":
        this.#refused(heard);
    }
  }

  /** Whether a line was said before and comes out of the history now. */
  isMissed({ tags }: IrcMessage): boolean {
    return this.#batches.has(tags.get("batch") ?? "");
  }

  /** Keeps what is said while the channel's history is on its way; `true`: `tell` will be called, or it comes with the history. */
  keeps(heard: Heard, tell: Tell): boolean {
    const gap = this.#gaps.get(heard.connection.view.fold(heard.message.params[0] ?? ""));
    if (!gap || this.isMissed(heard.message)) return false;
    gap.waiting.push({ heard, tell });
    if (gap.waiting.length > MOST_WAITING) this.#end(heard.connection.view.fold(gap.channel), heard);
    return true;
  }

  /** The id of a message without `msgid` of a server that keeps history. */
  idOf({ connection, message, source, at }: Heard, channel: string): string | undefined {
    if (at === undefined || !isOffered(connection)) return undefined;
    return this.#marks.nameOf(channel, at, `${source.nick}\n${message.verb}\n${message.params[1] ?? ""}`);
  }

  /** A new connection, or none: what was asked for does not come any more. */
  reset(): void {
    for (const channel of [...this.#gaps.keys()]) this.#end(channel, undefined);
    this.#batches.clear();
    this.#takenOver = "";
  }

  forget(channel: string): void {
    this.#gaps.delete(channel);
    this.#marks.forget(channel);
  }

  /** Resolves when it is on disk up to where everything has been heard. */
  async close(): Promise<void> {
    this.#gaps.clear();
    await this.#marks.close();
  }

  /** `false` where there is nothing to ask for, or nobody. What comes up to the answer to `behind` answers others. */
  #open(
    connection: Connection,
    folded: string,
    channel: string,
    since = Date.now(),
    behind: string = this.#takenOver,
  ): boolean {
    const from = this.#marks.of(folded);
    if (!from || !isOffered(connection)) return false;
    const gap: Gap = {
      channel,
      since,
      pages: 0,
      asked: undefined,
      heard: from,
      lines: 0,
      barrier: behind,
      isCut: false,
      waiting: [],
    };
    this.#gaps.set(folded, gap);
    if (behind === "") this.#ask(connection, gap, from);
    return true;
  }

  #batch(heard: Heard): void {
    const { connection, message } = heard;
    const [reference = "", type, target = ""] = message.params;
    const name = reference.slice(1);
    if (reference.startsWith("+")) {
      const outer = this.#batches.get(message.tags.get("batch") ?? "");
      const channel = connection.view.fold(target);
      if (outer) this.#batches.set(name, { channel: outer.channel, isPage: false });
      else if (type === "chathistory" && this.#gaps.has(channel)) this.#batches.set(name, { channel, isPage: true });
      return;
    }
    const ended = this.#batches.get(name);
    this.#batches.delete(name);
    const gap = ended?.isPage === true ? this.#gaps.get(ended.channel) : undefined;
    if (!ended || !gap?.asked) return;
    const now = this.#marks.of(ended.channel) ?? {};
    // A page that brought nothing new is the last.
    if (now.id === gap.heard.id && now.at === gap.heard.at) {
      // More was said in one moment than a page holds: on behind it.
      const isStuck = gap.asked.id === undefined && gap.asked.at === now.at && gap.lines >= limitOf(connection);
      if (isStuck && now.at !== undefined && gap.pages < MOST_PAGES) this.#ask(connection, gap, { at: now.at + 1 });
      else this.#end(ended.channel, heard);
    } else if (gap.pages < MOST_PAGES) this.#ask(connection, gap, now);
    else if (gap.isCut) this.#end(ended.channel, heard);
    else this.#cut(connection, gap);
  }

  /** So much was missed that only what was said since the bot's return follows. */
  #cut(connection: Connection, gap: Gap): void {
    const { network, log } = this.options;
    log.warn({ network, channel: gap.channel }, "more was missed in a channel than is asked for: the rest is left out");
    gap.isCut = true;
    gap.pages = 0;
    this.#ask(connection, gap, { at: gap.since });
  }

  /** The server does not know the message that was heard last any more, or gives no history; or others are answered. */
  #refused(heard: Heard): void {
    const { connection, message } = heard;
    const { verb, params } = message;
    const isBarrier = verb === "PONG" && params.at(-1)?.startsWith(BARRIER) === true;
    if (!isBarrier && !(verb === "FAIL" && params[0] === "CHATHISTORY")) return;
    if (params.at(-1) === this.#takenOver) this.#takenOver = "";
    for (const [folded, gap] of this.#gaps) {
      const isMeant = isBarrier
        ? gap.barrier === params.at(-1)
        : params.slice(1, -1).some((each) => connection.view.fold(each) === folded);
      if (!isMeant) continue;
      if (!gap.asked) {
        if (isBarrier) this.#ask(connection, gap, this.#marks.of(folded) ?? {});
        continue;
      }
      const { id, at } = gap.asked;
      if (!isBarrier && id !== undefined && at !== undefined) this.#ask(connection, gap, { at });
      else this.#end(folded, heard);
    }
  }

  /** Tells what was said meanwhile; what came out of the history too has the same id, and is dropped by the core. */
  #end(folded: string, by: Heard | undefined): void {
    const gap = this.#gaps.get(folded);
    if (!gap) return;
    this.#gaps.delete(folded);
    by?.scope.changes.push([GAP_KEY + folded, undefined]);
    this.#marks.again(folded);
    const events = by?.scope.events ?? [];
    const changes = by?.scope.changes ?? [];
    for (const { heard, tell } of gap.waiting) {
      this.#marks.set(folded, markOf(heard));
      tell({ ...heard, scope: { ...heard.scope, events, changes } });
    }
    if (!by && events.length > 0) this.options.tell(events);
  }

  #ask(connection: Connection, gap: Gap, from: Mark): void {
    const folded = connection.view.fold(gap.channel);
    gap.asked = from;
    gap.heard = this.#marks.of(folded) ?? {};
    gap.lines = 0;
    this.#marks.again(folded);
    gap.pages++;
    // More may have been said in the moment of the last message: what was heard of it has the same id.
    const types = connection.view.isupport.get("MSGREFTYPES")?.split(",") ?? ["msgid"];
    const reference =
      from.id === undefined || (from.at !== undefined && !types.includes("msgid"))
        ? `timestamp=${new Date(Math.max(0, (from.at ?? 0) - 1)).toISOString()}`
        : `msgid=${from.id}`;
    connection.send(Priority.control, "CHATHISTORY", ["AFTER", gap.channel, reference, String(limitOf(connection))]);
    gap.barrier = this.#ping(connection);
  }

  /** What the server answers to comes behind all that it has answered to before. */
  #ping(connection: Connection): string {
    const barrier = `${this.#barrierPrefix}${++this.#barriers}`;
    connection.send(Priority.control, "PING", [barrier]);
    return barrier;
  }
}

function isOffered({ view }: Connection): boolean {
  return view.capabilities.has(CAPABILITY) && view.capabilities.has("batch");
}

function limitOf({ view }: Connection): number {
  const announced = Number(view.isupport.get("CHATHISTORY") ?? PAGE);
  return announced > 0 ? Math.min(PAGE, announced) : PAGE;
}

function markOf({ message, at }: Heard): Mark {
  return { id: msgidOf(message), at };
}
