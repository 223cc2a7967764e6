import { localOfUser } from "../address/index.js";
import {
  element,
  mucUser,
  occupantId,
  textElement,
  writePresence,
  type Availability,
  type Destroyed,
  type MucItem,
  type XmlElement,
} from "../content/index.js";
import { occupantIdOf, type GatewayParts } from "./parts.js";
import type { Occupant, Person } from "./roster.js";
import { hatsOf, type Standing } from "./standing.js";

/** What a presence of a room says. */
export interface Shown {
  readonly occupant: Occupant;
  readonly power: number;
  readonly standing: Standing;
  /** Numbers of XEP-0045 §15.6.2. */
  readonly statuses?: readonly number[];
  /** The occupant is no longer here, or no longer under this nick. */
  readonly gone?: {
    readonly nick?: string;
    readonly newNick?: string;
    readonly item?: Pick<MucItem, "reason" | "actor">;
    readonly affiliation?: Standing["affiliation"];
    readonly destroyed?: Destroyed;
  };
}

/** The address of a person or a Matrix user, for everybody to see. */
export function addressOf({ config }: GatewayParts, occupant: Occupant): string {
  if (occupant.is === "member") return `${localOfUser(occupant.userId)}@${config.domain}`;
  return [...occupant.sessions.keys()].at(-1) ?? occupant.key;
}

/** The presence of somebody in a room (XEP-0045 §7.2.3), or that they left it; without a recipient. */
export function presenceOf(parts: GatewayParts, room: string, shown: Shown): XmlElement {
  const { occupant, power, standing, statuses = [], gone } = shown;
  const told = gone || occupant.is === "member" ? undefined : toldBy(occupant);
  const item: MucItem = {
    affiliation: gone?.affiliation ?? standing.affiliation,
    role: gone && gone.newNick === undefined ? "none" : standing.role,
    jid: addressOf(parts, occupant),
    ...(gone?.newNick !== undefined && { nick: gone.newNick }),
    ...gone?.item,
  };
  return writePresence({
    from: `${room}/${gone?.nick ?? occupant.nick}`,
    ...(gone && { type: "unavailable" }),
    ...(told?.show !== undefined && { show: told.show }),
    ...(told?.status !== undefined && { status: told.status.slice(0, 1_000) }),
    extra: [
      mucUser({ items: [item], statuses, ...(gone?.destroyed && { destroyed: gone.destroyed }) }),
      occupantId(occupantIdOf(parts, room, occupant.key)),
      ...(gone ? [] : [hatsOf(power) ?? []].flat()),
    ],
  });
}

/** That the room goes, to whom nothing else is known of. */
export function outPresence(room: string, nick: string, statuses: readonly number[]): XmlElement {
  const user = mucUser({ items: [{ affiliation: "none", role: "none" }], statuses: [110, ...statuses] });
  return writePresence({ from: `${room}/${nick}`, type: "unavailable", extra: [user] });
}

function toldBy(person: Person): Availability | undefined {
  return [...person.sessions.values()].at(-1);
}

/** The room's subject (XEP-0045 §7.2.15), which ends what is sent to who joins. */
export function subjectMessage(room: string, subject: string): XmlElement {
  return element("message", { from: room, type: "groupchat" }, textElement("subject", subject));
}
