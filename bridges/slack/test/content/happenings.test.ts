import { describe, expect, it } from "@jest/globals";
import { envelopeOutcome, historyOutcome, outcomeOf, readContent } from "../../dist/content/index.js";
import { toPlainText } from "@trestle/rich-text";

const ts = "1700000000.000100";
const root = "1690000000.000000";
const said = { type: "message", channel: "C1", user: "U1", ts, event_ts: ts, text: "hi", channel_type: "channel" };
const what = (event: unknown) => {
  const outcome = outcomeOf(event);
  if (outcome.outcome !== "bridged") throw new Error(`Not bridged: ${JSON.stringify(outcome)}`);
  return outcome.what;
};
const reason = (event: unknown): string => {
  const outcome = outcomeOf(event);
  if (outcome.outcome !== "ignored") throw new Error(`Not ignored: ${JSON.stringify(outcome)}`);
  return outcome.reason;
};
const changed = (message: object, previous: object | undefined, more: object = {}) => ({
  type: "message",
  subtype: "message_changed",
  hidden: true,
  channel: "C1",
  ts: "1700000009.000100",
  event_ts: "1700000009.000100",
  message: { type: "message", user: "U1", ts, text: "hi", ...message },
  ...(previous === undefined ? {} : { previous_message: { type: "message", user: "U1", ts, text: "hi", ...previous } }),
  ...more,
});
const edited = { user: "U1", ts: "1700000008.000000" };
const preview = { from_url: "https://example.org", title: "Example", id: 1 };

describe("messages", () => {
  it("are bridged with who said them", () => {
    expect(what({ ...said, team: "T1", client_msg_id: "x" })).toMatchObject({
      kind: "message",
      channel: "C1",
      key: ts,
      ts,
      sender: { user: "U1", team: "T1", isOverride: false },
      style: "text",
      isBroadcast: false,
      message: { text: "hi", clientId: "x" },
    });
    expect(what(said)).not.toHaveProperty("threadTs");
  });

  it("tell the workspace of a stranger in a shared channel", () => {
    expect(what({ ...said, team: "T1", user_team: "T2" })).toMatchObject({ sender: { user: "U1", team: "T2" } });
  });

  it("stand in a thread, but not the first of it", () => {
    expect(what({ ...said, thread_ts: root })).toMatchObject({ threadTs: root, isBroadcast: false });
    expect(what({ ...said, thread_ts: ts })).not.toHaveProperty("threadTs");
    expect(what({ ...said, thread_ts: root, files: [{ id: "F1" }], subtype: "file_share" })).toMatchObject({
      threadTs: root,
      message: { files: [{ id: "F1" }] },
    });
  });

  it("stand in the thread and in the channel where they were sent to both", () => {
    expect(what({ ...said, subtype: "thread_broadcast", thread_ts: root, root: { ts: root } })).toMatchObject({
      kind: "message",
      threadTs: root,
      isBroadcast: true,
    });
  });

  it("are actions for /me", () => {
    expect(what({ ...said, subtype: "me_message" })).toMatchObject({ style: "emote" });
  });

  it("of apps have the name and the picture they were given", () => {
    const bot = {
      ...said,
      subtype: "bot_message",
      user: undefined,
      bot_id: "B1",
      username: "A &amp; B",
      icons: { emoji: ":x:", image_36: "https://x/36", image_72: "https://x/72", image_48: "https://x/48" },
    };
    expect(what(bot)).toMatchObject({
      sender: { botId: "B1", name: "A & B", icons: { emoji: ":x:", image: "https://x/72" }, isOverride: true },
    });
    expect(what(bot)).not.toHaveProperty("sender.user");
    const modern = {
      ...said,
      bot_id: "B1",
      app_id: "A1",
      bot_profile: { id: "B1", name: "App", icons: { image_36: "https://x/36" } },
    };
    expect(what(modern)).toMatchObject({
      sender: { user: "U1", botId: "B1", appId: "A1", name: "App", isOverride: false },
    });
  });

  it("of people keep the name of their profile", () => {
    expect(what({ ...said, username: "forged" })).toMatchObject({ sender: { user: "U1", isOverride: false } });
    expect(what({ ...said, username: "forged" })).not.toHaveProperty("sender.name");
  });

  it("tell of a huddle, and where it is", () => {
    const huddle = what({
      ...said,
      subtype: "huddle_thread",
      text: "",
      room: { huddle_link: "https://app.slack.com/huddle/T1/C1" },
    });
    expect(huddle).toMatchObject({ kind: "message", style: "notice" });
    if (huddle.kind !== "message") throw new Error("Not a message");
    expect(toPlainText(readContent(huddle.message).body)).toBe(
      "🎧 [A huddle started](https://app.slack.com/huddle/T1/C1)",
    );
    expect(what({ ...said, subtype: "reminder_add" })).toMatchObject({ style: "notice" });
  });

  it("of a subtype that is new are bridged where they say something, and unknown where they do not", () => {
    expect(what({ ...said, subtype: "hologram" })).toMatchObject({ kind: "message", style: "text" });
    expect(outcomeOf({ ...said, subtype: "hologram", text: "" })).toEqual({
      outcome: "unknown",
      type: "message/hologram",
    });
    expect(outcomeOf({ ...said, subtype: "hologram", hidden: true })).toMatchObject({ outcome: "unknown" });
    expect(outcomeOf({ ...said, subtype: "constructor", text: "" })).toMatchObject({ outcome: "unknown" });
  });

  it("that lack what they are about are ignored with what is missing", () => {
    expect(reason({ ...said, channel: "" })).toContain("channel");
    expect(reason({ ...said, ts: "" })).toContain("ts");
    expect(reason({ ...said, ts: 1700000000.0001 })).toContain("ts");
    expect(reason({ ...said, user: "" })).toContain("sender");
  });

  it("mean the same in a history as in an event", () => {
    for (const more of [
      {},
      { thread_ts: root },
      { subtype: "me_message" },
      { subtype: "tombstone" },
      { subtype: "channel_join" },
      { subtype: "channel_topic", topic: "t" },
    ]) {
      const { channel, ...message } = { ...said, ...more };
      expect(historyOutcome(message, channel)).toEqual(outcomeOf({ ...said, ...more }));
    }
  });
});

describe("system messages", () => {
  it.each([
    "channel_join",
    "channel_leave",
    "group_join",
    "group_leave",
    "channel_name",
    "channel_archive",
    "channel_unarchive",
    "channel_posting_permissions",
    "pinned_item",
    "bot_add",
    "ekm_access_denied",
    "message_replied",
  ])("%s is no chat", (subtype) => {
    expect(reason({ ...said, subtype })).not.toBe("");
  });

  it("tell the topic and the purpose, also when they are taken away", () => {
    expect(what({ ...said, subtype: "channel_topic", topic: "new" })).toMatchObject({
      kind: "channelTopic",
      topic: "new",
      user: "U1",
    });
    expect(what({ ...said, subtype: "group_topic", topic: "" })).toMatchObject({ kind: "channelTopic", topic: "" });
    expect(what({ ...said, subtype: "channel_purpose", purpose: "p" })).toMatchObject({
      kind: "channelPurpose",
      purpose: "p",
    });
    expect(what({ ...said, subtype: "channel_convert_to_private" })).toMatchObject({
      kind: "channelPrivacy",
      isPrivate: true,
    });
  });
});

describe("changes of messages", () => {
  it("are edits where somebody edited", () => {
    expect(what(changed({ text: "ho", edited }, {}))).toMatchObject({
      kind: "edit",
      channel: "C1",
      key: expect.stringContaining(`edit/${ts}/${edited.ts}/`),
      ts,
      editedTs: edited.ts,
      sender: { user: "U1" },
      message: { text: "ho" },
      textChanged: true,
      removedFiles: [],
    });
  });

  it("are edits where only the blocks are different, or an app edits without saying so", () => {
    const block = (shown: string) => ({
      blocks: [{ type: "section", block_id: "a", text: { type: "mrkdwn", text: shown } }],
    });
    expect(what(changed({ ...block("b"), edited }, block("a")))).toMatchObject({ kind: "edit" });
    expect(
      what(changed({ bot_id: "B1", subtype: "bot_message", text: "2" }, { bot_id: "B1", text: "1" })),
    ).toMatchObject({
      kind: "edit",
      editedTs: "1700000009.000100",
    });
    expect(what(changed({ attachments: [{ text: "2" }] }, { attachments: [{ text: "1" }] }))).toMatchObject({
      kind: "edit",
    });
  });

  it("are no edits where Slack added a preview of a link", () => {
    expect(reason(changed({ attachments: [preview] }, {}))).toContain("preview");
    expect(reason(changed({ attachments: [preview], edited }, { edited }))).toContain("preview");
    expect(reason(changed({ attachments: [preview] }, undefined))).toContain("preview");
    expect(reason(changed({}, { attachments: [preview] }))).toContain("preview");
  });

  it("are no edits where only counters of the thread, or ids that Slack makes anew, are different", () => {
    expect(reason(changed({ reply_count: 3, latest_reply: "1" }, { reply_count: 2 }))).toContain("counters");
    expect(
      reason(
        changed({ blocks: [{ type: "divider", block_id: "x" }] }, { blocks: [{ type: "divider", block_id: "y" }] }),
      ),
    ).toContain("counters");
    expect(reason(changed({ edited }, {}))).toContain("without a change");
  });

  it("are edits where the state before is not told and it is no preview", () => {
    expect(what(changed({ edited }, undefined))).toMatchObject({ kind: "edit" });
    expect(what(changed({}, undefined))).toMatchObject({ kind: "edit" });
  });

  it("tell which files were taken away, with a captioned file too", () => {
    const files = [
      { id: "F1", mode: "hosted" },
      { id: "F2", mode: "hosted" },
    ];
    expect(what(changed({ files: [{ id: "F1", mode: "tombstone" }, files[1]] }, { files }))).toMatchObject({
      kind: "edit",
      textChanged: false,
      removedFiles: ["F1"],
    });
    expect(what(changed({ files: [files[1]] }, { files }))).toMatchObject({ removedFiles: ["F1"] });
    expect(what(changed({ files, text: "new caption", edited }, { files }))).toMatchObject({
      textChanged: true,
      removedFiles: [],
      message: { text: "new caption", files: [{ id: "F1" }, { id: "F2" }] },
    });
  });

  it("in threads stay in the thread", () => {
    expect(what(changed({ text: "ho", edited, thread_ts: root }, { thread_ts: root }))).toMatchObject({
      threadTs: root,
    });
    expect(what(changed({ text: "ho", edited, subtype: "me_message" }, { subtype: "me_message" }))).toMatchObject({
      style: "emote",
    });
  });

  it("are deletions where only the husk of a thread is left", () => {
    expect(what(changed({ subtype: "tombstone", text: "This message was deleted." }, { reply_count: 2 }))).toEqual({
      kind: "deletion",
      channel: "C1",
      key: `deletion/${ts}`,
      ts,
      keepsThread: true,
    });
  });

  it("that are withheld or incomplete are ignored", () => {
    expect(reason(changed({ subtype: "ekm_access_denied", user: "UREVOKEDU" }, {}))).toContain("Key Management");
    expect(reason({ ...said, subtype: "message_changed" })).toContain("message");
  });
});

describe("deletions", () => {
  it("tell the message, with its thread", () => {
    const event = {
      type: "message",
      subtype: "message_deleted",
      channel: "C1",
      ts: "1.0",
      deleted_ts: ts,
      hidden: true,
    };
    expect(what(event)).toEqual({ kind: "deletion", channel: "C1", key: `deletion/${ts}`, ts, keepsThread: false });
    expect(what({ ...event, previous_message: { ts, thread_ts: root } })).toMatchObject({ threadTs: root });
    expect(what({ ...event, deleted_ts: undefined, previous_message: { ts } })).toMatchObject({ ts });
    expect(reason({ ...event, deleted_ts: undefined })).toContain("deleted_ts");
  });
});

describe("other events", () => {
  const at = { event_ts: "1.5" };
  it.each<[string, object, object]>([
    [
      "reaction_added",
      { user: "U1", reaction: "+1::skin-tone-2", item: { type: "message", channel: "C1", ts } },
      { kind: "reaction", change: "added", channel: "C1", ts, user: "U1", name: "+1::skin-tone-2" },
    ],
    [
      "reaction_removed",
      { user: "U1", reaction: "x", item: { type: "message", channel: "C1", ts } },
      { kind: "reaction", change: "removed" },
    ],
    [
      "pin_added",
      { user: "U1", channel_id: "C1", item: { type: "message", channel: "C1", message: { ts } } },
      { kind: "pin", change: "added", ts, channel: "C1" },
    ],
    [
      "pin_removed",
      { user: "U1", channel_id: "C1", item: { type: "message", message: { ts } } },
      { kind: "pin", change: "removed" },
    ],
    [
      "member_joined_channel",
      { user: "U1", channel: "C1", team: "T1", inviter: "U2" },
      { kind: "membership", change: "join", user: "U1", team: "T1", inviter: "U2" },
    ],
    ["member_left_channel", { user: "U1", channel: "C1" }, { kind: "membership", change: "leave", user: "U1" }],
    ["channel_rename", { channel: { id: "C1", name: "new" } }, { kind: "channelName", channel: "C1", name: "new" }],
    ["group_rename", { channel: { id: "G1", name: "new" } }, { kind: "channelName", channel: "G1" }],
    ["channel_archive", { channel: "C1", user: "U1" }, { kind: "channelArchived", archived: true, user: "U1" }],
    ["group_unarchive", { channel: "G1", actor_id: "U1" }, { kind: "channelArchived", archived: false, user: "U1" }],
    ["channel_deleted", { channel: "C1" }, { kind: "channelGone", how: "deleted" }],
    ["channel_left", { channel: "C1" }, { kind: "channelGone", how: "left" }],
    [
      "channel_created",
      { channel: { id: "C1", name: "n", creator: "U1" } },
      { kind: "channelCreated", channel: "C1", name: "n", user: "U1" },
    ],
    ["im_created", { user: "U1", channel: { id: "D1" } }, { kind: "directOpened", channel: "D1", user: "U1" }],
    [
      "channel_id_changed",
      { old_channel_id: "C1", new_channel_id: "C2" },
      { kind: "channelId", channel: "C1", newChannel: "C2" },
    ],
    [
      "channel_shared",
      { channel: "C1", connected_team_id: "T2" },
      { kind: "channelShared", isShared: true, team: "T2" },
    ],
    ["channel_unshared", { channel: "C1", is_ext_shared: false }, { kind: "channelShared", isShared: false }],
    ["user_change", { user: { id: "U1", deleted: true } }, { kind: "user", id: "U1", user: { deleted: true } }],
    ["team_join", { user: { id: "U1" } }, { kind: "user", id: "U1" }],
    ["team_rename", { name: "Acme" }, { kind: "teamName", name: "Acme" }],
    ["team_domain_change", { domain: "acme", url: "https://acme.slack.com" }, { kind: "teamDomain", domain: "acme" }],
    [
      "emoji_changed",
      { subtype: "add", name: "x", value: "https://x/x.png" },
      { kind: "emoji", change: { how: "added", name: "x", value: "https://x/x.png" } },
    ],
    ["emoji_changed", { subtype: "remove", names: ["x"] }, { kind: "emoji", change: { how: "removed", names: ["x"] } }],
    [
      "emoji_changed",
      { subtype: "rename", old_name: "x", new_name: "y" },
      { kind: "emoji", change: { how: "renamed", from: "x", to: "y" } },
    ],
    ["emoji_changed", {}, { kind: "emoji", change: { how: "unknown" } }],
    [
      "subteam_updated",
      { subteam: { id: "S1", handle: "ops", date_delete: 5 } },
      { kind: "usergroup", id: "S1", handle: "ops", deleted: true },
    ],
    ["file_deleted", { file_id: "F1" }, { kind: "fileDeleted", file: "F1" }],
    ["file_change", { file: { id: "F1" } }, { kind: "fileChanged", file: "F1" }],
    ["app_uninstalled", {}, { kind: "uninstalled" }],
    [
      "tokens_revoked",
      { tokens: { oauth: ["U1"], bot: ["U2"] } },
      { kind: "tokensRevoked", users: ["U1"], bots: ["U2"] },
    ],
    ["app_rate_limited", { minute_rate_limited: 1_518_467_820 }, { kind: "rateLimited", minute: 1_518_467_820 }],
    ["grid_migration_started", { enterprise_id: "E1" }, { kind: "gridMigration", state: "started", enterprise: "E1" }],
  ])("%s is bridged", (type, event, expected) => {
    expect(what({ type, ...at, ...event })).toMatchObject(expected);
  });

  it.each(["app_mention", "file_shared", "link_shared", "im_close", "star_added", "goodbye", "scope_granted"])(
    "%s is ignored with a reason",
    (type) => {
      expect(reason({ type, channel: "C1" })).not.toBe("");
    },
  );

  it("that lack what they are about say so", () => {
    expect(reason({ type: "reaction_added", user: "U1", reaction: "x", item: { type: "file", file: "F1" } })).toContain(
      "message",
    );
    expect(reason({ type: "member_left_channel", channel: "C1" })).toContain("user");
    expect(reason({ type: "channel_rename", channel: { id: "C1" } })).toContain("name");
  });

  it("of a type that is new, or of none, are unknown", () => {
    expect(outcomeOf({ type: "hologram_projected" })).toEqual({ outcome: "unknown", type: "hologram_projected" });
    expect(outcomeOf({ type: "__proto__" })).toEqual({ outcome: "unknown", type: "__proto__" });
    for (const event of [null, undefined, 1, "x", [], {}])
      expect(outcomeOf(event)).toMatchObject({ outcome: "unknown" });
  });

  it("may come as an envelope without an event", () => {
    expect(envelopeOutcome({ type: "app_rate_limited", team_id: "T1", minute_rate_limited: 60 })).toEqual({
      outcome: "bridged",
      what: { kind: "rateLimited", minute: 60 },
    });
    expect(envelopeOutcome({ type: "event_callback", event: said })).toEqual(outcomeOf(said));
    expect(envelopeOutcome({ type: "event_callback" })).toMatchObject({ outcome: "unknown" });
  });
});
