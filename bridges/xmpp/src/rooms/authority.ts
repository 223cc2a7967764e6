import { refused, retry, type Author, type EffectBase, type Failure } from "@trestle/core";
import { element, type MucItem, type XmlElement } from "../content/index.js";
import { failureOf } from "../stream/index.js";
import type { Ghosts } from "./ghosts.js";
import type { Occupant } from "./occupant.js";
import type { RoomParts } from "./parts.js";

/** What the bridge may do in a room, and under which of its addresses. */
export interface Rights {
  /** For people: to whom they are to be given. */
  readonly named: string;
  /** Has the bridge enter under another one of its addresses where that may do more; whether it does. */
  readonly seek: () => Promise<boolean>;
}

export interface AuthorityOptions {
  readonly parts: RoomParts;
  readonly room: string;
  readonly watcher: Occupant;
  readonly ghosts: Ghosts;
  /** What the room shows of the occupant of the Matrix user; `undefined` where there is none. */
  readonly shownOf: (user: Author["userId"]) => MucItem | undefined;
  readonly whyOut: () => string | undefined;
  readonly rights: Rights;
}

/** For whom something is asked, and until when. */
export type Asking = Pick<EffectBase, "signal"> & { readonly author: Pick<Author, "userId" | "name"> };

/** What a room says to somebody who may not do something. */
const DENIED = new Set(["forbidden", "not-allowed", "not-authorized"]);

/** Asks a room for what takes a right there, as whoever of ours has it. */
export class Authority {
  constructor(private readonly options: AuthorityOptions) {}

  /** Why nothing can be asked for now, where nobody knows either who is in the room; `undefined` where it can. */
  get out(): Failure | undefined {
    const out = this.options.whyOut();
    return out === undefined ? undefined : retry(out);
  }

  /**
   * `undefined` when it is done; it may be asked for twice. `what` is what is tried, and `needed` what the bridge must
   * be in the room for that; both for people.
   */
  async ask(
    asking: Asking,
    query: XmlElement,
    what: string,
    needed: "an admin" | "an owner" | "a moderator",
  ): Promise<Failure | undefined> {
    const failure = await this.attempt(asking, query, what);
    if (failure !== "denied") return failure;
    return refused(
      `${what} was refused: neither the bridge nor ${asking.author.name} has the right to. Make ${this.options.rights.named} ${needed} of the room.`,
    );
  }

  /** The same, where it is no matter that nobody of ours has the right to. */
  async attempt(asking: Asking, query: XmlElement, what: string): Promise<Failure | "denied" | undefined> {
    const { room } = this.options;
    const { out } = this;
    if (out) return out;
    for (const asker of this.#askers(asking)) {
      const iq = element("iq", { type: "set", from: asker.jid, to: room }, query);
      const answer = await asker.request(iq, { signal: asking.signal });
      if (answer.kind === "failure") return retry(answer.failure.reason);
      if (answer.kind === "result") return undefined;
      if (!DENIED.has(answer.error.condition)) return failureOf(answer.error, what);
    }
    return (await this.options.rights.seek()) ? retry(`The bridge enters ${room} again to do it`) : "denied";
  }

  /** Who has done it on Matrix, where they may there too: people see who it was. */
  #askers({ author }: Asking): readonly Occupant[] {
    const { ghosts, watcher, shownOf } = this.options;
    const own = ghosts.find(author.userId);
    const isModerator = own?.nick !== undefined && shownOf(author.userId)?.role === "moderator";
    return isModerator ? [own, watcher] : [watcher];
  }
}
