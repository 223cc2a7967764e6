import { UserId } from "../../connector/ids.js";
import { toNetwork } from "../../delivery/entry.js";
import type { Cause } from "../../delivery/journal.js";
import type { Link } from "../../mapping/links.js";
import type { Logins } from "../../mapping/logins.js";
import type { Write } from "../../store/writes.js";
import { pause } from "../pause.js";
import type { Permissions } from "../permissions.js";
import type { BridgeRuntime } from "../runtime.js";
import type { ToNetworkPayload } from "../to-network/payload.js";

const rowsAtOnce = 1_000;
/** Between two sweeps: a list may change a thousand times in a minute. */
const gapMs = 1_000;
const afterFailureMs = 30_000;

interface Place {
  readonly room: number;
  readonly user: string;
}

/**
 * Whom policy lists ban is not there for networks: when somebody is banned, the channels of the rooms they are in are told
 * that they left, and when they are not any more, that they are back. Whom was told what is on disk with what tells it.
 */
export class Absences {
  /** Those who signed in and are banned. */
  readonly #suspended = new Set<string>();
  #asked = false;
  #isSweeping = false;
  #swept: Promise<void> = Promise.resolve();
  readonly #stopped = new AbortController();

  constructor(
    readonly runtime: BridgeRuntime,
    readonly permissions: Permissions,
    readonly logins: Logins,
  ) {}

  /** Compares what networks were told with whom is banned now. Never waits, never fails; once more where it is asked meanwhile. */
  sweep(): void {
    this.#asked = true;
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#swept = this.#sweepWhileAsked();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#swept;
  }

  /** Whether channels of a room were told that somebody who is in it left. */
  async has(room: number, user: string): Promise<boolean> {
    const { store, key } = this.runtime;
    const sql = "SELECT 1 FROM policy_absent WHERE bridge = ? AND room = ? AND user = ?";
    return (await store.get(sql, key, room, user)) !== undefined;
  }

  /** Somebody who is banned came into a room, of which nobody is told. */
  cameIn(room: number, user: string): Write {
    return ["addAbsent", this.runtime.key, room, user];
  }

  async #sweepWhileAsked(): Promise<void> {
    const { log, clock } = this.runtime;
    const { signal } = this.#stopped;
    while (this.#asked && !signal.aborted) {
      this.#asked = false;
      let waitMs = gapMs;
      try {
        await this.#sweepOnce();
      } catch (error) {
        log.error({ err: error }, "Whom policy lists ban could not be told to the network; tried again");
        this.#asked = true;
        waitMs = afterFailureMs;
      }
      await pause(clock, waitMs, signal);
    }
    this.#isSweeping = false;
  }

  async #sweepOnce(): Promise<void> {
    const absent = await this.#absentKeys();
    if (absent.size > 0 || !this.permissions.lists.isEmpty) {
      const links = byRoom(await this.runtime.links.all());
      await this.#readmit(links);
      await this.#send(links, absent);
    }
    await this.#accounts();
  }

  /** Those who are banned and in a linked room leave it. */
  async #send(links: ReadonlyMap<number, readonly Link[]>, absent: ReadonlySet<string>): Promise<void> {
    const { journal, key } = this.runtime;
    const gone = new Set<string>();
    for await (const places of this.#pages("SELECT room, user FROM member WHERE membership = 'join'", [])) {
      const causes: Cause[] = [];
      const writes: Write[] = [];
      for (const { room, user } of places) {
        const channels = links.get(room) ?? [];
        if (channels.length === 0 || !this.permissions.bans(user) || absent.has(keyOf({ room, user }))) continue;
        for (const link of channels) causes.push(...this.#told(link, user, "leave"));
        writes.push(["addAbsent", key, room, user]);
        // Whom the bridge holds a connection for with no room left, such as in private conversations.
        if (!gone.has(user)) causes.push(this.#settled(user));
        gone.add(user);
      }
      await journal.append(causes, writes);
    }
  }

  /** Those who were banned and are in a linked room come back. */
  async #readmit(links: ReadonlyMap<number, readonly Link[]>): Promise<void> {
    const { journal, key, members } = this.runtime;
    for await (const places of this.#pages("SELECT room, user FROM policy_absent WHERE bridge = ?", [key])) {
      const causes: Cause[] = [];
      const writes: Write[] = [];
      for (const { room, user } of places) {
        if (this.permissions.bans(user)) continue;
        const member = await members.find(room, user);
        if (member?.membership === "join")
          for (const link of links.get(room) ?? []) causes.push(...this.#told(link, user, "join"));
        writes.push(["dropAbsent", key, room, user]);
      }
      await journal.append(causes, writes);
    }
  }

  /** The accounts of those who signed in are not used while they are banned. */
  async #accounts(): Promise<void> {
    const changed = this.logins.users().filter((user) => this.permissions.bans(user) !== this.#suspended.has(user));
    await this.runtime.journal.append(changed.map((user) => this.#settled(user)));
    for (const user of changed) if (!this.#suspended.delete(user)) this.#suspended.add(user);
  }

  async #absentKeys(): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    const { key } = this.runtime;
    for await (const places of this.#pages("SELECT room, user FROM policy_absent WHERE bridge = ?", [key]))
      for (const place of places) keys.add(keyOf(place));
    return keys;
  }

  /** `select` has a condition, which is gone on with. */
  async *#pages(select: string, parameters: readonly number[]): AsyncGenerator<readonly Place[]> {
    const sql = `${select} AND (room, user) > (?, ?) ORDER BY room, user LIMIT ${rowsAtOnce}`;
    let last: Place = { room: -1, user: "" };
    while (!this.#stopped.signal.aborted) {
      const rows = await this.runtime.store.all<Place>(sql, ...parameters, last.room, last.user);
      yield rows;
      const end = rows.at(-1);
      if (!end || rows.length < rowsAtOnce) return;
      last = end;
    }
  }

  /** A conversation of two goes on where it was when the ban is lifted: to leave it would end it. */
  #told({ room, channel, kind }: Link, user: string, change: "join" | "leave"): readonly Cause[] {
    if (kind === "direct") return [];
    const payload: ToNetworkPayload = { via: "absence", room, user: UserId(user), change };
    return [this.#cause(channel, `${change} ${room} ${user}`, payload)];
  }

  #settled(user: string): Cause {
    return this.#cause(`policy ${user}`, `settled ${user}`, { via: "settled", user: UserId(user) });
  }

  /** Nothing that is told again later is taken for a repetition: it is told when something has changed. */
  #cause(lane: string, what: string, payload: ToNetworkPayload): Cause {
    const { clock } = this.runtime;
    return { direction: toNetwork, lane, source: `policy ${what} ${clock.now()}`, payload };
  }
}

function keyOf({ room, user }: Place): string {
  return `${room} ${user}`;
}

function byRoom(links: readonly Link[]): ReadonlyMap<number, readonly Link[]> {
  const found = new Map<number, Link[]>();
  for (const link of links) {
    const others = found.get(link.roomKey);
    if (others) others.push(link);
    else found.set(link.roomKey, [link]);
  }
  return found;
}
