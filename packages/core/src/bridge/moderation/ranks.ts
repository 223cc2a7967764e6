import type { BridgeConfig } from "../../config/schema.js";
import { roles, type Role } from "../../connector/roles.js";
import type { LinkKind } from "../../mapping/links.js";

/** The power level of each rank. */
export type Powers = BridgeConfig["roles"]["powers"];

export function powerOf(role: Role, powers: Powers): number {
  return role === "none" ? 0 : powers[role];
}

/** The highest rank that a power level reaches. */
export function roleOf(power: number, powers: Powers): Role {
  // Where several ranks have one level, it stands for the lowest: nobody is given more than they have.
  const reached = roles.filter((role) => powerOf(role, powers) <= power);
  const highest = Math.max(0, ...reached.map((role) => powerOf(role, powers)));
  return reached.filter((role) => powerOf(role, powers) === highest).at(-1) ?? "none";
}

type Rules = BridgeConfig["roles"] | BridgeConfig["channelSettings"];

/** Whether the operator lets the one side change the other, in a room that is linked in this way. */
export function isCarried(rules: Rules, kind: LinkKind, way: "toMatrix" | "toNetwork"): boolean {
  if (kind === "direct") return false;
  const rule = kind === "portal" ? rules.portals : rules.plumbed;
  return rule === way || rule === "both";
}
