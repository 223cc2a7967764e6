import { LRUCache } from "lru-cache";
import { atMost } from "../../mapping/cache-bound.js";
import { globMatches, isGlob } from "./glob.js";
import { keyOf, type PolicyKind, policyKinds, type PolicyRule, policyTypeOf } from "./rule.js";

/** Of one list; what is longer is none that anybody follows. */
export const mostRules = 100_000;

/** Whom all policy lists of a bridge together ban. Each user and room is looked up once, until the rules change. */
export class PolicyRules {
  /** By list, then by type and state key. */
  readonly #lists = new Map<string, Map<string, PolicyRule>>();
  readonly #users = new LRUCache<string, boolean>(atMost(20_000));
  readonly #rooms = new LRUCache<string, boolean>(atMost(20_000));
  #compiled: Readonly<Record<PolicyKind, Entities>> | undefined;
  #count = 0;

  /** No list bans anybody. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** How many events of a list ban somebody. */
  bansIn(list: string): number {
    return [...(this.#lists.get(list)?.values() ?? [])].filter(({ entity }) => entity !== null).length;
  }

  of(list: string): readonly PolicyRule[] {
    return [...(this.#lists.get(list)?.values() ?? [])];
  }

  /** Returns whether that changed anything; what a full list cannot hold does not. */
  set(list: string, rule: PolicyRule): boolean {
    const rules = this.#lists.get(list) ?? new Map<string, PolicyRule>();
    this.#lists.set(list, rules);
    const key = keyOf(rule);
    const before = rules.get(key);
    if (before ? before.entity === rule.entity : rules.size >= mostRules) return false;
    rules.set(key, rule);
    this.#count += before ? 0 : 1;
    this.#forget();
    return true;
  }

  /** It is in the room's state no longer. */
  delete(list: string, rule: PolicyRule): void {
    if (this.#lists.get(list)?.delete(keyOf(rule)) !== true) return;
    this.#count -= 1;
    this.#forget();
  }

  /** By their id or their server, without its port too, as the access lists of rooms do it. */
  bansUser(user: string): boolean {
    if (this.isEmpty) return false;
    const known = this.#users.get(user);
    if (known !== undefined) return known;
    const { user: users, server: servers } = this.#entities;
    const server = user.slice(user.indexOf(":") + 1).toLowerCase();
    const banned = users.include(user) || servers.include(server) || servers.include(server.replace(/:\d+$/, ""));
    this.#users.set(user, banned);
    return banned;
  }

  /** By a room's id or alias. */
  bansRoom(room: string): boolean {
    if (this.isEmpty) return false;
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const banned = this.#entities.room.include(room);
    this.#rooms.set(room, banned);
    return banned;
  }

  get #entities(): Readonly<Record<PolicyKind, Entities>> {
    return (this.#compiled ??= compile([...this.#lists.values()]));
  }

  #forget(): void {
    this.#compiled = undefined;
    this.#users.clear();
    this.#rooms.clear();
  }
}

/** Ids and globs; most rules are ids. */
class Entities {
  readonly #literal = new Set<string>();
  readonly #globs = new Set<string>();

  add(entity: string): void {
    (isGlob(entity) ? this.#globs : this.#literal).add(entity);
  }

  include(id: string): boolean {
    if (this.#literal.has(id)) return true;
    for (const glob of this.#globs) if (globMatches(glob, id)) return true;
    return false;
  }
}

function compile(lists: readonly ReadonlyMap<string, PolicyRule>[]): Readonly<Record<PolicyKind, Entities>> {
  const entities = { user: new Entities(), server: new Entities(), room: new Entities() };
  for (const rules of lists) {
    const ages = latestAges(rules.values());
    for (const { type, stateKey, entity } of rules.values()) {
      const known = policyTypeOf(type);
      if (!known || entity === null || ages[known.kind].get(stateKey) !== known.age) continue;
      entities[known.kind].add(known.kind === "server" ? entity.toLowerCase() : entity);
    }
  }
  return entities;
}

/** Under which name of its type each state key counts. */
function latestAges(rules: Iterable<PolicyRule>): Readonly<Record<PolicyKind, Map<string, number>>> {
  const ages = Object.fromEntries(policyKinds.map((kind) => [kind, new Map<string, number>()])) as Record<
    PolicyKind,
    Map<string, number>
  >;
  for (const { type, stateKey } of rules) {
    const known = policyTypeOf(type);
    if (known) ages[known.kind].set(stateKey, Math.min(known.age, ages[known.kind].get(stateKey) ?? known.age));
  }
  return ages;
}
