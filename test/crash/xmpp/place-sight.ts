import type { Said } from "../ledger.js";
import type { Book, Side } from "./book.js";
import type { MatrixSight } from "./matrix-sight.js";
import type { Archived } from "./room-archive.js";
import { markIn, type Mark } from "./words.js";

/** A text in a room on XMPP. */
export interface RoomText extends Archived {
  readonly mark: Mark;
}

/** A set of reactions that took the place of the one before (XEP-0444). */
export interface ReactionStep {
  readonly nick: string;
  /** Of which message: `m3-17`. */
  readonly target: string;
  readonly keys: readonly string[];
  readonly at: number;
}

/** Who is who in a room on XMPP. */
export interface PlaceNicks {
  /** The people on XMPP. */
  readonly nicks: ReadonlySet<string>;
  /** What they are called on Matrix, where that is not their nick. */
  readonly shownAs?: ReadonlyMap<string, string>;
  /** Who says for everybody what is said on Matrix, where that is one. */
  readonly spokesman?: string;
}

/** What both sides of one place show, and what was said there. */
export class PlaceSight {
  /** Who says for everybody what is said on Matrix, and reacts for all at once. */
  readonly spokesman: string | undefined;
  /** In the order of the archive: what people on XMPP said, and what the bridge did. */
  readonly own: readonly Archived[];
  readonly bridged: readonly Archived[];
  readonly ownTexts: readonly RoomText[];
  readonly bridgedTexts: readonly RoomText[];
  /** Which message an event is, and which one a stanza is by the room's id of it. */
  readonly #events: ReadonlyMap<string, string>;
  readonly #stanzas: ReadonlyMap<string, string>;

  constructor(
    readonly book: Book,
    readonly matrix: MatrixSight,
    archive: readonly Archived[],
    { nicks, shownAs, spokesman }: PlaceNicks,
  ) {
    this.spokesman = spokesman;
    this.own = archive.flatMap((message) =>
      nicks.has(message.nick) ? [{ ...message, nick: shownAs?.get(message.nick) ?? message.nick }] : [],
    );
    this.bridged = archive.flatMap((message) =>
      nicks.has(message.nick)
        ? []
        : [message.nick === spokesman ? { ...message, nick: speakerIn(message.body) ?? message.nick } : message],
    );
    this.ownTexts = textsOf(this.own);
    this.bridgedTexts = textsOf(this.bridged);
    const first = ({ replaces }: { readonly replaces: string | undefined }): boolean => replaces === undefined;
    this.#events = new Map([
      ...book.utterances.flatMap(({ side, handle, id }) => (side === "matrix" ? [[handle, id] as const] : [])),
      ...matrix.arrivals.filter(first).map(({ handle, mark }) => [handle, mark.id] as const),
    ]);
    this.#stanzas = new Map(
      [...this.ownTexts, ...this.bridgedTexts].filter(first).map(({ id, mark }) => [id, mark.id] as const),
    );
  }

  messageOfEvent(event: string): string | undefined {
    return this.#events.get(event);
  }

  messageOfStanza(stanza: string): string | undefined {
    return this.#stanzas.get(stanza);
  }

  /** The texts that were said on a side, in its order. */
  saidOn(side: Side): readonly Said[] {
    return side === "matrix" ? this.book.saidOnMatrix : this.ownTexts.map(({ mark, at }) => ({ id: mark.unit, at }));
  }

  /** What was taken back on a side, by the message. */
  takenBackOn(side: Side): ReadonlySet<string> {
    if (side === "matrix")
      return new Set(this.book.utterances.filter((each) => each.side === side && each.deleted).map(({ id }) => id));
    return new Set(this.own.flatMap(({ retracts }) => this.messageOfStanza(retracts ?? "") ?? []));
  }

  /** How people, or the bridge, changed what they react with in the room, in order. */
  stepsIn(messages: readonly Archived[]): readonly ReactionStep[] {
    return messages.flatMap(({ nick, reacts, at }) =>
      reacts ? [{ nick, target: this.messageOfStanza(reacts.target) ?? reacts.target, keys: reacts.keys, at }] : [],
    );
  }

  /** Everything that had to be carried: texts, edits, retractions, and each change of the reactions. */
  countOf(side: Side): number {
    const reactions =
      side === "matrix"
        ? this.book.reactions.filter((each) => each.side === side).reduce((sum, { taken }) => sum + (taken ? 2 : 1), 0)
        : this.stepsIn(this.own).length;
    return this.saidOn(side).length + this.takenBackOn(side).size + reactions;
  }
}

/** For whom something is said. */
function speakerIn(body = ""): string | undefined {
  return /^(?:<([^>]+)>|\* (\S+)) /.exec(body)?.slice(1).join("");
}

function textsOf(messages: readonly Archived[]): readonly RoomText[] {
  return messages.flatMap((message) => {
    const mark = markIn(message.body ?? "");
    return mark ? [{ ...message, mark }] : [];
  });
}
