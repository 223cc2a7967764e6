import { afterEach, describe, expect, it } from "@jest/globals";
import { SlackEmulator, type JsonObject } from "@trestle/slack-emulator";
import { at, call, textAt } from "./support/client.js";

let slack: SlackEmulator;

afterEach(async () => slack.stop());

/** The events an app would have been sent: they are on record although it has no connection. */
function events(app = slack.app()): JsonObject[] {
  return app.deliveries().map(({ body }) => body);
}

function ofType(type: string): JsonObject[] {
  return events().filter((body) => at(body, "event", "type") === type || at(body, "event", "subtype") === type);
}

describe("Slack Connect", () => {
  it("shows strangers and their messages to the app of the other workspace", async () => {
    slack = await SlackEmulator.start({
      retryDelays: [],
      workspaces: [
        { domain: "ours", users: [{ name: "alice" }], channels: [{ name: "shared", sharedWith: ["theirs"] }] },
        { domain: "theirs", users: [{ name: "carol" }] },
      ],
      apps: [{ name: "Bridge", installations: [{ workspace: "ours", channels: ["shared"] }] }],
    });
    const carol = slack.workspace("theirs").person("carol");
    const shared = slack.workspace("ours").channel("shared");
    carol.join(shared.id);
    carol.post(shared.id, "hello from outside");
    const [said] = events().filter((body) => at(body, "event", "text") === "hello from outside");
    expect(said).toMatchObject({
      team_id: slack.workspace("theirs").id,
      context_team_id: slack.workspace("ours").id,
      is_ext_shared_channel: true,
      authorizations: [{ team_id: slack.workspace("ours").id, is_bot: true }],
      event: { user: carol.id, team: slack.workspace("theirs").id },
    });
    const token = slack.app().botToken();
    expect(await call(slack.apiUrl, token, "users.info", { user: carol.id })).toMatchObject({
      ok: true,
      user: { is_stranger: true, team_id: slack.workspace("theirs").id },
    });
    expect(await call(slack.apiUrl, token, "conversations.info", { channel: shared.id })).toMatchObject({
      channel: { is_ext_shared: true, is_shared: true },
    });
    carol.upload(shared.id, { name: "a.txt", content: "a" });
    expect(at(ofType("file_share")[0], "event", "files", 0)).toMatchObject({ file_access: "check_file_info" });
  });

  it("hides people one shares nothing with", async () => {
    slack = await SlackEmulator.start({
      workspaces: [
        { domain: "ours", users: [{ name: "alice" }] },
        { domain: "theirs", users: [{ name: "carol" }] },
      ],
      apps: [{ name: "Bridge", installations: [{ workspace: "ours" }] }],
    });
    const answer = await call(slack.apiUrl, slack.app().botToken(), "users.info", {
      user: slack.workspace("theirs").person("carol").id,
    });
    expect(answer).toEqual({ ok: false, error: "user_not_visible" });
  });
});

describe("an organisation", () => {
  it("gives people ids with a W and names itself in answers and events", async () => {
    slack = await SlackEmulator.start({
      retryDelays: [],
      enterprises: [{ domain: "corp", name: "Corp" }],
      workspaces: [{ domain: "one", enterprise: "corp", users: [{ name: "alice" }], channels: [{ name: "general" }] }],
      apps: [{ name: "Bridge", installations: [{ workspace: "one", channels: ["general"] }] }],
    });
    const alice = slack.workspace().person("alice");
    expect(alice.id).toMatch(/^W/);
    const me = await call(slack.apiUrl, slack.app().botToken(), "auth.test");
    expect(me).toMatchObject({ enterprise_id: expect.stringMatching(/^E/) });
    expect(await call(slack.apiUrl, slack.app().botToken(), "users.info", { user: alice.id })).toMatchObject({
      user: { enterprise_user: { enterprise_name: "Corp", teams: [slack.workspace().id] } },
    });
    alice.post("general", "hello");
    const id = slack.workspace().changeChannelId("general");
    expect(events().at(-1)).toMatchObject({
      enterprise_id: me.enterprise_id,
      event: { type: "channel_id_changed", new_channel_id: id },
    });
    alice.post(id, "still here");
    expect(slack.workspace().channel("general").texts()).toEqual(["hello", "still here"]);
  });
});

describe("people an app acts for", () => {
  it("get events their bot does not see, once, with their authorization", async () => {
    slack = await SlackEmulator.start({
      retryDelays: [],
      apps: [
        { name: "Bridge", installations: [{ workspace: "acme", channels: ["general"], users: ["alice", "bob"] }] },
      ],
    });
    const alice = slack.workspace().person("alice");
    const bob = slack.workspace().person("bob");
    alice.post(alice.openDirect("bob").id, "between us");
    const [direct, ...more] = events().filter((body) => at(body, "event", "text") === "between us");
    expect(more).toEqual([]);
    expect(direct).toMatchObject({
      event: { channel_type: "im" },
      authorizations: [{ is_bot: false, user_id: alice.id }],
    });
    const list = await call(slack.apiUrl, slack.app().appToken, "apps.event.authorizations.list", {
      event_context: textAt(direct, "event_context"),
    });
    expect(list).toMatchObject({
      ok: true,
      authorizations: [
        { user_id: alice.id, is_bot: false },
        { user_id: bob.id, is_bot: false },
      ],
    });
    bob.post("general", "for all");
    expect(events().filter((body) => at(body, "event", "text") === "for all")).toEqual([
      expect.objectContaining({ authorizations: [expect.objectContaining({ is_bot: true })] }),
    ]);
  });

  it("post, edit, react and delete as themselves", async () => {
    slack = await SlackEmulator.start({
      apps: [{ name: "Bridge", installations: [{ workspace: "acme", channels: ["general"], users: ["alice"] }] }],
    });
    const token = slack.app().userToken("acme", "alice");
    const alice = slack.workspace().person("alice").id;
    const general = slack.workspace().channel("general");
    const { ts } = await call(slack.apiUrl, token, "chat.postMessage", { channel: general.id, text: "as me" });
    await call(slack.apiUrl, token, "reactions.add", { channel: general.id, timestamp: ts ?? "", name: "tada" });
    await call(slack.apiUrl, token, "chat.update", { channel: general.id, ts: ts ?? "", text: "as me, edited" });
    expect(general.messages()).toMatchObject([
      { text: "as me, edited", userId: alice, author: "alice", reactions: { tada: [alice] } },
    ]);
    await call(slack.apiUrl, token, "chat.delete", { channel: general.id, ts: ts ?? "" });
    expect(general.messages()).toEqual([]);
  });
});

describe("channels", () => {
  it("tell of their whole life", async () => {
    slack = await SlackEmulator.start({
      retryDelays: [],
      apps: [{ name: "Bridge", installations: [{ workspace: "acme", channels: ["general"] }] }],
    });
    const alice = slack.workspace().person("alice");
    alice.createChannel("life");
    alice.invite("life", "bridge");
    alice.setTopic("life", "t");
    alice.setPurpose("life", "p");
    alice.rename("life", "afterlife");
    alice.convert("afterlife", "private");
    alice.archive("afterlife");
    alice.unarchive("afterlife");
    alice.kick("afterlife", "bridge");
    expect(
      events().map((body) =>
        [at(body, "event", "type"), at(body, "event", "subtype")].filter((part) => typeof part === "string").join("/"),
      ),
    ).toEqual([
      "channel_created",
      "member_joined_channel",
      "message/channel_join",
      "message/channel_topic",
      "message/channel_purpose",
      "message/channel_name",
      "channel_rename",
      "message/channel_convert_to_private",
      "message/channel_archive",
      "group_archive",
      "message/channel_unarchive",
      "group_unarchive",
      "group_left",
    ]);
  });

  it("refuse what people cannot do either", async () => {
    slack = await SlackEmulator.start();
    const alice = slack.workspace().person("alice");
    slack.workspace().addChannel("elsewhere", { members: ["bob"] });
    expect(() => alice.post("elsewhere", "x")).toThrow("alice is not in elsewhere");
    alice.archive("random");
    expect(() => alice.post("random", "x")).toThrow("random is archived");
    expect(() => alice.post("nowhere", "x")).toThrow("There is no channel nowhere");
  });
});

describe("threads", () => {
  it("keep a tombstone for a deleted parent until its last reply goes", async () => {
    slack = await SlackEmulator.start();
    const alice = slack.workspace().person("alice");
    const general = slack.workspace().channel("general");
    const parent = alice.post("general", "parent");
    const reply = alice.reply(parent, "reply");
    alice.delete(parent);
    expect(general.messages()).toMatchObject([
      { subtype: "tombstone", text: "This message was deleted.", userId: "USLACKBOT" },
    ]);
    const token = slack.app().botToken();
    expect(
      await call(slack.apiUrl, token, "conversations.replies", { channel: general.id, ts: parent.ts }),
    ).toMatchObject({ messages: [{ subtype: "tombstone", hidden: true }, { text: "reply" }] });
    expect(
      await call(slack.apiUrl, token, "reactions.add", { channel: general.id, timestamp: parent.ts, name: "tada" }),
    ).toEqual({ ok: false, error: "message_not_found" });
    alice.delete(reply);
    expect(general.messages()).toEqual([]);
  });

  it("show a broadcast reply in the channel and with its root", async () => {
    slack = await SlackEmulator.start({ retryDelays: [] });
    const alice = slack.workspace().person("alice");
    const parent = alice.post("general", "parent");
    alice.reply(parent, "quiet");
    alice.reply(parent, "loud", { broadcast: true });
    expect(slack.workspace().channel("general").texts()).toEqual(["parent", "loud"]);
    expect(
      slack
        .workspace()
        .channel("general")
        .thread(parent.ts)
        .map((message) => message.text),
    ).toEqual(["parent", "quiet", "loud"]);
    expect(ofType("thread_broadcast")).toMatchObject([
      { event: { text: "loud", thread_ts: parent.ts, root: { text: "parent", reply_count: 2 } } },
    ]);
  });
});

describe("incoming webhooks", () => {
  it("post under the app's name, from JSON and from a form, and say what is wrong", async () => {
    slack = await SlackEmulator.start();
    const url = slack.app().createWebhook("acme", "general");
    const send = async (body: string, type: string) => {
      const response = await fetch(url, { method: "POST", headers: { "content-type": type }, body });
      return [response.status, await response.text()];
    };
    expect(await send(JSON.stringify({ text: "json" }), "application/json")).toEqual([200, "ok"]);
    expect(
      await send(
        new URLSearchParams({ payload: JSON.stringify({ text: "form" }) }).toString(),
        "application/x-www-form-urlencoded",
      ),
    ).toEqual([200, "ok"]);
    expect(await send("{}", "application/json")).toEqual([400, "no_text"]);
    expect(await send("{", "application/json")).toEqual([400, "invalid_payload"]);
    expect(slack.workspace().channel("general").messages()).toMatchObject([
      { text: "json", author: "Test App", subtype: "bot_message", userId: undefined },
      { text: "form" },
    ]);
    slack.app().uninstall("acme");
    expect(await send(JSON.stringify({ text: "late" }), "application/json")).toEqual([404, "no_service"]);
  });
});

describe("limits", () => {
  it("hold posts in one channel to Slack's rate and let others through", async () => {
    slack = await SlackEmulator.start({ clock: "frozen", rateLimits: "slack", postsPerSecond: 1, postBurst: 2 });
    const [general, random] = [slack.workspace().channel("general").id, slack.workspace().channel("random").id];
    const post = async (channel: string) => {
      const response = await fetch(`${slack.apiUrl}chat.postMessage`, {
        method: "POST",
        headers: { authorization: `Bearer ${slack.app().botToken()}`, "content-type": "application/json" },
        body: JSON.stringify({ channel, text: "x" }),
      });
      return [response.status, response.headers.get("retry-after")];
    };
    expect([await post(general), await post(general), await post(general), await post(random)]).toEqual([
      [200, null],
      [200, null],
      [429, "2"],
      [200, null],
    ]);
    slack.clock.advance(2000);
    expect(await post(general)).toEqual([200, null]);
  });

  it("count calls a minute by method", async () => {
    slack = await SlackEmulator.start({ clock: "frozen", rateLimits: { "conversations.history": 1 }, historyPage: 15 });
    const history = () =>
      fetch(`${slack.apiUrl}conversations.history?channel=${slack.workspace().channel("general").id}`, {
        headers: { authorization: `Bearer ${slack.app().botToken()}` },
      });
    for (let n = 0; n < 20; n++) slack.workspace().person("alice").post("general", `n${n}`);
    const first: unknown = await (await history()).json();
    expect(first).toMatchObject({
      ok: true,
      has_more: true,
      messages: Array.from({ length: 15 }, (_, at) => ({ text: `n${19 - at}` })),
    });
    const second = await history();
    expect([second.status, second.headers.get("retry-after")]).toEqual([429, "60"]);
    slack.clock.advance(60_000);
    expect((await history()).status).toBe(200);
  });

  it("stop events beyond so many an hour and tell the app once a minute", async () => {
    slack = await SlackEmulator.start({
      clock: "frozen",
      retryDelays: [],
      eventsPerHour: 3,
      apps: [
        {
          name: "Bridge",
          botEvents: ["message.channels"],
          installations: [{ workspace: "acme", channels: ["general"] }],
        },
      ],
    });
    for (let n = 0; n < 6; n++) slack.workspace().person("alice").post("general", `n${n}`);
    slack.clock.advance(60_000);
    slack.workspace().person("alice").post("general", "later");
    expect(events().map((body) => body.type)).toEqual([
      "event_callback",
      "event_callback",
      "event_callback",
      "app_rate_limited",
      "app_rate_limited",
    ]);
    slack.clock.advance(3_600_000);
    slack.workspace().person("alice").post("general", "next hour");
    expect(at(events().at(-1), "event", "text")).toBe("next hour");
  });

  it("end the time in which a message may be edited", async () => {
    slack = await SlackEmulator.start({ clock: "frozen", editWindowMinutes: 5 });
    const channel = slack.workspace().channel("general").id;
    const { ts } = await call(slack.apiUrl, slack.app().botToken(), "chat.postMessage", { channel, text: "x" });
    const edit = () => call(slack.apiUrl, slack.app().botToken(), "chat.update", { channel, ts: ts ?? "", text: "y" });
    expect(await edit()).toMatchObject({ ok: true });
    slack.clock.advance(301_000);
    expect(await edit()).toEqual({ ok: false, error: "edit_window_closed" });
  });
});

describe("the times of what happens in a channel", () => {
  it("rise in the order in which it happened, however quickly", async () => {
    slack = await SlackEmulator.start({ clock: "frozen", retryDelays: [] });
    const bob = slack.workspace().person("bob");
    const first = bob.post("general", "one");
    bob.react(first, "tada");
    const second = bob.post("general", "two");
    bob.edit(first, "1");
    bob.unreact(first, "tada");
    bob.post("general", "three");
    bob.delete(second);
    const inGeneral = events().filter(
      (body) => (at(body, "event", "channel") ?? at(body, "event", "item", "channel")) === first.channel,
    );
    const times = inGeneral.map((body) => Number(textAt(body, "event", "event_ts")));
    expect(times).toHaveLength(7);
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
  });
});
