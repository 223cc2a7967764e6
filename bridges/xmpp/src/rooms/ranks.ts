import type { Role } from "@trestle/core";
import type { Affiliation, MucItem, Role as MucRole } from "../content/index.js";

/** What of a room's configuration decides what a rank is. */
export interface RankRules {
  readonly moderated: boolean;
  readonly membersOnly: boolean;
}

/** One change of `muc#admin`: a query changes either the affiliation or the role (XEP-0045 §8, §9). */
export type RankStep = { readonly affiliation: Affiliation } | { readonly role: MucRole };

/** Somebody's rank by what a room shows of them: a voice is one only where not everybody has it. */
export function rankOf({ affiliation, role }: MucItem, { moderated }: Pick<RankRules, "moderated">): Role {
  if (affiliation === "owner" || affiliation === "admin") return affiliation;
  if (role === "moderator") return "moderator";
  return moderated && role === "participant" ? "speaker" : "none";
}

/** What makes somebody whom the room shows as `now` have a rank; without a role in `now` they are not in the room. */
export function stepsTowards(wanted: Role, now: MucItem, rules: RankRules): readonly RankStep[] {
  if (wanted === "owner" || wanted === "admin") return now.affiliation === wanted ? [] : [{ affiliation: wanted }];
  const steps: RankStep[] = [];
  // Owners and admins are moderators for as long as they are that; whoever is none in a room for members is put out.
  const isAffiliated = now.affiliation === "owner" || now.affiliation === "admin";
  if (isAffiliated) steps.push({ affiliation: wanted === "none" && !rules.membersOnly ? "none" : "member" });
  const role = roleFor(wanted, rules);
  const isHere = now.role !== undefined && now.role !== "none";
  if (isHere && (isAffiliated || now.role !== role)) steps.push({ role });
  return steps;
}

/** XMPP has no helpers: they are the next lower rank. */
function roleFor(wanted: Role, { moderated }: RankRules): MucRole {
  if (wanted === "moderator") return "moderator";
  return moderated && wanted === "none" ? "visitor" : "participant";
}
