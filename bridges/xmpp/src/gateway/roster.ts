import { createHash } from "node:crypto";
import { RemoteUserId, type RoomMember, type UserId } from "@trestle/core";
import { nickCandidate, nickFrom } from "../address/index.js";
import type { Availability } from "../content/index.js";

/** Somebody of XMPP in a room: one occupant, from however many clients. */
export interface Person {
  readonly is: "person";
  /** The bare JID. */
  readonly key: string;
  readonly id: RemoteUserId;
  nick: string;
  /** What each client tells, by its full JID; the latest last. */
  readonly sessions: Map<string, Availability | undefined>;
}

/** A Matrix user in a room. */
export interface Member {
  readonly is: "member";
  /** The Matrix user id. */
  readonly key: string;
  readonly userId: UserId;
  name: string;
  nick: string;
  power: number;
}

export type Occupant = Person | Member;

const attempts = 50;

/** Who is in a room, and under which nick. No two nicks look the same but for the case of letters. */
export class Roster {
  readonly people = new Map<string, Person>();
  readonly members = new Map<string, Member>();
  readonly #byNick = new Map<string, Occupant>();
  readonly #bySession = new Map<string, Person>();

  get size(): number {
    return this.people.size + this.members.size;
  }

  /** Everybody. */
  *all(): Generator<Occupant> {
    yield* this.members.values();
    yield* this.people.values();
  }

  /** The full JIDs of the clients that are in the room. */
  sessions(): string[] {
    return [...this.#bySession.keys()];
  }

  ofSession(jid: string): Person | undefined {
    return this.#bySession.get(jid);
  }

  ofNick(nick: string): Occupant | undefined {
    const found = this.#byNick.get(folded(nick));
    return found?.nick === nick ? found : undefined;
  }

  /** Whether somebody else has a nick, or one that looks like it. */
  isTaken(nick: string, by: string): boolean {
    const holder = this.#byNick.get(folded(nick));
    return holder !== undefined && holder.key !== by;
  }

  /** A client of a person comes in; the nick is free, or the person's own. */
  enter(bare: string, session: string, nick: string, told: Availability | undefined): Person {
    const known = this.people.get(bare);
    const person = known ?? { is: "person", key: bare, id: RemoteUserId(bare), nick, sessions: new Map() };
    person.sessions.set(session, told);
    this.people.set(bare, person);
    this.#bySession.set(session, person);
    this.#byNick.set(folded(person.nick), person);
    return person;
  }

  /** A client told something new. */
  tell(session: string, told: Availability): void {
    const person = this.#bySession.get(session);
    person?.sessions.delete(session);
    person?.sessions.set(session, told);
  }

  /** A client is gone; `true` where it was the person's last one, who then is gone too. */
  exit(session: string): boolean {
    const person = this.#bySession.get(session);
    if (!person) return false;
    this.#bySession.delete(session);
    person.sessions.delete(session);
    if (person.sessions.size > 0) return false;
    this.people.delete(person.key);
    this.#release(person);
    return true;
  }

  /** The nick is free. */
  rename(occupant: Occupant, nick: string): void {
    this.#release(occupant);
    occupant.nick = nick;
    this.#byNick.set(folded(nick), occupant);
  }

  /** A Matrix user is in the room, or is called something else; says what changed. */
  admit({ userId, name, power }: Pick<RoomMember, "userId" | "name" | "power">): {
    readonly member: Member;
    readonly change: "new" | "nick" | "power" | "none";
    readonly before: string;
  } {
    const known = this.members.get(userId);
    if (!known) {
      const member: Member = { is: "member", key: userId, userId, name, nick: this.#nickOf(userId, name), power };
      this.members.set(userId, member);
      this.#byNick.set(folded(member.nick), member);
      return { member, change: "new", before: member.nick };
    }
    const before = known.nick;
    const hadPower = known.power;
    known.power = power;
    if (known.name !== name) {
      known.name = name;
      this.rename(known, this.#nickOf(userId, name));
      if (known.nick !== before) return { member: known, change: "nick", before };
    }
    return { member: known, change: hadPower === power ? "none" : "power", before };
  }

  dismiss(userId: string): Member | undefined {
    const member = this.members.get(userId);
    if (!member) return undefined;
    this.members.delete(userId);
    this.#release(member);
    return member;
  }

  #nickOf(userId: UserId, name: string): string {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const nick = nickCandidate(name, userId, attempt);
      if (!this.isTaken(nick, userId)) return nick;
    }
    return `matrix-${createHash("sha256").update(userId).digest("hex").slice(0, 16)}`;
  }

  #release(occupant: Occupant): void {
    if (this.#byNick.get(folded(occupant.nick)) === occupant) this.#byNick.delete(folded(occupant.nick));
  }
}

/** What a person who asks for `asked` is called: what servers would drop or rewrite is left out. */
export function nickOfPerson(asked: string, bare: string): string {
  return nickFrom(asked) ?? nickFrom(bare.slice(0, Math.max(1, bare.indexOf("@")))) ?? "guest";
}

function folded(nick: string): string {
  return nick.normalize("NFKC").toLowerCase();
}
