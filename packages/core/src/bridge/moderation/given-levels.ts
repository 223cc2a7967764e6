import { isRecord } from "../../appservice/event.js";

type Content = Readonly<Record<string, unknown>>;

/** Where the power levels of a room remember which of them the bridge gave, and how much. */
const givenKey = "dev.trestle.given";
/** With more users than this named, those with the least power are left out: an event has at most 64 KiB. */
const mostNamed = 300;

/** What the network wants the power levels of a room to say. */
export interface WantedLevels {
  readonly wanted: ReadonlyMap<string, number>;
  /** Whose power is that also where somebody set another one by hand. */
  readonly overruled?: ReadonlySet<string>;
  /** No ghost but those has any. */
  readonly complete: boolean;
  readonly isGhost: (user: string) => boolean;
  /** The most the bridge gives, and takes: less than its bot has. */
  readonly most: number;
  /** Who has more power than any number says (room version 12). */
  readonly creators: ReadonlySet<string>;
}

/**
 * The power levels as the network wants them; the same object where they are so. Power that somebody on Matrix gave or
 * took by hand is left alone.
 */
export function withLevels(
  content: Content,
  { wanted, overruled, complete, isGhost, most, creators }: WantedLevels,
): Content {
  const users = new Map(Object.entries(isRecord(content.users) ? content.users : {}));
  const given = new Map(Object.entries(isRecord(content[givenKey]) ? content[givenKey] : {}));
  const usual = numberOf(content.users_default) ?? 0;
  const all = new Map(wanted);
  if (complete) for (const user of given.keys()) if (isGhost(user) && !all.has(user)) all.set(user, 0);
  let changed = false;
  for (const [user, power] of [...all].sort(([, one], [, other]) => other - one)) {
    const target = Math.max(usual, Math.min(power, most));
    const current = numberOf(users.get(user)) ?? usual;
    if (creators.has(user) || current > most) continue;
    if (current === target) {
      if (target === usual) changed = given.delete(user) || changed;
      continue;
    }
    const byHand = overruled?.has(user) !== true && current !== (numberOf(given.get(user)) ?? usual);
    if (byHand || (!users.has(user) && users.size >= mostNamed)) continue;
    changed = true;
    if (target === usual) {
      users.delete(user);
      given.delete(user);
    } else {
      users.set(user, target);
      given.set(user, target);
    }
  }
  if (!changed) return content;
  const { [givenKey]: _before, ...rest } = content;
  const remembered = given.size > 0 && { [givenKey]: Object.fromEntries(given) };
  return { ...rest, users: Object.fromEntries(users), ...remembered };
}

/** What somebody has by the power levels alone. */
export function levelOf(content: Content, user: string): number {
  const users = isRecord(content.users) ? content.users : {};
  return numberOf(users[user]) ?? numberOf(content.users_default) ?? 0;
}

/** What sending a state event of a type takes. */
export function levelToSet(content: Content, type: string): number {
  const events = isRecord(content.events) ? content.events : {};
  return numberOf(events[type]) ?? numberOf(content.state_default) ?? 50;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
