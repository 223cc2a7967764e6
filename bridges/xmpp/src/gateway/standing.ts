import type { PowerNeeded } from "@trestle/core";
import { element, ns, type Affiliation, type Role, type XmlElement } from "../content/index.js";

/** What somebody may do in a room, in the terms of XEP-0045 §5. */
export interface Standing {
  readonly affiliation: Affiliation;
  readonly role: Role;
}

/** From the power level in the Matrix room: 100 owns it, who may remove people moderates, who may not speak only visits. */
export function standingOf(power: number, needed: PowerNeeded): Standing {
  const affiliation = power >= 100 ? "owner" : power >= 50 ? "admin" : power > needed.usual ? "member" : "none";
  if (power >= needed.kick) return { affiliation, role: "moderator" };
  return { affiliation, role: power >= needed.speak ? "participant" : "visitor" };
}

/** The title that goes with a power level (XEP-0317); none for most. */
export function hatsOf(power: number): XmlElement | undefined {
  const [uri, title] =
    power >= 100 ? ["admin", "Room administrator"] : power >= 50 ? ["moderator", "Room moderator"] : [];
  if (uri === undefined) return undefined;
  return element("hats", { xmlns: ns.hats }, element("hat", { uri: `urn:trestle:matrix-power:${uri}`, title }));
}
