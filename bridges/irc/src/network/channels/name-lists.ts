import { randomInt } from "node:crypto";
import type { StateChange } from "../../holder/frames.js";
import type { Connection } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import { parseSource } from "../../wire/source.js";
import type { IrcMessage } from "../../wire/message.js";

/** WHOX: three digits tell the answers to one question from those to another. */
const TOKENS = 1000;
/** Before the folded name of a channel whose list is on its way. */
export const LISTING_KEY = "listing:";

/** Somebody who is in a channel, as a server lists them. */
export interface Listed {
  readonly nick: string;
  /** The symbols before the nick, highest first. */
  readonly prefixes: string;
  account?: string;
}

/** A list of names that is complete; `known` says whether the accounts are in it, or nobody knows any. */
export interface NameList {
  readonly channel: string;
  readonly people: ReadonlyMap<string, Listed>;
  readonly known: boolean;
  /** Whether the names came just now; otherwise only the accounts did. */
  readonly named: boolean;
  /** Folded nicks that were not in the channel before: for whoever keeps the members. */
  readonly fresh: Set<string>;
}

interface List {
  readonly people: Map<string, Listed>;
  readonly fresh: Set<string>;
  /** Answers that carry it belong to this list: those to a question of the process before may still come. */
  readonly token: string;
  /** Whether the names are not listed besides. */
  readonly byAccounts: boolean;
  answered: boolean;
  named: boolean;
  /** Whether the accounts were asked for, and did not all come yet. */
  awaitsAccounts: boolean;
}

/** The lists of names that a server is just giving: who is there (NAMES), and under which accounts (WHOX). */
export class NameLists {
  readonly #lists = new Map<string, List>();

  /** We have joined `channel`: its list follows. */
  begin(connection: Connection, channel: string, changes: StateChange[]): void {
    changes.push([LISTING_KEY + connection.view.fold(channel), channel]);
    this.#begin(connection, channel);
  }

  /** Asks again for the lists that were not complete when the process before ended; returns of which channels, folded. */
  restore(connection: Connection, state: readonly StateChange[]): readonly string[] {
    if (!asksForAccounts(connection)) return [];
    const begun = state.flatMap(([key, channel]) => (key.startsWith(LISTING_KEY) ? (channel ?? []) : []));
    for (const channel of begun) this.#begin(connection, channel, true);
    return begun.map((channel) => connection.view.fold(channel));
  }

  #begin(connection: Connection, channel: string, byAccounts = false): void {
    const token = String(randomInt(TOKENS)).padStart(3, "0");
    const awaitsAccounts = asksForAccounts(connection);
    if (awaitsAccounts) connection.send(Priority.control, "WHO", [channel, `%tcnfa,${token}`]);
    const list = { people: new Map<string, Listed>(), fresh: new Set<string>(), token, byAccounts, answered: false };
    this.#lists.set(connection.view.fold(channel), { ...list, named: byAccounts, awaitsAccounts });
  }

  /** A new connection has to list everybody anew. */
  reset(): void {
    this.#lists.clear();
  }

  /** Takes a line of a list; returns the list when all names are there, and again when the accounts are. */
  take(connection: Connection, { verb, params }: IrcMessage): NameList | undefined {
    const { view } = connection;
    switch (verb) {
      case "353":
        this.#names(connection, params);
        return undefined;
      case "354":
        this.#account(connection, params);
        return undefined;
      case "366":
        return this.#progress(view.fold(params[1] ?? ""), (list) => (list.named = true));
      case "315":
        // We are in the list ourselves: an end without a beginning ends another list.
        return this.#progress(view.fold(params[1] ?? ""), (list) => (list.awaitsAccounts &&= !list.answered));
      // The server is too busy for WHO: the names must do.
      case "263":
        for (const [channel, list] of this.#lists) {
          list.awaitsAccounts = false;
          if (list.named) return this.#progress(channel, () => undefined);
        }
        return undefined;
      default:
        return undefined;
    }
  }

  #progress(channel: string, note: (list: List) => unknown): NameList | undefined {
    const list = this.#lists.get(channel);
    if (!list) return undefined;
    const before = list.named;
    note(list);
    const { people, fresh, awaitsAccounts, byAccounts } = list;
    if (!list.named || (byAccounts && awaitsAccounts)) return undefined;
    if (!awaitsAccounts) this.#lists.delete(channel);
    return { channel, people, fresh, known: !awaitsAccounts, named: byAccounts || !before };
  }

  #names({ view }: Connection, params: readonly string[]): void {
    const list = this.#lists.get(view.fold(params[2] ?? ""));
    if (!list || list.byAccounts) return;
    const symbols = view.isupport.prefixSymbols;
    for (const item of (params[3] ?? "").split(" ")) {
      let start = 0;
      while (symbols.includes(item[start] ?? " ")) start++;
      const { nick } = parseSource(item.slice(start));
      if (nick !== "") list.people.set(view.fold(nick), { nick, prefixes: item.slice(0, start) });
    }
  }

  #account({ view }: Connection, params: readonly string[]): void {
    const [, token, channel = "", nick = "", flags = "", account = "0"] = params;
    const list = this.#lists.get(view.fold(channel));
    if (!list || list.token !== token) return;
    list.answered = true;
    const symbols = view.isupport.prefixSymbols;
    const prefixes = Array.from(flags)
      .filter((flag) => symbols.includes(flag))
      .join("");
    if (list.byAccounts) list.people.set(view.fold(nick), { nick, prefixes });
    const listed = list.people.get(view.fold(nick));
    if (listed && account !== "0" && account !== "*") listed.account = account;
  }
}

function asksForAccounts({ view: { isupport, capabilities } }: Connection): boolean {
  return isupport.get("WHOX") !== undefined && capabilities.has("account-tag");
}
