import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createEmulator } from "emulate";
import { SlackEmulator, usualUserScopes } from "@trestle/slack-emulator";
import { at, call, textAt } from "./support/client.js";
import type { Json } from "./support/shape.js";

/** A Slack of somebody's making, with a token that may do everything and one other person. */
interface Place {
  readonly apiUrl: string;
  readonly token: string;
  readonly other: { readonly id: string; readonly email: string };
  close(): Promise<void>;
}

async function ours(): Promise<Place> {
  const slack = await SlackEmulator.start({
    apps: [
      { name: "Test App", installations: [{ workspace: "acme", channels: ["general", "random"], users: ["alice"] }] },
    ],
  });
  const bob = slack.workspace().person("bob");
  return {
    apiUrl: slack.apiUrl,
    token: slack.app().authorize("acme", "alice", [...usualUserScopes, "users:read.email"]),
    other: { id: bob.id, email: "bob@acme.example" },
    close: () => slack.stop(),
  };
}

/** The emulator of somebody else: what it does as well is not our idea alone. */
async function theirs(): Promise<Place> {
  const emulator = await createEmulator({
    service: "slack",
    port: 0,
    seed: {
      tokens: { "xoxp-contract": { login: "admin", scopes: [] } },
      slack: {
        users: [{ name: "bob", real_name: "Bob", email: "bob@acme.example" }],
        channels: [{ name: "general" }, { name: "random" }],
      },
    },
  });
  const apiUrl = `${emulator.url}/api/`;
  const found = await call(apiUrl, "xoxp-contract", "users.lookupByEmail", { email: "bob@acme.example" }, "json");
  return {
    apiUrl,
    token: "xoxp-contract",
    other: { id: textAt(found, "user", "id"), email: "bob@acme.example" },
    close: () => emulator.close(),
  };
}

describe.each([
  ["this emulator", ours],
  ["emulate", theirs],
])("the Web API of %s", (_name, open) => {
  let place: Place;
  let general: string;

  const use = (method: string, args: Record<string, Json> = {}, as: "form" | "json" = "form") =>
    call(place.apiUrl, place.token, method, args, as);
  const post = async (text: string, more: Record<string, Json> = {}) =>
    textAt(await use("chat.postMessage", { channel: general, text, ...more }), "ts");
  const texts = (answer: Json, list = "messages") => {
    const found = at(answer, list);
    return Array.isArray(found) ? found.map((each) => at(each, "text")) : [];
  };

  beforeAll(async () => {
    place = await open();
    const list = at(await use("conversations.list"), "channels");
    general = textAt(Array.isArray(list) ? list.find((channel) => at(channel, "name") === "general") : undefined, "id");
  });
  afterAll(async () => place.close());

  it("knows who calls", async () => {
    const me = await use("auth.test");
    expect(me).toMatchObject({
      ok: true,
      user_id: expect.stringMatching(/^U/),
      team_id: expect.stringMatching(/^T/),
      url: expect.stringMatching(/^https:/),
    });
    expect(await use("users.info", { user: textAt(me, "user_id") })).toMatchObject({
      ok: true,
      user: { id: me.user_id, team_id: me.team_id, deleted: false, is_bot: false },
    });
    expect(await call(place.apiUrl, undefined, "auth.test")).toMatchObject({ ok: false, error: "not_authed" });
  });

  it("takes forms and JSON alike", async () => {
    for (const as of ["form", "json"] as const) {
      const answer = await use(
        "chat.postMessage",
        { channel: general, text: `as ${as}`, blocks: [{ type: "divider", block_id: "d" }] },
        as,
      );
      expect(answer).toMatchObject({
        ok: true,
        channel: general,
        message: { type: "message", text: `as ${as}`, blocks: [{ type: "divider", block_id: "d" }] },
      });
    }
  });

  it("finds people by id, in the list and by e-mail", async () => {
    expect(await use("users.info", { user: place.other.id })).toMatchObject({ ok: true, user: { name: "bob" } });
    expect(await use("users.lookupByEmail", { email: place.other.email })).toMatchObject({
      user: { id: place.other.id },
    });
    expect(await use("users.info", { user: "U0NOBODY" })).toEqual({ ok: false, error: "user_not_found" });
    expect(await use("users.lookupByEmail", { email: "nobody@acme.example" })).toEqual({
      ok: false,
      error: "users_not_found",
    });
    const members = at(await use("users.list"), "members");
    expect(Array.isArray(members) && members.some((member) => at(member, "id") === place.other.id)).toBe(true);
  });

  it("shows messages newest first, in pages", async () => {
    const channel = textAt(await use("conversations.create", { name: "paged" }), "channel", "id");
    for (let n = 1; n <= 5; n++) await use("chat.postMessage", { channel, text: `n${n}` });
    const seen: (Json | undefined)[] = [];
    let cursor = "";
    do {
      const answer = await use("conversations.history", { channel, limit: 2, ...(cursor === "" ? {} : { cursor }) });
      seen.push(...texts(answer));
      const next = at(answer, "response_metadata", "next_cursor");
      cursor = typeof next === "string" ? next : "";
      expect(answer.has_more).toBe(cursor !== "");
    } while (cursor !== "");
    expect(seen.filter((text) => typeof text === "string" && /^n\d$/.test(text))).toEqual([
      "n5",
      "n4",
      "n3",
      "n2",
      "n1",
    ]);
  });

  it("keeps replies in their thread, and counts them", async () => {
    const parent = await post("parent");
    await post("reply", { thread_ts: parent });
    expect(texts(await use("conversations.replies", { channel: general, ts: parent }))).toEqual(["parent", "reply"]);
    const history = await use("conversations.history", { channel: general, limit: 1 });
    expect(at(history, "messages", 0)).toMatchObject({ text: "parent", ts: parent, reply_count: 1 });
  });

  it("edits and deletes", async () => {
    const ts = await post("before");
    expect(await use("chat.update", { channel: general, ts, text: "after" })).toMatchObject({
      ok: true,
      channel: general,
      ts,
      text: "after",
    });
    expect(at(await use("conversations.history", { channel: general, limit: 1 }), "messages", 0)).toMatchObject({
      text: "after",
      edited: { ts: expect.any(String) },
    });
    expect(await use("chat.delete", { channel: general, ts })).toMatchObject({ ok: true, channel: general, ts });
    expect(await use("chat.delete", { channel: general, ts })).toEqual({ ok: false, error: "message_not_found" });
    expect(await use("chat.update", { channel: general, ts, text: "x" })).toEqual({
      ok: false,
      error: "message_not_found",
    });
  });

  it("keeps metadata and shows it to who asks", async () => {
    const ts = await post("with metadata", { metadata: { event_type: "matrix", event_payload: { id: "$1" } } });
    const history = await use("conversations.history", {
      channel: general,
      latest: ts,
      inclusive: true,
      limit: 1,
      include_all_metadata: true,
    });
    expect(at(history, "messages", 0, "metadata")).toEqual({ event_type: "matrix", event_payload: { id: "$1" } });
  });

  it("reacts, once", async () => {
    const timestamp = await post("react to me");
    expect(await use("reactions.add", { channel: general, timestamp, name: "tada" })).toMatchObject({ ok: true });
    expect(await use("reactions.add", { channel: general, timestamp, name: "tada" })).toEqual({
      ok: false,
      error: "already_reacted",
    });
    expect(at(await use("reactions.get", { channel: general, timestamp }), "message", "reactions", 0)).toMatchObject({
      name: "tada",
      count: 1,
    });
    expect(await use("reactions.remove", { channel: general, timestamp, name: "tada" })).toMatchObject({ ok: true });
    expect(await use("reactions.remove", { channel: general, timestamp, name: "tada" })).toEqual({
      ok: false,
      error: "no_reaction",
    });
  });

  it("pins, once", async () => {
    const timestamp = await post("pin me");
    expect(await use("pins.add", { channel: general, timestamp })).toMatchObject({ ok: true });
    expect(await use("pins.add", { channel: general, timestamp })).toEqual({ ok: false, error: "already_pinned" });
    expect(at(await use("pins.list", { channel: general }), "items", 0)).toMatchObject({
      type: "message",
      channel: general,
      message: { ts: timestamp },
    });
    expect(await use("pins.remove", { channel: general, timestamp })).toMatchObject({ ok: true });
    expect(await use("pins.remove", { channel: general, timestamp })).toEqual({ ok: false, error: "no_pin" });
  });

  it("makes, names, describes and archives channels", async () => {
    const made = await use("conversations.create", { name: "made" });
    const channel = textAt(made, "channel", "id");
    expect(made).toMatchObject({ ok: true, channel: { name: "made", is_archived: false, is_private: false } });
    expect(await use("conversations.create", { name: "made" })).toMatchObject({ ok: false, error: "name_taken" });
    expect(await use("conversations.setTopic", { channel, topic: "the topic" })).toMatchObject({ ok: true });
    expect(await use("conversations.setPurpose", { channel, purpose: "the purpose" })).toMatchObject({ ok: true });
    expect(await use("conversations.rename", { channel, name: "renamed" })).toMatchObject({
      ok: true,
      channel: { name: "renamed" },
    });
    expect(await use("conversations.info", { channel })).toMatchObject({
      channel: { name: "renamed", topic: { value: "the topic" }, purpose: { value: "the purpose" } },
    });
    expect(await use("conversations.archive", { channel })).toMatchObject({ ok: true });
    expect(await use("conversations.info", { channel })).toMatchObject({ channel: { is_archived: true } });
    expect(await use("chat.postMessage", { channel, text: "x" })).toEqual({ ok: false, error: "is_archived" });
    expect(await use("conversations.unarchive", { channel })).toMatchObject({ ok: true });
    expect(await use("conversations.info", { channel: "C0NONE" })).toEqual({ ok: false, error: "channel_not_found" });
  });

  it("adds and removes members", async () => {
    const channel = textAt(await use("conversations.create", { name: "members" }), "channel", "id");
    const members = async () => at(await use("conversations.members", { channel }), "members");
    expect(await use("conversations.invite", { channel, users: place.other.id })).toMatchObject({
      ok: true,
      channel: { id: channel },
    });
    expect(await members()).toContain(place.other.id);
    expect(await use("conversations.kick", { channel, user: place.other.id })).toMatchObject({ ok: true });
    expect(await members()).not.toContain(place.other.id);
    expect(await use("conversations.invite", { channel, users: place.other.id })).toMatchObject({ ok: true });
    expect(await use("conversations.leave", { channel })).toMatchObject({ ok: true });
    expect(await use("conversations.join", { channel })).toMatchObject({
      ok: true,
      channel: { id: channel, is_member: true },
    });
  });

  it("opens one direct message with a person, again and again", async () => {
    const first = textAt(await use("conversations.open", { users: place.other.id }), "channel", "id");
    expect(textAt(await use("conversations.open", { users: place.other.id }), "channel", "id")).toBe(first);
    expect(first).toMatch(/^D/);
    expect(await use("chat.postMessage", { channel: place.other.id, text: "by their id" })).toMatchObject({
      ok: true,
      channel: first,
    });
  });

  it("links to messages", async () => {
    const ts = await post("link to me");
    const answer = await use("chat.getPermalink", { channel: general, message_ts: ts });
    expect(answer).toMatchObject({
      ok: true,
      channel: general,
      permalink: expect.stringContaining(`/archives/${general}/p${ts.replace(".", "")}`),
    });
  });

  it("says /me, and refuses to say nothing", async () => {
    const ts = textAt(await use("chat.meMessage", { channel: general, text: "waves" }), "ts");
    expect(
      at(
        await use("conversations.history", { channel: general, latest: ts, inclusive: true, limit: 1 }),
        "messages",
        0,
      ),
    ).toMatchObject({ subtype: "me_message", text: "waves" });
    expect(await use("chat.postMessage", { channel: general })).toEqual({ ok: false, error: "no_text" });
    expect(await use("chat.postMessage", { channel: "C0NONE", text: "x" })).toEqual({
      ok: false,
      error: "channel_not_found",
    });
  });

  it("takes files in three steps and gives them back", async () => {
    const content = "the content of the file";
    const ticket = await use("files.getUploadURLExternal", { filename: "note.txt", length: content.length });
    const id = textAt(ticket, "file_id");
    const sent = await fetch(textAt(ticket, "upload_url"), {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: content,
    });
    expect(sent.status).toBe(200);
    expect(
      await use("files.completeUploadExternal", {
        files: [{ id, title: "A note" }],
        channel_id: general,
        initial_comment: "see",
      }),
    ).toMatchObject({ ok: true, files: [{ id, title: "A note" }] });
    const { file } = await use("files.info", { file: id });
    expect(file).toMatchObject({ id, name: "note.txt", title: "A note", size: content.length });
    const read = await fetch(textAt(file, "url_private"), { headers: { authorization: `Bearer ${place.token}` } });
    expect(await read.text()).toBe(content);
    expect(await use("files.delete", { file: id })).toMatchObject({ ok: true });
  });
});
