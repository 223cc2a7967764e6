import type { Client } from "./client.js";

export interface Departed {
  readonly nick: string;
  readonly user: string;
  readonly host: string;
  readonly realname: string;
  /** In milliseconds since 1970. */
  readonly at: number;
}

const KEPT = 1_000;

/** Who has been here under which nick, for WHOWAS. */
export class WhoWas {
  #departed: Departed[] = [];

  add({ shownNick, user, host, realname }: Client, at: number): void {
    this.#departed.unshift({ nick: shownNick, user, host, realname, at });
    if (this.#departed.length > KEPT) this.#departed.length = KEPT;
  }

  /** The latest first. */
  find(isIt: (nick: string) => boolean): Departed[] {
    return this.#departed.filter(({ nick }) => isIt(nick));
  }
}
