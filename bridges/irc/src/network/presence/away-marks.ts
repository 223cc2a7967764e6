import { type PresenceSignal, UserId } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import { oneLine } from "../../wire/sanitise.js";
import type { Puppets } from "../connections/puppets.js";

/** How many people who are not there are remembered. */
const MOST_AWAY = 20_000;
/** Not everybody at once, when a homeserver loses sight of all its users. */
const SPREAD = 0.2;
const AWAY_TEXT = { unavailable: "Away on Matrix", offline: "Not on Matrix now" } as const;

export interface AwayMarksOptions {
  readonly puppets: () => Puppets;
  /** How long somebody must have been away before IRC is told, in milliseconds; `undefined`: it is never told. */
  readonly afterMs: number | undefined;
}

/**
 * Marks puppets as away (`AWAY`) whose people are not there on Matrix, as far as their homeserver tells. Nobody is marked
 * before they have been away for a while, so that each puppet says it at most once in that time, and once that they are back.
 */
export class AwayMarks {
  /** What is to be said of those who are not there, whoever has been away longest first. */
  readonly #away = new Map<UserId, string>();
  readonly #timers = new Map<UserId, NodeJS.Timeout>();
  /** What each connection has said last; absent where the process before may have said something. */
  readonly #said = new WeakMap<Connection, string>();

  constructor(private readonly options: AwayMarksOptions) {}

  /** The homeserver says how somebody is. */
  take({ user, presence, status }: PresenceSignal): void {
    if (this.options.afterMs === undefined) return;
    if (presence === "online") {
      this.#away.delete(user);
      this.#cancel(user);
      this.#say(user);
      return;
    }
    const text = status ?? AWAY_TEXT[presence];
    const isNew = this.#away.get(user) !== text;
    this.#away.delete(user);
    this.#away.set(user, text);
    if (this.#away.size > MOST_AWAY) this.#forgetOldest();
    if (isNew) this.#sayLater(user);
  }

  /** A puppet's new connection is ready: nothing was said on it. */
  ready(connection: Connection): void {
    this.#said.set(connection, "");
    const { user } = connection.role;
    if (user !== undefined && this.#away.has(UserId(user))) this.#sayLater(UserId(user));
  }

  close(): void {
    for (const user of [...this.#timers.keys()]) this.#cancel(user);
  }

  /** Only of those who have a puppet. */
  #sayLater(user: UserId): void {
    const { afterMs, puppets } = this.options;
    if (afterMs === undefined || this.#timers.has(user) || !puppets().get(user)) return;
    const timer = setTimeout(
      () => {
        this.#timers.delete(user);
        this.#say(user);
      },
      afterMs * (1 + Math.random() * SPREAD),
    );
    this.#timers.set(user, timer);
  }

  #say(user: UserId): void {
    const connection = this.options.puppets().get(user)?.seat.connection;
    if (!connection) return;
    const text = oneLine(this.#away.get(user) ?? "", connection.view.isupport.awayLength);
    if (this.#said.get(connection) === text) return;
    this.#said.set(connection, text);
    connection.send(Priority.channel, "AWAY", text === "" ? [] : [text]);
  }

  #cancel(user: UserId): void {
    clearTimeout(this.#timers.get(user));
    this.#timers.delete(user);
  }

  #forgetOldest(): void {
    const oldest = this.#away.keys().next();
    if (!oldest.done) this.#away.delete(oldest.value);
  }
}
