import { isRecord } from "../../appservice/event.js";

type Content = Readonly<Record<string, unknown>>;

/** Where the power levels of a room that was made read-only remember what they were before. */
const beforeKey = "dev.trestle.before_closing";
const moderator = 50;
/** With these people speak; their own levels may be lower than the default. */
const speaking: readonly string[] = ["m.room.message", "m.room.encrypted", "m.reaction", "m.sticker", "m.poll.start"];

/** Whether the bridge made the room read-only. */
export function isClosed(content: Content): boolean {
  return isRecord(content[beforeKey]);
}

/** The power levels of a room in which only moderators can speak. */
export function closed(content: Content): Content {
  if (isClosed(content)) return content;
  const events = isRecord(content.events) ? content.events : {};
  const lower = speaking.filter((type) => {
    const level = events[type];
    return typeof level === "number" && level < moderator;
  });
  const before = {
    ...(content.events_default !== undefined && { events_default: content.events_default }),
    events: Object.fromEntries(lower.map((type) => [type, events[type]])),
  };
  const usual = typeof content.events_default === "number" ? content.events_default : 0;
  return {
    ...content,
    events_default: Math.max(usual, moderator),
    events: { ...events, ...Object.fromEntries(lower.map((type) => [type, moderator])) },
    [beforeKey]: before,
  };
}

/** The power levels as they were before; what was changed meanwhile besides stays. */
export function opened(content: Content): Content {
  const { [beforeKey]: before, ...rest } = content;
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
