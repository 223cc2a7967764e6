import { parseJson, UserId, type ConnectorStorage } from "@trestle/core";
import { z } from "zod";

const storedSchema = z.object({ sees: z.boolean(), seen: z.enum(["no", "asked", "yes"]) });

/** Who sees whose presence, between a person on XMPP and a Matrix user. */
export type Subscription = Readonly<z.output<typeof storedSchema>>;

const none: Subscription = { sees: false, seen: "no" };
const prefix = "subscription ";

/** The presence subscriptions (RFC 6121 §3) of Matrix users. Kept, for servers ask for them only once. */
export class Subscriptions {
  readonly #all = new Map<UserId, Map<string, Subscription>>();
  #count = 0;

  constructor(
    private readonly storage: ConnectorStorage,
    private readonly most: number,
  ) {}

  get isFull(): boolean {
    return this.#count >= this.most;
  }

  async load(): Promise<void> {
    for (const key of await this.storage.keys(prefix)) {
      const [user, person] = key.slice(prefix.length).split(" ");
      const stored = parseJson((await this.storage.get(key)) ?? "", storedSchema);
      if (user !== undefined && person !== undefined && stored) this.#put(UserId(user), person, stored);
    }
  }

  of(user: UserId, person: string): Subscription {
    return this.#all.get(user)?.get(person) ?? none;
  }

  /** Who sees a Matrix user's presence. */
  watchersOf(user: UserId): readonly string[] {
    return [...(this.#all.get(user) ?? [])].flatMap(([person, { sees }]) => (sees ? [person] : []));
  }

  /** Matrix users whose presence somebody sees. */
  get watched(): readonly UserId[] {
    return [...this.#all.keys()];
  }

  /** Resolves when it is on disk. */
  async change(user: UserId, person: string, change: Partial<Subscription>): Promise<void> {
    const before = this.of(user, person);
    const after = { ...before, ...change };
    if (after.sees === before.sees && after.seen === before.seen) return;
    this.#put(user, person, after);
    const key = `${prefix}${user} ${person}`;
    if (after.sees || after.seen !== "no") await this.storage.set(key, JSON.stringify(after));
    else await this.storage.delete(key);
  }

  #put(user: UserId, person: string, subscription: Subscription): void {
    const people = this.#all.get(user) ?? new Map<string, Subscription>();
    this.#count -= people.size;
    if (subscription.sees || subscription.seen !== "no") people.set(person, subscription);
    else people.delete(person);
    this.#count += people.size;
    if (people.size > 0) this.#all.set(user, people);
    else this.#all.delete(user);
  }
}
