import type { XmppElement } from "@xmpp/component";
import type { RoomMessage } from "./room-message.js";

/** People on XMPP who speak in places; a place is a room, or a conversation of two. */
export interface Speakers {
  readonly nicks: readonly string[];
  isIn(place: string, nick: string): boolean;
  /**
   * Sends a message, where the person is there, and returns the id that they gave it. Whether the server took it, its
   * archive says.
   */
  say(place: string, nick: string, ...children: readonly XmppElement[]): string | undefined;
  /** What was shown to them, oldest first. */
  shownIn(place: string): readonly RoomMessage[];
  /** Whom an answer to somebody is to. */
  addressOf(place: string, nick: string): string;
  /** Resolves when what was said last has come to everybody, or has not for a while. */
  heard?(): Promise<void>;
}

/** Several as one; what is shown is what the first see. */
export function together(first: Speakers, ...others: readonly Speakers[]): Speakers {
  const of = (nick: string): Speakers => others.find(({ nicks }) => nicks.includes(nick)) ?? first;
  return {
    nicks: [first, ...others].flatMap(({ nicks }) => nicks),
    isIn: (place, nick) => of(nick).isIn(place, nick),
    say: (place, nick, ...children) => of(nick).say(place, nick, ...children),
    shownIn: (place) => first.shownIn(place),
    addressOf: (place, nick) => first.addressOf(place, nick),
  };
}
