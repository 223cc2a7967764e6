import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { WebClient } from "@slack/web-api";
import { SlackEmulator } from "@trestle/slack-emulator";
import { patiently } from "../../../test/support/bounded.js";
import { silent } from "./support/bolt.js";

let slack: SlackEmulator;
let client: WebClient;
let general: string;

beforeAll(async () => {
  slack = await SlackEmulator.start();
  client = clientOf(30_000);
  general = slack.workspace().channel("general").id;
});
afterEach(() => {
  slack.faults.clear();
  slack.clearCalls();
});
afterAll(async () => slack.stop());

/** A client that gives up after so many milliseconds. */
function clientOf(timeout: number): WebClient {
  return new WebClient(slack.app().botToken(), {
    slackApiUrl: slack.apiUrl,
    logger: silent,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: patiently(timeout),
  });
}

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
    return "no error";
  } catch (error) {
    const found = error as { code?: unknown; data?: { error?: unknown } };
    return found.data?.error ?? found.code;
  }
}

describe("unmodified @slack/web-api", () => {
  it("posts, edits, reads with metadata and deletes", async () => {
    const posted = await client.chat.postMessage({
      channel: general,
      text: "one & <two>",
      metadata: { event_type: "matrix", event_payload: { id: "$1" } },
    });
    await client.chat.update({ channel: general, ts: posted.ts ?? "", text: "three" });
    const history = await client.conversations.history({ channel: general, include_all_metadata: true, limit: 1 });
    expect(history.messages?.[0]).toMatchObject({
      ts: posted.ts,
      text: "three",
      metadata: { event_type: "matrix", event_payload: { id: "$1" } },
    });
    const bare = await client.conversations.history({ channel: general, limit: 1 });
    expect(bare.messages?.[0]?.metadata).toBeUndefined();
    await client.chat.delete({ channel: general, ts: posted.ts ?? "" });
    expect(await codeOf(client.chat.update({ channel: general, ts: posted.ts ?? "", text: "four" }))).toBe(
      "message_not_found",
    );
  });

  it("uploads a file in its three steps and downloads it with the token; others get a login page", async () => {
    const content = Buffer.from("the content, äöü");
    await client.filesUploadV2({ channel_id: general, file: content, filename: "note.txt", initial_comment: "see" });
    const message = await slack
      .workspace()
      .channel("general")
      .waitForMessage((each) => each.subtype === "file_share");
    expect(message.text).toBe("see");
    const { file } = await client.files.info({ file: message.files[0] ?? "" });
    const url = file?.url_private_download ?? "";
    const mine = await fetch(url, { headers: { authorization: `Bearer ${slack.app().botToken()}` } });
    expect(Buffer.from(await mine.arrayBuffer())).toEqual(content);
    const others = await fetch(url);
    expect([others.status, others.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(await others.text()).toContain("<!DOCTYPE html>");
  });

  it("walks through pages of people, channels and messages", async () => {
    for (let n = 0; n < 5; n++) slack.workspace().addPerson({ name: `person${n}` });
    const people: unknown[] = [];
    for await (const page of client.paginate("users.list", { limit: 2 }))
      people.push(...((page as { members?: unknown[] }).members ?? []));
    expect(people).toHaveLength(slack.workspace().people().length + 1); // and Slackbot
    for (let n = 0; n < 5; n++) slack.workspace().person("alice").post("random", `n${n}`);
    const texts: unknown[] = [];
    for await (const page of client.paginate("conversations.history", {
      channel: slack.workspace().channel("random").id,
      limit: 2,
    }))
      texts.push(...((page as { messages?: { text?: string }[] }).messages ?? []).map((each) => each.text));
    expect(texts).toEqual(["n4", "n3", "n2", "n1", "n0"]);
    expect(await codeOf(client.users.list({ cursor: "nonsense" }))).toBe("invalid_cursor");
  });

  it("sees what lies between two timestamps, the edges only when asked for", async () => {
    const [first, , third] = ["first", "second", "third"].map(
      (text) => slack.workspace().person("alice").post("general", text).ts,
    );
    const seen = async (inclusive: boolean) =>
      (
        await client.conversations.history({ channel: general, oldest: first ?? "", latest: third ?? "", inclusive })
      ).messages?.map((each) => each.text);
    expect(await seen(false)).toEqual(["second"]);
    expect(await seen(true)).toEqual(["third", "second", "first"]);
  });

  it("is told by Slack's own words what is wrong", async () => {
    const alice = slack.workspace().person("alice");
    const said = alice.post("general", "hers");
    const archived = slack.workspace().addChannel("old").id;
    alice.archive("old");
    slack.workspace().addChannel("closed", { private: true });
    const hidden = slack.workspace().channel("closed").id;
    await client.reactions.add({ channel: general, timestamp: said.ts, name: "tada" });
    const errors = {
      channel_not_found: client.chat.postMessage({ channel: hidden, text: "x" }),
      is_archived: client.chat.postMessage({ channel: archived, text: "x" }),
      no_text: client.chat.postMessage({ channel: general, text: "" }),
      already_reacted: client.reactions.add({ channel: general, timestamp: said.ts, name: "tada" }),
      no_reaction: client.reactions.remove({ channel: general, timestamp: said.ts, name: "eyes" }),
      message_not_found: client.reactions.add({ channel: general, timestamp: "1.000000", name: "tada" }),
      cant_update_message: client.chat.update({ channel: general, ts: said.ts, text: "x" }),
      cant_delete_message: client.chat.delete({ channel: general, ts: said.ts }),
      invalid_auth: new WebClient("xoxb-wrong", {
        slackApiUrl: slack.apiUrl,
        logger: silent,
        retryConfig: { retries: 0 },
      }).auth.test(),
      not_authed: new WebClient(undefined, {
        slackApiUrl: slack.apiUrl,
        logger: silent,
        retryConfig: { retries: 0 },
      }).auth.test(),
      unknown_method: client.apiCall("no.such.method"),
      invalid_blocks: client.chat.postMessage({
        channel: general,
        text: "x",
        blocks: Array.from({ length: 51 }, () => ({ type: "divider" })),
      }),
      user_not_found: client.users.info({ user: "U0NOBODY" }),
      thread_not_found: client.conversations.replies({ channel: general, ts: "1.000000" }),
      not_in_channel: client.conversations.history({ channel: slack.workspace().addChannel("elsewhere").id }),
    };
    for (const [code, call] of Object.entries(errors)) expect([code, await codeOf(call)]).toEqual([code, code]);
  });

  it("learns which scope is missing", async () => {
    const app = slack.addApp({ name: "Reader", botScopes: ["channels:read"], installations: [{ workspace: "acme" }] });
    const reader = new WebClient(app.botToken(), {
      slackApiUrl: slack.apiUrl,
      logger: silent,
      retryConfig: { retries: 0 },
    });
    const answer = await fetch(`${slack.apiUrl}chat.postMessage`, {
      method: "POST",
      headers: { authorization: `Bearer ${app.botToken()}` },
    });
    expect(await answer.json()).toEqual({
      ok: false,
      error: "missing_scope",
      needed: "chat:write,chat:write:bot",
      provided: "channels:read",
    });
    expect([answer.headers.get("x-oauth-scopes"), answer.headers.get("x-accepted-oauth-scopes")]).toEqual([
      "channels:read",
      "chat:write,chat:write:bot",
    ]);
    expect((await reader.conversations.list()).ok).toBe(true);
  });

  it("posts under another name: a bot_message without a user", async () => {
    const posted = await client.chat.postMessage({
      channel: general,
      text: "x",
      username: "Carol (Matrix)",
      icon_url: "https://example.org/c.png",
    });
    expect(posted.message).toMatchObject({ subtype: "bot_message", username: "Carol (Matrix)" });
    expect(posted.message?.user).toBeUndefined();
  });
});

describe("token rotation", () => {
  it("gives new tokens for a refresh token, once, and ends the old ones in time", async () => {
    const app = slack.addApp({ name: "Rotating", tokenRotation: true, installations: [] });
    const page = await fetch(
      `${slack.url}/oauth/v2/authorize?client_id=${app.clientId}&scope=chat:write&redirect_uri=http://127.0.0.1/x`,
      { redirect: "manual" },
    );
    const code = new URL(page.headers.get("location") ?? "").searchParams.get("code") ?? "";
    const oauth = new WebClient(undefined, { slackApiUrl: slack.apiUrl, logger: silent, retryConfig: { retries: 0 } });
    const credentials = { client_id: app.clientId, client_secret: app.clientSecret };
    const first = await oauth.oauth.v2.access({ ...credentials, code });
    expect(first).toMatchObject({
      access_token: expect.stringMatching(/^xoxe\.xoxb-/),
      refresh_token: expect.stringMatching(/^xoxe-1-/),
      expires_in: 43_200,
    });
    expect(await codeOf(oauth.oauth.v2.access({ ...credentials, code }))).toBe("code_already_used");
    const refresh = { ...credentials, grant_type: "refresh_token" as const, refresh_token: first.refresh_token ?? "" };
    const second = await oauth.oauth.v2.access(refresh);
    expect(await codeOf(oauth.oauth.v2.access(refresh))).toBe("invalid_refresh_token");
    const as = (token: string | undefined) =>
      new WebClient(token, { slackApiUrl: slack.apiUrl, logger: silent, retryConfig: { retries: 0 } }).auth.test();
    expect([(await as(first.access_token)).ok, (await as(second.access_token)).ok]).toEqual([true, true]);
    slack.clock.advance(43_200_000);
    expect([await codeOf(as(first.access_token)), await codeOf(as(second.access_token))]).toEqual([
      "token_expired",
      "token_expired",
    ]);
  });

  it("answers with the denial, and refuses what is wrong", async () => {
    const app = slack.app();
    app.decide({ workspace: "acme", person: "alice", denied: true });
    const page = await fetch(
      `${slack.url}/oauth/v2/authorize?client_id=${app.clientId}&scope=chat:write&state=s&redirect_uri=http://127.0.0.1/x`,
      { redirect: "manual" },
    );
    expect(page.headers.get("location")).toBe("http://127.0.0.1/x?error=access_denied&state=s");
    const oauth = new WebClient(undefined, { slackApiUrl: slack.apiUrl, logger: silent, retryConfig: { retries: 0 } });
    expect(await codeOf(oauth.oauth.v2.access({ client_id: "none", client_secret: "x", code: "y" }))).toBe(
      "invalid_client_id",
    );
    expect(await codeOf(oauth.oauth.v2.access({ client_id: app.clientId, client_secret: "x", code: "y" }))).toBe(
      "bad_client_secret",
    );
    expect(
      await codeOf(oauth.oauth.v2.access({ client_id: app.clientId, client_secret: app.clientSecret, code: "y" })),
    ).toBe("invalid_code");
  });
});

describe("faults of the Web API", () => {
  const texts = () => slack.workspace().channel("general").texts();

  it("limit one method in one channel, with the seconds to wait", async () => {
    const fault = slack.faults.api({
      kind: "rate_limit",
      method: "chat.postMessage",
      channel: general,
      retryAfter: 7,
      times: 1,
    });
    const refused = await client.chat
      .postMessage({ channel: general, text: "limited" })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "slack_webapi_rate_limited_error", retryAfter: 7 });
    expect((await client.auth.test()).ok).toBe(true);
    await client.chat.postMessage({ channel: general, text: "unlimited" });
    expect([fault.hits, fault.active]).toEqual([1, false]);
    expect(texts()).not.toContain("limited");
  });

  it.each([
    ["drop_before", false],
    ["hang_before", false],
    ["drop_after", true],
    ["hang_after", true],
  ] as const)("%s: whether the post took effect is %s", async (kind, effect) => {
    slack.faults.api({ kind, method: "chat.*", times: 1 });
    const poster = kind.startsWith("hang") ? clientOf(1_000) : client;
    expect(await codeOf(poster.chat.postMessage({ channel: general, text: kind }))).toBe("slack_webapi_request_error");
    expect(texts().includes(kind)).toBe(effect);
    expect(slack.calls("chat.postMessage").map((call) => call.status)).toEqual([0]);
  });

  it("answer with a status, with an error, or late", async () => {
    slack.faults.api({ kind: "status", status: 503, times: 1 });
    expect(await codeOf(client.auth.test())).toBe("slack_webapi_http_error");
    slack.faults.api({ kind: "error", error: "fatal_error", times: 1, skip: 1 });
    expect((await client.auth.test()).ok).toBe(true);
    expect(await codeOf(client.auth.test())).toBe("fatal_error");
    slack.faults.api({ kind: "slow", ms: 3_600_000, times: 1 });
    const late = client.auth.test();
    for (; slack.calls("auth.test").length < 4;) await new Promise((resolve) => setTimeout(resolve, 5));
    slack.clock.advance(3_600_000);
    expect((await late).ok).toBe(true);
  });

  it("break off downloads and lose uploads", async () => {
    const { files } = slack.workspace().person("alice").upload("general", { name: "a.txt", content: "0123456789" });
    const { file } = await client.files.info({ file: files[0] ?? "" });
    const read = async () =>
      (await fetch(file?.url_private ?? "", { headers: { authorization: `Bearer ${slack.app().botToken()}` } })).text();
    slack.faults.api({ kind: "drop_after", method: "download", times: 1 });
    await expect(read()).rejects.toThrow();
    expect(await read()).toBe("0123456789");
    const { upload_url: url = "", file_id: id = "" } = await client.files.getUploadURLExternal({
      filename: "b.txt",
      length: 3,
    });
    const send = () => fetch(url, { method: "POST", body: "abc" });
    slack.faults.api({ kind: "status", status: 502, method: "upload", times: 1 });
    expect((await send()).status).toBe(502);
    expect(await codeOf(client.files.completeUploadExternal({ files: [{ id, title: "b" }] }))).toBe(
      "file_not_uploaded",
    );
    slack.faults.api({ kind: "drop_after", method: "upload", times: 1 });
    await expect(send()).rejects.toThrow();
    expect((await client.files.completeUploadExternal({ files: [{ id, title: "b" }] })).ok).toBe(true);
  });

  it("end with their being lifted", async () => {
    const fault = slack.faults.api({ kind: "error", error: "internal_error" });
    for (let n = 0; n < 3; n++) expect(await codeOf(client.auth.test())).toBe("internal_error");
    fault.lift();
    expect((await client.auth.test()).ok).toBe(true);
    expect(fault.hits).toBe(3);
  });
});

describe("revoked tokens", () => {
  it("answer token_revoked, and account_inactive after the app was removed", async () => {
    const app = slack.addApp({ name: "Short-lived", installations: [{ workspace: "acme" }] });
    const token = app.botToken();
    const as = () =>
      new WebClient(token, { slackApiUrl: slack.apiUrl, logger: silent, retryConfig: { retries: 0 } }).auth.test();
    app.revoke(token);
    expect(await codeOf(as())).toBe("token_revoked");
    app.restore(token);
    app.uninstall("acme");
    app.restore(token);
    expect(await codeOf(as())).toBe("account_inactive");
  });
});
