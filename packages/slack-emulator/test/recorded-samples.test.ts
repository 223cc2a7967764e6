import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { SlackEmulator } from "@trestle/slack-emulator";
import { call, textAt } from "./support/client.js";
import { deviations, type Json } from "./support/shape.js";

const samples = fileURLToPath(new URL("../../../../shared/data/slack-samples/", import.meta.url));
const present = existsSync(samples);
if (!present)
  console.log(
    "The recorded samples of Slack's answers are not here (../shared/data/slack-samples): what compares with them is skipped.",
  );

/** What Slack does although the samples, which merge many recordings, do not show it. */
const known: readonly { readonly deviation: RegExp; readonly reason: string }[] = [
  {
    deviation: /\.blocks\[\]: nothing of the type (?:rich_text|section) in the sample$/,
    reason: "blocks are kept as the app gives them; not every type was recorded",
  },
  {
    deviation: / \$\.(?:messages\[\]|message)\.root\.(?:user|team): not in the sample$/,
    reason: "only roots that bots posted were recorded; the recorded thread_broadcast event has both",
  },
  {
    deviation: /^chat\.postMessage \$\.message\.icons\.image_(?:36|48|72): /,
    reason: "only an emoji icon was recorded here; conversations.history has the pictures",
  },
  {
    deviation: / \$.*\.(?:thumb_\d+|original)_[wh]: number instead of string$/,
    reason: "recorded as numbers in files.completeUploadExternal",
  },
  {
    deviation: /^(?:conversations\.replies|reactions\.get) .*\.(?:client_msg_id|subtype|thread_ts): not in the sample$/,
    reason: "fields of every message object, as in conversations.history",
  },
  {
    deviation: /^pins\.list \$\.items\[\]\.(?:channel|message): not in the sample$/,
    reason: "only pinned files were recorded; the recorded pin_added event has both",
  },
  {
    deviation: /^apps\.event\.authorizations\.list .*\.enterprise_id: null instead of string$/,
    reason: "Slack answers null for a workspace without an organisation",
  },
  { deviation: /^auth\.revoke \$\.revoked: not in the sample$/, reason: "documented for this method" },
  {
    deviation: /^oauth\.v2\.access \$\.enterprise: null/,
    reason: "Slack answers null for a workspace without an organisation",
  },
];

const read = new Map<string, Json>();

function sample(kind: "api" | "events", name: string): Json {
  const known = read.get(name);
  if (known !== undefined) return known;
  const parsed = z.json().parse(JSON.parse(readFileSync(`${samples}${kind}/${name}.json`, "utf8")));
  read.set(name, parsed);
  return parsed;
}

const seen = new Map<string, Json[]>();
let slack: SlackEmulator;

async function use(token: string, method: string, args: Record<string, Json> = {}): Promise<{ [key: string]: Json }> {
  const answer = await call(slack.apiUrl, token, method, args);
  seen.set(method, [...(seen.get(method) ?? []), answer]);
  return answer;
}

/** Calls every method so that its answers show as much as they can. */
async function useEverything(): Promise<void> {
  const app = slack.app();
  const bot = app.botToken();
  const user = app.userToken("acme", "alice");
  const alice = slack.workspace().person("alice");
  const general = slack.workspace().channel("general").id;
  await use(bot, "auth.test");
  await use(app.appToken, "apps.connections.open");
  const said = alice.post("general", "hello <@U1> *all* :tada: https://example.org");
  alice.reply(said, "a reply", { broadcast: true });
  alice.react(said, "tada");
  alice.setTopic("general", "topic");
  const picture = alice.upload(
    "general",
    { name: "a.png", content: Buffer.from("89504e470d0a1a0a0000000d4948445200000400000003000806000000", "hex") },
    { comment: "look" },
  );
  for (const method of ["team.info", "emoji.list", "users.list", "bots.info"]) await use(bot, method);
  await use(bot, "usergroups.list", { include_users: true });
  await use(bot, "usergroups.users.list", { usergroup: slack.workspace().saveUserGroup("team", ["alice"]) });
  await use(bot, "usergroups.list", { include_users: true });
  await use(bot, "users.info", { user: alice.id, include_locale: true });
  await use(bot, "users.info", { user: app.botUserId() });
  await use(bot, "users.lookupByEmail", { email: "alice@acme.example" });
  await use(bot, "users.conversations", { types: "public_channel,private_channel,im,mpim" });
  await use(bot, "users.profile.get", { user: alice.id });
  await use(user, "users.profile.set", { profile: { status_text: "away" } });
  await use(bot, "users.getPresence", { user: alice.id });
  await use(bot, "conversations.open", { users: alice.id });
  await use(bot, "conversations.open", { users: alice.id, return_im: true });
  await use(bot, "conversations.open", { users: `${alice.id},${slack.workspace().person("bob").id}` });
  await use(bot, "conversations.list", { types: "public_channel,private_channel,im,mpim" });
  const posted = await use(bot, "chat.postMessage", {
    channel: general,
    text: "hi",
    thread_ts: said.ts,
    reply_broadcast: true,
    metadata: { event_type: "x", event_payload: { a: 1 } },
  });
  await use(bot, "chat.postMessage", {
    channel: general,
    text: "as another",
    username: "Someone",
    icon_url: "https://example.org/i.png",
  });
  await use(bot, "chat.postMessage", {
    channel: general,
    text: "",
    blocks: [{ type: "section", text: { type: "mrkdwn", text: "x" } }],
    attachments: [{ text: "y", color: "#ff0000" }],
  });
  await use(bot, "chat.update", { channel: general, ts: textAt(posted, "ts"), text: "changed" });
  await use(bot, "chat.getPermalink", { channel: general, message_ts: said.ts });
  await use(bot, "chat.postEphemeral", { channel: general, user: alice.id, text: "psst" });
  await use(bot, "chat.meMessage", { channel: general, text: "waves" });
  await use(bot, "conversations.history", { channel: general, include_all_metadata: true, limit: 2 });
  await use(bot, "conversations.history", { channel: general, include_all_metadata: true });
  await use(bot, "conversations.replies", { channel: general, ts: said.ts });
  await use(bot, "reactions.add", { channel: general, timestamp: said.ts, name: "eyes" });
  await use(bot, "reactions.get", { channel: general, timestamp: said.ts });
  await use(bot, "reactions.remove", { channel: general, timestamp: said.ts, name: "eyes" });
  await use(bot, "pins.add", { channel: general, timestamp: said.ts });
  await use(bot, "pins.list", { channel: general });
  await use(bot, "pins.remove", { channel: general, timestamp: said.ts });
  await use(bot, "chat.delete", { channel: general, ts: textAt(posted, "ts") });
  await use(bot, "conversations.info", { channel: general, include_num_members: true, include_locale: true });
  await use(bot, "conversations.members", { channel: general });
  const made = textAt(await use(bot, "conversations.create", { name: "made" }), "channel", "id");
  await use(bot, "conversations.setTopic", { channel: made, topic: "t" });
  await use(bot, "conversations.setPurpose", { channel: made, purpose: "p" });
  await use(bot, "conversations.rename", { channel: made, name: "renamed" });
  await use(bot, "conversations.invite", { channel: made, users: alice.id });
  await use(bot, "conversations.kick", { channel: made, user: alice.id });
  await use(bot, "conversations.mark", { channel: general, ts: said.ts });
  await use(bot, "conversations.join", { channel: made });
  await use(bot, "conversations.leave", { channel: made });
  await use(bot, "conversations.join", { channel: made });
  await use(bot, "conversations.archive", { channel: made });
  await use(bot, "conversations.unarchive", { channel: made });
  const ticket = await use(bot, "files.getUploadURLExternal", { filename: "n.txt", length: 3 });
  await fetch(textAt(ticket, "upload_url"), { method: "POST", body: "abc" });
  await use(bot, "files.completeUploadExternal", {
    files: [{ id: textAt(ticket, "file_id"), title: "n" }],
    channel_id: general,
    initial_comment: "here",
  });
  await slack
    .workspace()
    .channel("general")
    .waitForMessage((message) => message.files.includes(textAt(ticket, "file_id")));
  await use(bot, "files.info", { file: picture.files[0] ?? "" });
  await use(bot, "files.info", { file: textAt(ticket, "file_id") });
  await use(bot, "files.list");
  await use(user, "files.sharedPublicURL", { file: picture.files[0] ?? "" });
  await use(bot, "files.delete", { file: textAt(ticket, "file_id") });
  await use(bot, "chat.unfurl", { channel: general, ts: said.ts, unfurls: { "https://example.org": { text: "x" } } });
  await use(bot, "conversations.close", {
    channel: textAt(await use(bot, "conversations.open", { users: alice.id }), "channel", "id"),
  });
  await use(user, "users.setPresence", { presence: "auto" });
  const events = app.deliveries().map((record) => record.body);
  const context = events.map((event) => event.event_context).find((each) => typeof each === "string") ?? "";
  await use(app.appToken, "apps.event.authorizations.list", { event_context: context });
  const page = await fetch(
    `${slack.url}/oauth/v2/authorize?client_id=${app.clientId}&scope=chat:write,incoming-webhook&user_scope=chat:write&redirect_uri=http://localhost/x`,
    { redirect: "manual" },
  );
  const code = new URL(page.headers.get("location") ?? "").searchParams.get("code") ?? "";
  await use("", "oauth.v2.access", { client_id: app.clientId, client_secret: app.clientSecret, code });
  await use(user, "auth.revoke");
  // The answers to calls that go wrong.
  for (const method of [...seen.keys()]) await use("xoxb-wrong", method, { channel: "C0NONE" });
  app.removeScopes(bot, "reactions:write", "channels:history", "groups:history", "im:history", "mpim:history");
  await use(bot, "reactions.add", { channel: general, timestamp: said.ts, name: "eyes" });
  await use(bot, "conversations.history", { channel: general });
}

const recordedEvents: Readonly<Record<string, string>> = {
  message: "MessagePayload",
  "message/bot_message": "MessageBotPayload",
  "message/me_message": "MessageMePayload",
  "message/message_deleted": "MessageDeletedPayload",
  "message/message_replied": "MessageRepliedPayload",
  "message/thread_broadcast": "MessageThreadBroadcastPayload",
  "message/channel_topic": "MessageChannelTopicPayload",
  "message/channel_name": "MessageChannelNamePayload",
  "message/channel_leave": "MessageChannelLeavePayload",
  "message/channel_archive": "MessageChannelArchivePayload",
  app_mention: "AppMentionPayload",
  app_uninstalled: "AppUninstalledPayload",
  channel_archive: "ChannelArchivePayload",
  channel_id_changed: "ChannelIdChangedPayload",
  channel_left: "ChannelLeftPayload",
  channel_rename: "ChannelRenamePayload",
  channel_shared: "ChannelSharedPayload",
  channel_unarchive: "ChannelUnarchivePayload",
  channel_unshared: "ChannelUnsharedPayload",
  emoji_changed: "EmojiChangedPayload",
  file_change: "FileChangePayload",
  file_created: "FileCreatedPayload",
  file_deleted: "FileDeletedPayload",
  file_shared: "FileSharedPayload",
  group_archive: "GroupArchivePayload",
  group_deleted: "GroupDeletedPayload",
  group_left: "GroupLeftPayload",
  group_rename: "GroupRenamePayload",
  im_created: "ImCreatedPayload",
  member_left_channel: "MemberLeftChannelPayload",
  pin_added: "PinAddedPayload",
  reaction_removed: "ReactionRemovedPayload",
  subteam_created: "SubteamCreatedPayload",
  subteam_updated: "SubteamUpdatedPayload",
  team_domain_change: "TeamDomainChangePayload",
  team_rename: "TeamRenamePayload",
  user_change: "UserChangePayload",
  user_profile_changed: "UserProfileChangedPayload",
};

const knownInEvents: readonly { readonly deviation: RegExp; readonly reason: string }[] = [
  {
    deviation: / \$\.context_(?:team|enterprise)_id: (?:not in the sample|null instead of string)$/,
    reason: "sent since Slack Connect; recorded for some events, null without an organisation",
  },
  {
    deviation: / \$\.authorizations\[\]\.enterprise_id: null instead of string$/,
    reason: "null for a workspace without an organisation",
  },
  {
    deviation: /\.blocks\[\]: nothing of the type rich_text in the sample$/,
    reason: "the recordings are older than rich text",
  },
  {
    deviation:
      / \$\.event\.(?:message|previous_message|root|item\.message)\.(?:thread_ts|reply_count|reply_users_count|latest_reply|reply_users|is_locked|subscribed|client_msg_id|blocks|edited|files): /,
    reason: "fields of every message object; each recording shows some",
  },
  {
    deviation: /^message\/thread_broadcast \$\.event\.(?:team|parent_user_id): /,
    reason: "recorded for plain messages, in threads too",
  },
  {
    deviation: /^im_created \$\.event\.(?:channel\.id|event_ts): /,
    reason: "only an empty channel was recorded; documented with its id",
  },
];

/** What apps are sent when people do everything they can. */
async function everyEvent(): Promise<{ [key: string]: Json }[]> {
  const emulator = await SlackEmulator.start({
    workspaces: [
      {
        domain: "acme",
        users: [{ name: "alice" }, { name: "bob" }],
        channels: [{ name: "general" }, { name: "private", private: true }],
      },
      { domain: "other", users: [{ name: "carol" }] },
    ],
    apps: [
      { name: "Test App", installations: [{ workspace: "acme", channels: ["general", "private"], users: ["alice"] }] },
    ],
    retryDelays: [],
  });
  const workspace = emulator.workspace();
  const app = emulator.app();
  const alice = workspace.person("alice");
  const bob = workspace.person("bob");
  const said = alice.post("general", `hello <@${app.botUserId()}>`);
  bob.reply(said, "reply", { broadcast: true });
  alice.edit(said, "edited");
  bob.react(said, "tada");
  bob.unreact(said, "tada");
  alice.pin(said);
  alice.me("general", "waves");
  alice.delete(alice.post("general", "gone"));
  const { files } = alice.upload("general", { name: "a.txt", content: "a" });
  alice.changeFile(files[0] ?? "", { title: "b" });
  alice.deleteFile(files[0] ?? "");
  for (const channel of ["general", "private"]) {
    alice.setTopic(channel, "t");
    alice.rename(channel, `${channel}2`);
    alice.archive(`${channel}2`);
    alice.unarchive(`${channel}2`);
    bob.leave(`${channel}2`);
    bob.join(`${channel}2`);
  }
  alice.post(alice.openDirect("testapp").id, "direct");
  workspace.share("general2", "other");
  workspace.unshare("general2", "other");
  workspace.changeChannelId("general2");
  alice.kick("private2", "testapp");
  alice.kick("general2", "testapp");
  alice.deleteChannel("private2");
  workspace.addEmoji("party", "https://example.org/p.png");
  workspace.renameEmoji("party", "fete");
  workspace.saveUserGroup("group", ["alice"]);
  workspace.saveUserGroup("group", ["alice", "bob"]);
  workspace.rename("Acme Two");
  workspace.changeDomain("acme-two");
  bob.changeProfile({ displayName: "Bobby" });
  app.uninstall("acme-two");
  const bodies = app.deliveries().map((record) => record.body);
  await emulator.stop();
  return bodies;
}

function eventName(body: { [key: string]: Json }): string {
  const { event } = body;
  if (typeof event !== "object" || event === null || Array.isArray(event)) return "";
  return typeof event.subtype === "string" && event.type === "message"
    ? `message/${event.subtype}`
    : textAt(event, "type");
}

describe("the events apps are sent", () => {
  (present ? it : it.skip)("have only fields Slack's have, of the same types", async () => {
    const bodies = await everyEvent();
    const found = new Set<string>();
    for (const body of bodies) {
      const name = recordedEvents[eventName(body)];
      if (name !== undefined)
        for (const deviation of deviations(body, sample("events", name))) found.add(`${eventName(body)} ${deviation}`);
    }
    expect([...found].filter((each) => !knownInEvents.some(({ deviation }) => deviation.test(each)))).toEqual([]);
    expect(knownInEvents.filter(({ deviation }) => ![...found].some((each) => deviation.test(each)))).toEqual([]);
  });

  it("are of every kind that was recorded", async () => {
    const names = new Set((await everyEvent()).map(eventName));
    expect(Object.keys(recordedEvents).filter((name) => !names.has(name) && name !== "message/bot_message")).toEqual(
      [],
    );
  });
});

describe("the answers of every method", () => {
  beforeAll(async () => {
    slack = await SlackEmulator.start({
      apps: [
        {
          name: "Test App",
          socketMode: true,
          installations: [{ workspace: "acme", channels: ["general"], users: ["alice"] }],
        },
      ],
    });
    slack.workspace().addEmoji("party", "https://example.org/party.png");
    await useEverything();
  });
  afterAll(async () => slack.stop());

  it("are what was asked for, save for those meant to fail", () => {
    const failed = [...seen].filter(
      ([, answers]) =>
        answers[0] !== undefined &&
        typeof answers[0] === "object" &&
        answers[0] !== null &&
        !Array.isArray(answers[0]) &&
        answers[0].ok !== true,
    );
    expect(failed).toEqual([]);
  });

  (present ? it : it.skip)("have only fields Slack has, of the types Slack gives them", () => {
    const found = new Set<string>();
    for (const [method, answers] of seen) {
      for (const answer of answers)
        for (const deviation of deviations(answer, sample("api", method))) found.add(`${method} ${deviation}`);
    }
    expect([...found].filter((each) => !known.some(({ deviation }) => deviation.test(each)))).toEqual([]);
  });

  (present ? it : it.skip)("deviate from the samples only where Slack does", () => {
    const found = [...seen].flatMap(([method, answers]) =>
      answers.flatMap((answer) => deviations(answer, sample("api", method)).map((each) => `${method} ${each}`)),
    );
    expect(known.filter(({ deviation }) => !found.some((each) => deviation.test(each)))).toEqual([]);
  });
});
