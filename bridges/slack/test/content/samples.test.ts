import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { isRecord, listIn } from "../../dist/content/json.js";
import { envelopeOutcome, historyOutcome, readMessage, readContent, type Outcome } from "../../dist/content/index.js";
import { faults, names } from "./support.js";

const samples = fileURLToPath(new URL("../../../../../shared/data/slack-samples", import.meta.url));
const hasSamples = existsSync(samples);
if (!hasSamples) process.stdout.write("skipped: Slack's samples, for ../shared/data/slack-samples is absent\n");
const withSamples = hasSamples ? describe : describe.skip;

const load = (path: string): unknown => JSON.parse(readFileSync(join(samples, path), "utf8"));

/** Everything under one name, wherever it stands. */
function everyList(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value.flatMap((item) => everyList(item, name));
  if (!isRecord(value)) return [];
  return [...listIn(value, name), ...Object.values(value).flatMap((inside) => everyList(inside, name))];
}

/** The sample with something in place of what was blanked. */
function filled(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => filled(item, key));
  if (isRecord(value))
    return Object.fromEntries(Object.entries(value).map(([name, inside]) => [name, filled(inside, name)]));
  if (value !== "") return value;
  if (/(?:^|_)ts$|latest/.test(key)) return "1700000000.000100";
  if (/user|creator|inviter|actor/.test(key)) return "U1";
  if (/channel/.test(key)) return "C1";
  if (/team/.test(key)) return "T1";
  if (/url|link/.test(key)) return "https://example.org/x";
  if (/^(?:id|.*_id)$/.test(key)) return "X1";
  return key === "type" || key === "subtype" ? value : `some ${key}`;
}

const inApi = [
  "chat.postMessage",
  "conversations.history",
  "conversations.replies",
  "reactions.add",
  "reactions.get",
  "reactions.remove",
];
const events = hasSamples ? readdirSync(join(samples, "events")).filter((file) => file.endsWith(".json")) : [];

/** What a sample means once its blanks are filled, by its file. */
const meant: Readonly<Record<string, string>> = {
  AppRateLimited: "rateLimited",
  AppUninstalled: "uninstalled",
  ChannelArchive: "channelArchived",
  ChannelIdChanged: "channelId",
  ChannelLeft: "channelGone",
  ChannelRename: "channelName",
  ChannelShared: "channelShared",
  ChannelUnarchive: "channelArchived",
  ChannelUnshared: "channelShared",
  EmojiChanged: "emoji",
  FileChange: "fileChanged",
  FileDeleted: "fileDeleted",
  GridMigrationStarted: "gridMigration",
  GroupArchive: "channelArchived",
  GroupDeleted: "channelGone",
  GroupLeft: "channelGone",
  GroupRename: "channelName",
  MemberLeftChannel: "membership",
  MessageBot: "message",
  MessageChannelTopic: "channelTopic",
  MessageDeleted: "deletion",
  MessageMe: "message",
  Message: "message",
  MessageThreadBroadcast: "message",
  PinAdded: "pin",
  ReactionRemoved: "reaction",
  SubteamCreated: "usergroup",
  SubteamUpdated: "usergroup",
  TeamDomainChange: "teamDomain",
  TeamRename: "teamName",
  UserChange: "user",
  UserProfileChanged: "user",
  UserStatusChanged: "user",
};

function expectTyped(outcome: Outcome): void {
  if (outcome.outcome === "ignored") expect(outcome.reason).toMatch(/\S/);
  if (outcome.outcome !== "bridged") expect(outcome.type).toMatch(/\S/);
  expect(JSON.stringify(outcome)).not.toMatch(/undefined|\[object /);
  if (outcome.outcome === "bridged" && "message" in outcome.what) {
    const { body, files } = readContent(outcome.what.message, { names, previews: true });
    if (files.length === 0) expect(faults(body)).toEqual([]);
  }
}

withSamples("Slack's samples of events", () => {
  it("are there", () => {
    expect(events.length).toBeGreaterThan(60);
  });

  it.each(events)("%s has an outcome, as it is and with its blanks filled", (file) => {
    const sample = load(`events/${file}`);
    expectTyped(envelopeOutcome(sample));
    const outcome = envelopeOutcome(filled(sample));
    expectTyped(outcome);
    const kind = meant[file.replace(/Payload\.json$/, "")];
    if (kind === undefined) expect(outcome.outcome).toBe("ignored");
    else expect(outcome).toMatchObject({ outcome: "bridged", what: { kind } });
  });
});

withSamples.each(inApi)("the sample of %s", (method) => {
  const sample = hasSamples ? load(`api/${method}.json`) : {};
  const versions = [sample, filled(sample)];

  it.each(["blocks", "message_blocks"])("has only %s that can be shown", (name) => {
    for (const version of versions) {
      for (const block of everyList(version, name)) {
        expect(faults(readContent(readMessage({ text: "", blocks: [block] }), { names }).body)).toEqual([]);
      }
    }
  });

  it("has only attachments that can be shown", () => {
    for (const version of versions) {
      for (const attachment of everyList(version, "attachments")) {
        const message = readMessage({ text: "", attachments: [attachment] });
        expect(faults(readContent(message, { names, previews: true }).body)).toEqual([]);
      }
    }
  });

  it("has only messages that have an outcome", () => {
    for (const version of versions) {
      const messages = [...everyList(version, "messages"), ...(isRecord(version) ? [version.message] : [])];
      for (const message of messages) expectTyped(historyOutcome(message, "C1"));
    }
  });
});

withSamples("a block of the samples with its blanks filled", () => {
  it("shows what it has, not that it is empty", () => {
    const all = everyList(filled(load("api/chat.postMessage.json")), "blocks");
    const types = new Set<unknown>();
    for (const block of all) {
      const { body } = readContent(readMessage({ text: "", blocks: [block] }), { names });
      types.add(isRecord(block) ? block.type : undefined);
      expect([block, JSON.stringify(body).includes("empty message")]).toEqual([block, false]);
    }
    expect(types.size).toBeGreaterThan(5);
  });
});

withSamples("the fields that are read", () => {
  const documents = hasSamples
    ? [...inApi, "files.info", "files.list"].map((method) => load(`api/${method}.json`))
    : [];
  const kindOf = (value: unknown): string => (Array.isArray(value) ? "array" : value === null ? "null" : typeof value);

  /** The types that a field of some objects has in the samples. */
  function typesOf(objects: readonly unknown[], field: string): readonly string[] {
    const found = objects.flatMap((one) => (isRecord(one) && Object.hasOwn(one, field) ? [kindOf(one[field])] : []));
    return [...new Set(found)];
  }

  /** Objects under a name, alone or in a list. */
  function everyObject(value: unknown, name: string): unknown[] {
    if (Array.isArray(value)) return value.flatMap((item) => everyObject(item, name));
    if (!isRecord(value)) return [];
    const own = value[name];
    return [
      ...(isRecord(own) ? [own] : listIn(value, name)),
      ...Object.values(value).flatMap((inside) => everyObject(inside, name)),
    ];
  }

  it.each([
    [
      ["messages", "message", "root"],
      "ts thread_ts subtype user team bot_id app_id username text client_msg_id topic purpose:string hidden:boolean " +
        "reply_count:number icons bot_profile edited metadata room file:object blocks attachments files reactions:array",
    ],
    [
      ["files", "file"],
      "id mode file_access name title mimetype filetype alt_txt subtype media_display_type url_private original_w original_h " +
        "url_private_download permalink external_url user:string size duration_ms:number is_external:boolean",
    ],
    [
      ["attachments"],
      "pretext author_name author_subname author_link service_name title title_link text image_url thumb_url footer ts fallback " +
        "from_url channel_id channel_name:string fields mrkdwn_in blocks message_blocks files actions:array " +
        "is_msg_unfurl is_reply_unfurl is_thread_root_unfurl is_app_unfurl:boolean",
    ],
  ])("of %j have the types that Slack gives them", (names, read) => {
    const objects = names.flatMap((name) => documents.flatMap((document) => everyObject(document, name)));
    let fields: string[] = [];
    for (const word of read.split(" ")) {
      const [field = "", type] = word.split(":");
      fields.push(field);
      if (type === undefined) continue;
      for (const one of fields) expect([one, typesOf(objects, one)]).toEqual([one, [type]]);
      fields = [];
    }
    expect(fields).toEqual([]);
  });
});
