import { z } from "zod";

export const policyKinds = ["user", "server", "room"] as const;
/** What a rule is about. */
export type PolicyKind = (typeof policyKinds)[number];

/** The latest name first: where there is an event under it, those of older names with the same state key do not count. */
const prefixes = ["m.policy.rule.", "m.room.rule.", "org.matrix.mjolnir.rule."] as const;

interface PolicyType {
  readonly kind: PolicyKind;
  /** How old its name is, 0 the latest. */
  readonly age: number;
}

const types: ReadonlyMap<string, PolicyType> = new Map(
  policyKinds.flatMap((kind) => prefixes.map((prefix, age) => [`${prefix}${kind}`, { kind, age }])),
);

/** What is longer matches no id, and has no place in memory; ids have 255 bytes at most. */
const longestEntity = 512;

const ban = z.object({
  entity: z.string().min(1).max(longestEntity),
  recommendation: z.enum([
    "m.ban",
    "org.matrix.mjolnir.ban",
    // MSC4204: a ban, and the removal of what was said.
    "m.takedown",
    "org.matrix.msc4204.takedown",
  ]),
});

/** A state event of a policy list. */
export interface PolicyRule {
  readonly type: string;
  readonly stateKey: string;
  /** Whom it bans: an id or a glob; `null` where it bans nobody, or no longer. */
  readonly entity: string | null;
}

/** `undefined`: it is no type of a policy list. */
export function policyTypeOf(type: string): PolicyType | undefined {
  return types.get(type);
}

/** Reads a state event of a policy list (Matrix specification, "Moderation policy lists"; MSC2313). */
export function readRule(type: string, stateKey: string, content: unknown): PolicyRule {
  const read = ban.safeParse(content);
  return { type, stateKey, entity: read.success ? read.data.entity : null };
}

/** Under which it is one of the room's state. */
export function keyOf({ type, stateKey }: Pick<PolicyRule, "type" | "stateKey">): string {
  return `${type} ${stateKey}`;
}
