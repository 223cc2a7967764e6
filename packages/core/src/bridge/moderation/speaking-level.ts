import { isRecord } from "../../appservice/event.js";

type Content = Readonly<Record<string, unknown>>;

/** Where the power levels of a room in which not everybody can speak remember what they were before, by the reason. */
const keys = { archived: "dev.trestle.before_closing", moderated: "dev.trestle.before_moderation" } as const;
export type QuietReason = keyof typeof keys;

/** With these people speak; their own levels may be lower than the default. */
const speaking: readonly string[] = ["m.room.message", "m.room.encrypted", "m.reaction", "m.sticker", "m.poll.start"];

/** Whether the bridge made speaking in the room take a power level, for this reason. */
export function isQuiet(content: Content, reason: QuietReason): boolean {
  return isRecord(content[keys[reason]]);
}

/** The power levels of a room in which only people of a level can speak. */
export function quieted(content: Content, reason: QuietReason, level: number): Content {
  if (isQuiet(content, reason)) return content;
  const events = isRecord(content.events) ? content.events : {};
  const lower = speaking.filter((type) => {
    const usual = events[type];
    return typeof usual === "number" && usual < level;
  });
  const before = {
    ...(content.events_default !== undefined && { events_default: content.events_default }),
    events: Object.fromEntries(lower.map((type) => [type, events[type]])),
  };
  const usual = typeof content.events_default === "number" ? content.events_default : 0;
  return {
    ...content,
    events_default: Math.max(usual, level),
    events: { ...events, ...Object.fromEntries(lower.map((type) => [type, level])) },
    [keys[reason]]: before,
  };
}

/** The power levels as they were before; what was changed meanwhile besides stays. */
export function loudAgain(content: Content, reason: QuietReason): Content {
  const { [keys[reason]]: before, ...rest } = content;
  if (!isRecord(before)) return content;
  const { events_default: usual, ...others } = rest;
  const remembered = isRecord(before.events) ? before.events : {};
  const wasGiven = before.events_default !== undefined;
  return {
    ...others,
    ...(wasGiven ? { events_default: before.events_default } : usual !== undefined && { events_default: 0 }),
    events: { ...(isRecord(rest.events) ? rest.events : {}), ...remembered },
  };
}
