import { isRecord } from "../../appservice/event.js";
import type { ChannelSettings } from "../../connector/roles.js";
import { levelToSet } from "./given-levels.js";
import { isQuiet, loudAgain, quieted } from "./speaking-level.js";

type Content = Readonly<Record<string, unknown>>;

/** Where state that the bridge made stricter remembers what it was, and because of which channels. */
const beforeKey = "dev.trestle.before";
const becauseKey = "dev.trestle.because";
const topicKey = "dev.trestle.before_topic";

/** Nobody walks in. */
export const closedRoom: Content = { join_rule: "invite" };
/** History is for who was there. */
export const hiddenHistory: Content = { history_visibility: "joined" };

/** The levels that the settings of a channel are. */
export interface SettingLevels {
  readonly speaker: number;
  readonly moderator: number;
}

/** The power levels of a room by how its channel is set; the same object where they are so. */
export function levelsBySettings(content: Content, settings: ChannelSettings, levels: SettingLevels): Content {
  return topicLevel(speakingLevel(content, settings.moderated, levels.speaker), settings.topicLocked, levels.moderator);
}

function speakingLevel(content: Content, moderated: boolean | undefined, speaker: number): Content {
  // A room that is closed stays so until its channel is open again.
  if (moderated === undefined || isQuiet(content, "archived") || isQuiet(content, "moderated") === moderated)
    return content;
  return moderated ? quieted(content, "moderated", speaker) : loudAgain(content, "moderated");
}

function topicLevel(content: Content, locked: boolean | undefined, moderator: number): Content {
  if (locked === undefined || isTopicLocked(content) === locked) return content;
  const { [topicKey]: before, ...rest } = content;
  const events = isRecord(content.events) ? content.events : {};
  if (!locked) {
    const was = events["m.room.topic"] ?? null;
    return { ...rest, events: { ...events, "m.room.topic": usualLevel(content) }, [topicKey]: { level: was } };
  }
  const { "m.room.topic": _now, ...others } = events;
  const level = isRecord(before) ? before.level : moderator;
  const restored = { ...rest, events: { ...others, ...(typeof level === "number" && { "m.room.topic": level }) } };
  return isTopicLocked(restored) ? restored : { ...restored, events: { ...others, "m.room.topic": moderator } };
}

/** What a channel wants, and which channels the room is linked to. */
export interface Demand {
  readonly channel: string;
  readonly reasons: Readonly<Record<string, boolean | undefined>>;
  readonly linked: ReadonlySet<string>;
}

/**
 * State that is made stricter while a linked channel gives a reason for it, and is then what it was before; the same object where it is so.
 * What people on Matrix set meanwhile stays.
 */
export function demanded(content: Content, strict: Content, { channel, reasons, linked }: Demand): Content {
  const { [beforeKey]: before, [becauseKey]: noted, ...current } = content;
  const because = new Map<string, readonly string[]>();
  for (const [id, list] of Object.entries(isRecord(noted) ? noted : {}))
    if (linked.has(id) && Array.isArray(list))
      because.set(
        id,
        list.filter((each) => typeof each === "string"),
      );
  const given = Object.entries(reasons).filter(
    ([reason, holds]) => holds !== undefined && !(holds && isMet(current, reason)),
  );
  const others = (because.get(channel) ?? []).filter((each) => !given.some(([reason]) => reason === each));
  const mine = [...others, ...given.filter(([, holds]) => holds).map(([reason]) => reason)].sort();
  if (mine.length > 0) because.set(channel, mine);
  else because.delete(channel);
  const isStrict = Object.entries(strict).every(([key, value]) => current[key] === value);
  if (because.size === 0) {
    if (!isRecord(before)) return content;
    return isStrict ? before : current;
  }
  const reasonsNow = Object.fromEntries(because);
  if (isStrict && JSON.stringify(noted) === JSON.stringify(reasonsNow)) return content;
  const was = isRecord(before) && isStrict ? before : current;
  return { ...current, ...strict, [beforeKey]: was, [becauseKey]: reasonsNow };
}

/** Whether people on Matrix have set a room in a way of their own that is no less strict. */
function isMet({ join_rule: rule, history_visibility: history }: Content, reason: string): boolean {
  return reason === "keyed" ? isRestricted(rule) : reason === "secret" && history === "invited";
}

/** Who is in certain other rooms may come in: on networks, who knows a password. */
function isRestricted(rule: unknown): boolean {
  return rule === "restricted" || rule === "knock_restricted";
}

/** The first state of a room that is made for a channel. */
export function initialState(
  channel: string,
  { inviteOnly, keyed, secret }: ChannelSettings,
): readonly { readonly type: string; readonly content: Content }[] {
  const linked = new Set([channel]);
  const state = (type: string, usual: Content, strict: Content, reasons: Demand["reasons"]) => {
    const content = demanded(usual, strict, { channel, reasons, linked });
    return content === usual ? [] : [{ type, content }];
  };
  return [
    ...state("m.room.join_rules", { join_rule: "public" }, closedRoom, { inviteOnly, keyed }),
    ...state("m.room.history_visibility", { history_visibility: "shared" }, hiddenHistory, { secret }),
  ];
}

/** How a channel is to be set because the power levels of its room changed. */
export function settingsOfLevels(before: Content, now: Content): ChannelSettings {
  const moderated = isModerated(now);
  const topicLocked = isTopicLocked(now);
  return {
    ...(moderated !== isModerated(before) && { moderated }),
    ...(topicLocked !== isTopicLocked(before) && { topicLocked }),
  };
}

/** The same because who can join changed. A key that somebody on the network set goes only when the room is opened. */
export function settingsOfJoinRules(before: Content, now: Content): ChannelSettings {
  const [was, is] = [before.join_rule, now.join_rule];
  const hadKey = isRestricted(was) || isBecause(before, "keyed");
  const keyed = isRestricted(is) || (is !== "public" && isBecause(before, "keyed"));
  const inviteOnly = is !== "public";
  const isOther = inviteOnly !== (was !== "public") || isRestricted(was) !== isRestricted(is);
  return { ...(isOther && { inviteOnly }), ...(keyed !== hadKey && { keyed }) };
}

/** The same because who can read what was said before they came changed. */
export function settingsOfHistory(before: Content, now: Content): ChannelSettings {
  const secret = isHidden(now);
  return secret === isHidden(before) ? {} : { secret };
}

function isHidden({ history_visibility: history }: Content): boolean {
  return history === "joined" || history === "invited";
}

/** Whether a linked channel was the reason for how the room is. */
function isBecause({ [becauseKey]: noted }: Content, reason: string): boolean {
  return isRecord(noted) && Object.values(noted).some((list) => Array.isArray(list) && list.includes(reason));
}

function isModerated(content: Content): boolean {
  return typeof content.events_default === "number" && content.events_default > usualLevel(content);
}

function isTopicLocked(content: Content): boolean {
  return levelToSet(content, "m.room.topic") > usualLevel(content);
}

function usualLevel(content: Content): number {
  return typeof content.users_default === "number" ? content.users_default : 0;
}
