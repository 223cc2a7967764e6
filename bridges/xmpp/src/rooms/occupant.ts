import { refused, retry, type Failure } from "@trestle/core";
import {
  failureOf,
  stanzaErrorOf,
  type Answer,
  type Element,
  type RequestOptions,
  type StanzaError,
  type XmppStream,
} from "../stream/index.js";
import { messageOf } from "../stream/errors.js";
import { joinPresence, leavePresence, nickOf, nickPresence, statusesOf } from "./muc.js";

export interface OccupantOptions {
  readonly stream: XmppStream;
  readonly room: string;
  /** The full address that enters the room; another one only while it is not in it. */
  readonly jid: string;
  /** The nicks to try, one after the other. */
  readonly nick: (attempt: number) => string;
  readonly joinTimeoutMs: number;
  /** It was removed from the room: by the room, not by the end of the stream. */
  readonly onRemoved?: (stanza: Element) => void;
  /** The room shows what it is there; `isEntry`: it has just come in. */
  readonly onShown?: (stanza: Element, isEntry: boolean) => void;
  /** Resolves when the nick is on disk: before that nothing is said under it, or nobody would know it for ours later. */
  readonly onNick?: (nick: string, shown: Element) => Promise<void>;
}

type JoinAnswer = { readonly statuses: ReadonlySet<string> } | { readonly error: StanzaError } | Failure;

const MOST_NICKS = 20;

/** Somebody of ours in a room (XEP-0045), who is in it when the room has shown them so. */
export class Occupant {
  readonly #options: OccupantOptions;
  #nick: string | undefined;
  #joining: Promise<Failure | undefined> | undefined;
  #asked: { readonly nick: string; readonly settle: (answer: JoinAnswer) => void } | undefined;
  /** The nick is on disk. */
  #kept: Promise<void> = Promise.resolve();
  /** It is to be in the room: what the room still shows of an entry that was given up counts for nothing. */
  #isWanted = false;
  /** The last join made the room. */
  created = false;

  constructor(options: OccupantOptions) {
    this.#options = options;
  }

  get jid(): string {
    return this.#options.jid;
  }

  /** Says something in the room. */
  send(stanza: Element): Promise<Failure | undefined> {
    return this.#options.stream.send(stanza);
  }

  /** Asks the room something. With an account of a Matrix user's own the component may not do it for them. */
  request(iq: Element, options?: RequestOptions): Promise<Answer> {
    return this.#options.stream.request(iq, options);
  }

  /** The nick in the room, while it is in. */
  get nick(): string | undefined {
    return this.#nick;
  }

  /** The nick that it asks for now. */
  get asking(): string | undefined {
    return this.#asked?.nick;
  }

  /** Resolves when it is in the room, or with what keeps it out. */
  join(): Promise<Failure | undefined> {
    this.#isWanted = true;
    if (this.#nick !== undefined) return this.#whenKept();
    if (this.#joining) return this.#joining;
    const joining = this.#join().finally(() => {
      if (this.#joining === joining) this.#joining = undefined;
    });
    this.#joining = joining;
    return joining;
  }

  /** Tries for another nick; without success it keeps the one it has. */
  async rename(): Promise<void> {
    await this.#joining;
    if (this.#nick === undefined || this.#asked) return;
    for (let attempt = 0; attempt < MOST_NICKS; attempt++) {
      const nick = this.#options.nick(attempt);
      if (nick === this.#nick) return;
      const answer = await this.#ask(nick, nickPresence);
      if (!("error" in answer) || answer.error.condition !== "conflict") return;
    }
  }

  /** Takes a presence that the room sends to this address. */
  presence(stanza: Element): void {
    const { type } = stanza.attrs;
    const nick = nickOf(stanza);
    if (type === "error") {
      this.#asked?.settle({ error: stanzaErrorOf(stanza) });
      return;
    }
    const statuses = statusesOf(stanza);
    // Old servers leave 110 out; while another nick is asked for, somebody else may have it.
    const expected = this.#nick ?? this.#asked?.nick;
    const isOwn = statuses.has("110") || nick === expected;
    if (!isOwn || nick === undefined || !this.#isWanted) return;
    if (type === "unavailable") {
      // With 303 the same occupant comes back under another nick at once.
      if (statuses.has("303") || nick !== this.#nick) return;
      this.#nick = undefined;
      this.#options.onRemoved?.(stanza);
      return;
    }
    const isEntry = this.#nick === undefined;
    this.#nick = nick;
    this.#options.onShown?.(stanza, isEntry);
    if (this.#options.onNick) this.#keep(this.#options.onNick(nick, stanza));
    this.#asked?.settle({ statuses });
  }

  /** The room says that it is not in. */
  forget(): void {
    this.#nick = undefined;
  }

  /** The stream ended: nobody is in any room. */
  lost(): void {
    this.#nick = undefined;
    this.#asked?.settle(retry(`The connection ended while ${this.jid} entered ${this.#options.room}`));
  }

  /** Also while it enters: others may see it in the room before it does so itself. */
  async leave(): Promise<void> {
    const { stream, room, jid } = this.#options;
    const nick = this.#nick ?? this.#asked?.nick;
    this.#isWanted = false;
    this.#nick = undefined;
    this.#asked?.settle(retry(`${jid} left ${room} while it entered`));
    this.#joining = undefined;
    if (nick !== undefined) await stream.send(leavePresence(jid, room, nick));
  }

  async #join(): Promise<Failure | undefined> {
    const { room, jid, nick } = this.#options;
    for (let attempt = 0; attempt < MOST_NICKS; attempt++) {
      const answer = await this.#ask(nick(attempt), joinPresence);
      if ("failed" in answer) return answer;
      if ("statuses" in answer) {
        this.created = answer.statuses.has("201");
        return this.#whenKept();
      }
      if (answer.error.condition !== "conflict") return joinFailure(answer.error, jid, room);
    }
    return refused(`${jid} could not enter ${room}: every nick it tried is taken`);
  }

  #keep(kept: Promise<void>): void {
    this.#kept = kept;
    // Whoever is about to speak learns of it.
    kept.catch(() => undefined);
  }

  async #whenKept(): Promise<Failure | undefined> {
    try {
      await this.#kept;
      return undefined;
    } catch (error) {
      // The room tells the nick again to whoever enters again.
      this.#nick = undefined;
      return retry(`The nick of ${this.jid} in ${this.#options.room} could not be kept (${messageOf(error)})`);
    }
  }

  async #ask(nick: string, presence: typeof joinPresence): Promise<JoinAnswer> {
    const { stream, room, jid, joinTimeoutMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    let settle: (answer: JoinAnswer) => void = () => undefined;
    const answer = new Promise<JoinAnswer>((resolve) => {
      settle = resolve;
      timer = setTimeout(
        () => resolve(retry(`${room} did not answer within ${joinTimeoutMs} ms when ${jid} entered it`)),
        joinTimeoutMs,
      );
    });
    const asked = { nick, settle };
    this.#asked = asked;
    const failure = await stream.send(presence(jid, room, nick));
    // What is not known to have gone out is no harm: to enter twice is to enter.
    if (failure) settle(failure.failed === "uncertain" ? retry(failure.reason) : failure);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
      if (this.#asked === asked) this.#asked = undefined;
    }
  }
}

/** XEP-0045 §7.2: why a room lets somebody not in. */
function joinFailure(error: StanzaError, jid: string, room: string): Failure {
  const what = `${jid} was not let into ${room}`;
  switch (error.condition) {
    case "forbidden":
      return refused(`${what}: banned there`);
    case "registration-required":
      return refused(`${what}: only members may enter. Make the address a member of the room.`);
    case "not-authorized":
      return refused(`${what}: the room wants a password`);
    case "service-unavailable":
      return retry(`${what}: it is full, or its server away`, { afterMs: 30_000 });
    // A room that its owner has not configured yet.
    case "item-not-found":
      return retry(`${what}: it is locked, or does not exist`, { afterMs: 10_000 });
    default:
      return failureOf(error, `Entering ${room} as ${jid}`);
  }
}
