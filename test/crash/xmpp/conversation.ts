import { xml, type XmppElement } from "@xmpp/component";
import { waitFor } from "../../tools/wait.js";
import type { AccountClient } from "./account-client.js";
import { ArchiveReader, conversationWith } from "./archive-reader.js";
import type { Archived, PlaceArchive } from "./room-archive.js";
import { doesSomething, readRoomMessage, type RoomMessage } from "./room-message.js";
import type { Speakers } from "./speakers.js";

const heardWithinMs = 2_000;

/** One side of a conversation. */
export interface Party {
  /** What the load calls them. */
  readonly nick: string;
  readonly client: AccountClient;
  readonly resource: string;
}

/**
 * A conversation of two: somebody with a client, and somebody on Matrix whose account is used by a client of theirs and by
 * the bridge. What is there is what the archives of both accounts have.
 */
export class Conversation implements Speakers, PlaceArchive {
  readonly nicks: readonly string[];
  readonly #shown: RoomMessage[] = [];
  readonly #shownIds = new Set<string>();
  /** By the party that has seen them. */
  readonly #heard = new Map<Party, Set<string>>();
  #last: { readonly id: string; readonly by: Party } | undefined;
  readonly #own: Archived[] = [];
  readonly #bridged: Archived[] = [];
  readonly #readers: readonly ArchiveReader[];

  /** `owner` is on Matrix as well, where they are called `onMatrix`. */
  constructor(
    private readonly other: Party,
    private readonly owner: Party,
    private readonly onMatrix: string,
  ) {
    this.nicks = [other.nick, owner.nick];
    const readerOf = ({ client }: Party, of: Party, into: Archived[], isWanted: (nick: string) => boolean) =>
      new ArchiveReader(
        (queryid, query, collect) => client.ask(queryid, query, collect),
        (stanza, _, at) => {
          const message = this.#read(stanza);
          if (doesSomething(message) && isWanted(message.nick)) into.push({ ...message, id: message.ownId, at });
        },
        conversationWith(of.client.jid),
      );
    const isOwn = (nick: string): boolean => this.nicks.includes(nick);
    // What the account is told is what the bridge has to carry; what arrived is what the other one was told.
    this.#readers = [
      readerOf(owner, other, this.#own, isOwn),
      readerOf(other, owner, this.#bridged, (nick) => !isOwn(nick)),
    ];
  }

  get messages(): readonly Archived[] {
    return [...this.#own, ...this.#bridged];
  }

  async read(): Promise<number> {
    const before = this.messages.length;
    for (const reader of this.#readers) await reader.read();
    return this.messages.length - before;
  }

  isIn(_: string, nick: string): boolean {
    return this.#party(nick)?.client.isOnline === true;
  }

  say(_: string, nick: string, ...children: readonly XmppElement[]): string | undefined {
    const by = this.#party(nick);
    if (by?.client.isOnline !== true) return undefined;
    const { jid } = (by === this.owner ? this.other : this.owner).client;
    const id = by.client.say(jid, "chat", ...children);
    this.#last = { id, by };
    this.#note(this.#read(xml("message", { id, from: `${by.client.jid}/${by.resource}` }, ...children)));
    return id;
  }

  /** A message came to a client of one of them. */
  take(to: AccountClient, stanza: XmppElement): void {
    const party = [this.owner, this.other].find(({ client }) => client === to);
    const [from, towards] = [bare(stanza.attrs["from"]), bare(stanza.attrs["to"])];
    const [one, two] = [this.owner.client.jid, this.other.client.jid];
    if (!party || !((from === one && towards === two) || (from === two && towards === one))) return;
    const message = this.#read(stanza);
    const heard = this.#heard.get(party) ?? new Set();
    this.#heard.set(party, heard.add(message.ownId));
    this.#note(message);
  }

  shownIn(): readonly RoomMessage[] {
    return this.#shown;
  }

  addressOf(_: string, nick: string): string {
    return nick === this.other.nick ? this.other.client.jid : this.owner.client.jid;
  }

  /** Two who speak at once are in no order that both their archives would agree upon. */
  async heard(): Promise<void> {
    const last = this.#last;
    if (!last) return;
    const listener = last.by === this.owner ? this.other : this.owner;
    const isHeard = (): boolean => this.#heard.get(listener)?.has(last.id) === true;
    await waitFor("the other to hear it", heardWithinMs, isHeard, 5).catch(() => undefined);
  }

  #party(nick: string): Party | undefined {
    return [this.owner, this.other].find((each) => each.nick === nick);
  }

  #note(message: RoomMessage): void {
    if (this.#shownIds.has(message.ownId) || !doesSomething(message)) return;
    this.#shownIds.add(message.ownId);
    this.#shown.push(message);
  }

  #read(stanza: XmppElement): RoomMessage {
    const message = readRoomMessage(stanza);
    const { from = "" } = stanza.attrs;
    const nick =
      bare(from) === this.other.client.jid
        ? this.other.nick
        : from.endsWith(`/${this.owner.resource}`)
          ? this.owner.nick
          : this.onMatrix;
    // Between two people a message is known by the id that its sender gave it.
    return { ...message, nick, id: message.ownId };
  }
}

function bare(jid = ""): string {
  return jid.split("/", 1)[0] ?? jid;
}
