import { readFile, type SlackFile } from "./file.js";
import { flagIn, given, listIn, numberIn, recordIn, recordsIn, textIn, textsIn, type JsonRecord } from "./json.js";
import { isRecord } from "./json.js";

/** A message as Slack gives it in events and histories, as far as its parts are of the type they should be. */
export interface SlackMessage {
  readonly subtype?: string;
  /** The id within the channel: digits, a point, digits. Never a number. */
  readonly ts?: string;
  /** The first message of the thread, also on that message itself. */
  readonly threadTs?: string;
  readonly user?: string;
  /** The workspace of the sender; of another one in a shared channel. */
  readonly team?: string;
  readonly botId?: string;
  readonly appId?: string;
  /** The name an app gave this one message, with Slack's escapes decoded. */
  readonly username?: string;
  readonly icons?: SlackIcons;
  readonly botProfile?: SlackBotProfile;
  readonly text: string;
  /** Whether `*`, `_` and `~` in the text are formatting. */
  readonly mrkdwn: boolean;
  readonly blocks: readonly JsonRecord[];
  readonly attachments: readonly JsonRecord[];
  readonly files: readonly SlackFile[];
  readonly edited?: { readonly ts: string; readonly user?: string };
  readonly metadata?: { readonly type: string; readonly payload: JsonRecord };
  readonly reactions: readonly SlackReaction[];
  /** The id that the sender's client made up. */
  readonly clientId?: string;
  readonly hidden: boolean;
  readonly replyCount?: number;
  /** The call of a huddle. */
  readonly room?: JsonRecord;
}

/** The pictures of an app's message. */
export interface SlackIcons {
  /** With its colons, e.g. `:robot_face:`. */
  readonly emoji?: string;
  /** The largest picture that is there. */
  readonly image?: string;
}

/** What a message tells of the app that sent it. */
export interface SlackBotProfile {
  readonly id?: string;
  readonly appId?: string;
  readonly team?: string;
  readonly name?: string;
  readonly icons?: SlackIcons;
}

/** Who reacted to a message with one emoji. */
export interface SlackReaction {
  /** Without colons, with a skin tone where it has one. */
  readonly name: string;
  /** Not always everybody: `count` is right. */
  readonly users: readonly string[];
  readonly count: number;
}

const nothing: SlackMessage = {
  text: "",
  mrkdwn: true,
  blocks: [],
  attachments: [],
  files: [],
  reactions: [],
  hidden: false,
};

/** Reads a message. Any value has a result: what is not of the type it should be is left out. */
export function readMessage(value: unknown): SlackMessage {
  if (!isRecord(value)) return nothing;
  return given({
    subtype: textIn(value, "subtype"),
    ts: textIn(value, "ts"),
    threadTs: textIn(value, "thread_ts"),
    user: textIn(value, "user"),
    team: textIn(value, "user_team") ?? textIn(value, "team"),
    botId: textIn(value, "bot_id"),
    appId: textIn(value, "app_id"),
    username: nameIn(value, "username"),
    icons: iconsOf(recordIn(value, "icons")),
    botProfile: botProfileOf(recordIn(value, "bot_profile")),
    text: textIn(value, "text") ?? "",
    mrkdwn: value.mrkdwn !== false,
    blocks: recordsIn(value, "blocks"),
    attachments: recordsIn(value, "attachments"),
    files: filesOf(value),
    edited: editedOf(recordIn(value, "edited")),
    metadata: metadataOf(recordIn(value, "metadata")),
    reactions: recordsIn(value, "reactions").flatMap(reactionOf),
    clientId: textIn(value, "client_msg_id"),
    hidden: flagIn(value, "hidden"),
    replyCount: numberIn(value, "reply_count"),
    room: recordIn(value, "room"),
  });
}

function filesOf(message: JsonRecord): readonly SlackFile[] {
  const files = listIn(message, "files");
  // What was uploaded before 2018 has one file, by another name.
  return (files.length === 0 && isRecord(message.file) ? [message.file] : files).filter(isRecord).map(readFile);
}

function editedOf(edited: JsonRecord | undefined): SlackMessage["edited"] {
  const ts = edited === undefined ? undefined : textIn(edited, "ts");
  return edited === undefined || ts === undefined ? undefined : given({ ts, user: textIn(edited, "user") });
}

function metadataOf(metadata: JsonRecord | undefined): SlackMessage["metadata"] {
  const type = metadata === undefined ? undefined : textIn(metadata, "event_type");
  return metadata === undefined || type === undefined
    ? undefined
    : { type, payload: recordIn(metadata, "event_payload") ?? {} };
}

function reactionOf(reaction: JsonRecord): SlackReaction[] {
  const name = textIn(reaction, "name");
  const users = textsIn(reaction, "users");
  return name === undefined ? [] : [{ name, users, count: numberIn(reaction, "count") ?? users.length }];
}

function botProfileOf(profile: JsonRecord | undefined): SlackBotProfile | undefined {
  return profile === undefined
    ? undefined
    : given({
        id: textIn(profile, "id"),
        appId: textIn(profile, "app_id"),
        team: textIn(profile, "team_id"),
        name: nameIn(profile, "name"),
        icons: iconsOf(recordIn(profile, "icons")),
      });
}

function iconsOf(icons: JsonRecord | undefined): SlackIcons | undefined {
  if (icons === undefined) return undefined;
  const sizes = Object.keys(icons).flatMap((key) => {
    const size = /^image_(\d{1,5})$/.exec(key)?.[1];
    return size === undefined ? [] : [[Number(size), textIn(icons, key)] as const];
  });
  const image = sizes.filter(([, url]) => url !== undefined).sort(([a], [b]) => b - a)[0]?.[1];
  const emoji = textIn(icons, "emoji");
  return image === undefined && emoji === undefined ? undefined : given({ emoji, image });
}

/** A name; Slack escapes `&`, `<` and `>` in it as it does in text. */
function nameIn(record: JsonRecord, field: string): string | undefined {
  const name = textIn(record, field);
  return name === undefined ? undefined : decodeEntities(name);
}

/** Decodes the three escapes that Slack has, once: `&amp;lt;` becomes `&lt;`. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:amp|lt|gt);/g, (entity) => (entity === "&amp;" ? "&" : entity === "&lt;" ? "<" : ">"));
}
