import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import { countOf } from "../content/xml.js";
import type { DiscoInfo } from "./disco.js";
import { flagIn, valueIn, type DataForm, type FormField } from "./forms.js";

/** What a room is and can do (XEP-0045 §6.4, §15.5), as `disco#info` tells it. */
export interface RoomInfo {
  readonly name?: string;
  readonly description?: string;
  readonly subject?: string;
  /** How many are in it. */
  readonly occupants?: number;
  /** RFC 5646, such as `en`. */
  readonly language?: string;
  /** The SHA-1 of its picture (XEP-0486), in hexadecimal. */
  readonly avatarHash?: string;
  /** Anybody in it may set its subject. */
  readonly canChangeSubject?: boolean;
  readonly isMembersOnly: boolean;
  /** Only those who were given a voice can speak. */
  readonly isModerated: boolean;
  /** Everybody sees everybody's real JID. */
  readonly isNonAnonymous: boolean;
  readonly hasPassword: boolean;
  readonly isPersistent: boolean;
  /** Nobody finds it who does not know it. */
  readonly isHidden: boolean;
  /** It can be asked for what was said (XEP-0313). */
  readonly hasArchive: boolean;
  /** Its ids are its own (XEP-0359), and so are those of its occupants (XEP-0421). */
  readonly hasStanzaIds: boolean;
  readonly hasOccupantIds: boolean;
  /** It leaves the ids of messages as they are (XEP-0045 §18.3.4). */
  readonly hasStableIds: boolean;
  /** In which ways moderators can take messages away (XEP-0425): today's, that of before, both or none. */
  readonly moderation: readonly ("now" | "before")[];
}

const stableIds = "http://jabber.org/protocol/muc#stable_id";
const selfPing = "http://jabber.org/protocol/muc#self-ping-optimization";

/** Reads what a room tells; `undefined` where what was asked is none. */
export function readRoomInfo(info: DiscoInfo): RoomInfo | undefined {
  const features = new Set(info.features);
  const identity = info.identities.find(({ category }) => category === "conference");
  if (identity === undefined || !features.has(ns.muc)) return undefined;
  const form = info.forms.find(({ formType }) => formType === ns.mucRoomInfo);
  const told = (name: string): string | undefined => form && valueIn(form, `muc#roominfo_${name}`);
  const hash = told("avatarhash")?.toLowerCase() ?? "";
  return given({
    name: identity.name,
    description: told("description"),
    subject: told("subject"),
    occupants: countOf(told("occupants")),
    language: told("lang"),
    avatarHash: /^[0-9a-f]{40}$/.test(hash) ? hash : undefined,
    canChangeSubject: form && subjectFlagIn(form),
    isMembersOnly: features.has("muc_membersonly"),
    isModerated: features.has("muc_moderated"),
    isNonAnonymous: features.has("muc_nonanonymous"),
    hasPassword: features.has("muc_passwordprotected"),
    isPersistent: features.has("muc_persistent"),
    isHidden: features.has("muc_hidden"),
    hasArchive: features.has(ns.mam),
    hasStanzaIds: features.has(ns.stanzaIds),
    hasOccupantIds: features.has(ns.occupantId),
    hasStableIds: features.has(stableIds),
    moderation: [
      ...(features.has(ns.moderation) ? (["now"] as const) : []),
      ...(features.has(ns.oldModeration) ? (["before"] as const) : []),
    ],
  });
}

/** The field that is registered, and that of servers which tell their configuration: there no value is `false`. */
function subjectFlagIn(form: DataForm): boolean | undefined {
  const configured = form.fields.some(({ name }) => name === "muc#roomconfig_changesubject");
  return (
    flagIn(form, "muc#roominfo_subjectmod") ??
    flagIn(form, "muc#roominfo_changesubject") ??
    (configured ? (flagIn(form, "muc#roomconfig_changesubject") ?? false) : undefined)
  );
}

/** What a room of ours tells, in the way in which clients decide whether and how to join it. */
export function writeRoomInfo(room: RoomInfo): DiscoInfo {
  const field = (name: string, value: string | number | undefined): FormField[] =>
    value === undefined ? [] : [{ name: `muc#roominfo_${name}`, values: [String(value)] }];
  const fields = [
    ...field("description", room.description),
    ...field("subject", room.subject),
    ...field("subjectmod", room.canChangeSubject === undefined ? undefined : Number(room.canChangeSubject)),
    ...field("occupants", room.occupants),
    ...field("lang", room.language),
    ...field("avatarhash", room.avatarHash),
  ];
  return {
    identities: [given({ category: "conference", type: "text", name: room.name })],
    features: featuresOf(room),
    forms: [{ type: "result", formType: ns.mucRoomInfo, fields }],
  };
}

function featuresOf(room: RoomInfo): string[] {
  const either = (is: boolean, yes: string, no: string): string => (is ? yes : no);
  const where = (is: boolean, ...features: readonly string[]): readonly string[] => (is ? features : []);
  return [
    ns.muc,
    ns.discoInfo,
    ns.discoItems,
    ns.vcard,
    ns.ping,
    selfPing,
    either(room.isMembersOnly, "muc_membersonly", "muc_open"),
    either(room.isModerated, "muc_moderated", "muc_unmoderated"),
    either(room.isNonAnonymous, "muc_nonanonymous", "muc_semianonymous"),
    either(room.hasPassword, "muc_passwordprotected", "muc_unsecured"),
    either(room.isPersistent, "muc_persistent", "muc_temporary"),
    either(room.isHidden, "muc_hidden", "muc_public"),
    ...where(room.hasArchive, ns.mam, ns.mamExtended),
    ...where(room.hasStanzaIds, ns.stanzaIds),
    ...where(room.hasOccupantIds, ns.occupantId),
    ...where(room.hasStableIds, stableIds),
    ...where(room.moderation.includes("now"), ns.moderation),
    ...where(room.moderation.includes("before"), ns.oldModeration),
  ];
}
