import { afterEach, describe, expect, it } from "@jest/globals";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createLogger } from "@trestle/core";
import { freePort, until } from "../../../test/support/bounded.js";
import { configSchema } from "../dist/index.js";
import { SlackServer } from "../dist/link/index.js";
import { WebhookTokens } from "../dist/webhook/posted.js";
import { webhookRoute } from "../dist/webhook/route.js";
import { SlackStage } from "./support/stage.js";

const token = "gIkuvaNzQIHg97ATvDxqgjtO";
// What is a week old is too late for Matrix.
const second = Math.floor(Date.now() / 1_000) - 10;
const form = {
  token,
  team_id: "T0001",
  team_domain: "example",
  channel_id: "C2147483705",
  channel_name: "general",
  timestamp: `${second}.000005`,
  user_id: "U2147483697",
  user_name: "Steve",
  text: "googlebot: What is <https://example.org|this> &amp; *that*?",
};

let stage: SlackStage | undefined;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await stage?.close();
  stage = undefined;
  for (const close of closers.splice(0)) await close();
});

interface Staged {
  readonly stage: SlackStage;
  readonly address: string;
}

/** Trestle with one webhook channel, linked to the room; `url` of the emulator where it is left out. */
async function open(
  webhook: Readonly<Record<string, unknown>> = {},
  bridge: Readonly<Record<string, unknown>> = {},
): Promise<Staged> {
  const port = await freePort();
  stage = await SlackStage.open({
    joins: false,
    bridge: ({ slack, room }) => {
      const url = slack.app().createWebhook("acme", "general");
      const webhooks = [{ channel: "general", url, tokens: [token], ...webhook }];
      return {
        ...bridge,
        links: [{ room, channel: "webhook/general" }],
        network: { mode: "webhook", http: { port }, webhooks },
      };
    },
  });
  return { stage, address: `http://127.0.0.1:${port}/slack/webhook` };
}

function post(address: string, fields: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(address, { method: "POST", body: new URLSearchParams(fields) });
}

describe("a webhook's channel", () => {
  it("mentions nobody by what may only have been typed", async () => {
    const { stage, address } = await open({}, { roomMentions: "permitted" });
    const { alice, room, homeserver } = stage;
    const levels = homeserver.room(room).state("m.room.power_levels")?.content as Record<string, unknown>;
    await alice.setState(room, "m.room.power_levels", { ...levels, notifications: { room: 0 } });
    await post(address, { ...form, text: "<!channel> @room lunch" });
    expect((await stage.saidOnMatrix("@channel @room lunch")).content["m.mentions"]).toEqual({});
  });

  it("is told what Matrix says, with the name before it, and nothing in it is a mention", async () => {
    const { stage } = await open();
    await stage.alice.sendText(stage.room, "hello <!channel> & <@U123>");
    const said = await stage.saidOnSlack("alice: hello &lt;!channel&gt; &amp; &lt;@U123&gt;");
    expect(said.raw["blocks"]).toMatchObject([{ type: "rich_text" }]);
    expect(JSON.stringify(said.raw["blocks"])).not.toContain("broadcast");
  });

  it("is told of corrections, answers and files in lines of their own, and of deletions and reactions not at all", async () => {
    const { stage } = await open();
    const { alice, room } = stage;
    const general = stage.slack.workspace("acme").channel("general");
    const event = await alice.sendText(room, "frist");
    await stage.saidOnSlack("alice: frist");
    await alice.edit(room, event, "first");
    await stage.eventually(() => general.texts().some((text) => /first/.test(text)), "the correction arrives");
    await alice.react(room, event, "👍️");
    await alice.redact(room, event);
    await alice.sendText(room, "the end");
    await stage.saidOnSlack("alice: the end");
    expect(general.texts()).toHaveLength(3);
  });

  it("is heard in Matrix: the outgoing webhook's form is on disk before it is acknowledged", async () => {
    const { stage, address } = await open();
    const answer = await post(address, form);
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    const said = await stage.saidOnMatrix("googlebot: What is [this](https://example.org) & **that**?");
    expect(said.sender).toBe("@slack_t0001-u2147483697:slack.test");
    expect(said.content["formatted_body"]).toBe(
      'googlebot: What is <a href="https://example.org">this</a> &amp; <strong>that</strong>?',
    );
  });

  it("is heard once, however often the form is posted", async () => {
    const { stage, address } = await open();
    for (let time = 0; time < 3; time += 1) expect((await post(address, form)).status).toBe(200);
    await post(address, { ...form, timestamp: `${second + 1}.000005`, text: "next" });
    await stage.saidOnMatrix("next");
    expect(stage.bodies()).toHaveLength(2);
  });

  it("has slash commands, which its people see", async () => {
    const { stage, address } = await open();
    const { timestamp: _none, ...rest } = form;
    const command = {
      ...rest,
      command: "/matrix",
      text: "by command",
      trigger_id: "13345224609.738474920.8088930838d88f0",
    };
    const answer = await post(address, command);
    expect(await answer.json()).toEqual({ response_type: "in_channel", text: "Sent to Matrix." });
    await post(address, command);
    await post(address, { ...form, text: "next" });
    await stage.saidOnMatrix("next");
    expect(stage.bodies()).toEqual(["by command", "next"]);
  });

  it("echoes nothing: what bots post, and so this bridge, is left out", async () => {
    const { stage, address } = await open();
    const bots = [
      { ...form, user_id: "USLACKBOT", user_name: "slackbot", bot_id: "B0001", bot_name: "alice" },
      { ...form, user_id: "USLACKBOT", user_name: "slackbot" },
      { ...form, bot_id: "B0001" },
    ];
    for (const [index, each] of bots.entries())
      expect((await post(address, { ...each, timestamp: `${second + index}.000001` })).status).toBe(200);
    await post(address, { ...form, text: "a person" });
    await stage.saidOnMatrix("a person");
    expect(stage.bodies()).toEqual(["a person"]);
  });

  it("takes nothing from strangers, of other channels, without end or without sense", async () => {
    const { stage, address } = await open();
    const statuses: number[] = [];
    const without = (field: keyof typeof form) =>
      Object.fromEntries(Object.entries(form).filter(([name]) => name !== field));
    for (const fields of [
      { ...form, token: "gIkuvaNzQIHg97ATvDxqgjtX" },
      { ...form, token: "" },
      without("token"),
      {},
      { ...form, text: "x".repeat(600_000) },
      without("user_id"),
      without("timestamp"),
      { ...form, user_id: "../../etc" },
      { ...form, timestamp: "now" },
      { ...form, channel_id: "C999", channel_name: "random" },
      { ...form, text: "  " },
    ])
      statuses.push((await post(address, fields)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 413, 400, 400, 400, 400, 200, 200]);
    for (const [body, type] of [
      ["[]", "application/json"],
      ["{", "application/json"],
      ["null", "application/json"],
    ] as const)
      expect((await fetch(address, { method: "POST", body, headers: { "content-type": type } })).status).toBe(401);
    expect((await fetch(address)).status).toBe(405);
    await post(address, { ...form, text: "the only one" });
    await stage.saidOnMatrix("the only one");
    expect(stage.bodies()).toEqual(["the only one"]);
  });

  it("is linked by its name", async () => {
    const { stage } = await open();
    const other = await stage.alice.createRoom({
      invite: ["@slackbot:slack.test"],
      power_level_content_override: { users: { [stage.alice.userId]: 100 } },
    });
    await expect(stage.trestle.services.link("slack", other, "#random", "operator")).rejects.toThrow(
      "There are webhooks for: general.",
    );
    await expect(stage.trestle.services.link("slack", other, "#general", "operator")).resolves.toMatchObject({
      channel: "webhook/general",
      channelName: "#general",
    });
  });
});

describe("what a webhook posts", () => {
  it("is acknowledged when it is kept, and not before, nor when it cannot be kept", async () => {
    const [webhook] = configSchema.parse({
      mode: "webhook",
      webhooks: [{ channel: "general", tokens: [token] }],
    }).webhooks;
    const log = createLogger({ level: "silent", format: "json" });
    let [keep, refuse]: [() => void, (error: Error) => void] = [() => undefined, () => undefined];
    const receive = (): Promise<void> => new Promise((resolve, reject) => ([keep, refuse] = [resolve, reject]));
    const routes = { "POST /slack/webhook": webhookRoute({ tokens: new WebhookTokens([webhook!]), receive, log }) };
    const server = new SlackServer({ host: "127.0.0.1", port: 0, log, routes });
    closers.push(() => server.close());
    const address = `${await server.listen()}/slack/webhook`;
    for (const [end, status] of [
      [() => keep(), 200],
      [() => refuse(new Error("the disk is full")), 503],
    ] as const) {
      let answered = false;
      keep = () => undefined;
      const waiting = keep;
      const answer = post(address, form).finally(() => (answered = true));
      await until(5_000, "the message is being kept", () => (keep === waiting ? undefined : true));
      expect(answered).toBe(false);
      end();
      expect((await answer).status).toBe(status);
    }
  });
});

/** A server that answers posts as it is told. */
async function hook(
  serve: (body: Record<string, unknown>, response: ServerResponse, request: IncomingMessage) => void,
): Promise<string> {
  const server: Server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.on("end", () => serve(JSON.parse(text) as Record<string, unknown>, response, request));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/xyz`;
}

describe("posting to a webhook", () => {
  it("shows the sender's name and icon where the webhook shows them", async () => {
    const bodies: Record<string, unknown>[] = [];
    const url = await hook((body, response) => {
      bodies.push(body);
      response.end("ok");
    });
    const { stage } = await open({ url, sender: "username", icon: ":speech_balloon:" });
    await stage.alice.sendText(stage.room, "hello");
    await stage.eventually(() => bodies.length === 1, "the post arrives");
    expect(bodies[0]).toMatchObject({ text: "hello", username: "alice", icon_emoji: ":speech_balloon:" });
  });

  it("waits as long as it is asked, repeats what had no answer and counts that, and gives up what is refused", async () => {
    const seen: string[] = [];
    const url = await hook((body, response) => {
      const text = String(body["text"]);
      seen.push(text);
      const times = seen.filter((each) => each === text).length;
      if (text === "alice: limited" && times === 1)
        return void response.writeHead(429, { "retry-after": "1" }).end("slow");
      if (text === "alice: lost" && times === 1) return void response.destroy();
      if (text === "alice: refused") return void response.writeHead(404).end("no_service");
      response.end("ok");
    });
    const { stage } = await open({ url });
    for (const text of ["limited", "lost", "refused", "last"]) await stage.alice.sendText(stage.room, text);
    await stage.eventually(() => seen.includes("alice: last"), "the last one arrives");
    expect(seen).toEqual([
      "alice: limited",
      "alice: limited",
      "alice: lost",
      "alice: lost",
      "alice: refused",
      "alice: last",
    ]);
    const metrics = await (await fetch(`${stage.trestle.operationsUrl}/metrics`)).text();
    expect(metrics).toMatch(/^trestle_uncertain_resent_total\{bridge="slack",direction="toNetwork"\} 1$/m);
    expect(metrics).toMatch(/^trestle_slack_webhook_posts_total\{bridge="slack",outcome="uncertain"\} 1$/m);
    const [dead] = await stage.trestle.services.queue.list({ state: "dead" });
    expect(dead?.error).toContain("no_service");
    expect(dead?.error).not.toContain("/hooks/xyz");
  });

  it("writes Markdown for Mattermost, in which nobody is called together, and reads its JSON", async () => {
    const bodies: Record<string, unknown>[] = [];
    const url = await hook((body, response) => {
      bodies.push(body);
      response.end("ok");
    });
    const { stage, address } = await open({ url, format: "mattermost", sender: "username" });
    await stage.alice.sendHtml(stage.room, "x", "<b>bold</b> @channel @ALL @here <code>&lt;!channel&gt;</code> @bob");
    await stage.eventually(() => bodies.length === 1, "the post arrives");
    expect(bodies[0]).toEqual({
      text: "**bold** @\u200bchannel @\u200bALL @\u200bhere `<\u200b!channel>` @bob",
      username: "alice",
    });
    const answer = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        token,
        team_id: "jw6uxffxn3b5fnsidkusrmzp3h",
        channel_id: "ktyf1wekr7gufj4f4eagm4zcxy",
        channel_name: "general",
        timestamp: second * 1_000,
        user_id: "9qiuk6w9e3d6xmcb4xhqw4mkjr",
        user_name: "steve",
        post_id: "m3ahtg7q7ibupdcjymphe53xqe",
        text: "some **bold** & <plain> text",
        file_ids: "",
      }),
    });
    expect(answer.status).toBe(200);
    const said = await stage.saidOnMatrix("some **bold** & <plain> text");
    expect(said.content["formatted_body"]).toBe("some <strong>bold</strong> &amp; &lt;plain&gt; text");
  });
});

describe("the configuration of webhooks", () => {
  const webhook = { channel: "general", url: "https://hooks.slack.com/services/T/B/x" };
  const problems = (config: unknown): string[] =>
    configSchema.safeParse(config).error?.issues.map(({ message }) => message) ?? [];

  it("asks for what it needs, and takes nothing that could be mistaken", () => {
    expect(problems({ mode: "webhook", webhooks: [webhook] })).toEqual([]);
    expect(problems({ mode: "webhook" })).toEqual(["name the channels and their webhooks"]);
    expect(problems({ mode: "webhook", webhooks: [{ channel: "a" }] })).toEqual(["give a url, tokens or both"]);
    expect(problems({ mode: "webhook", webhooks: [webhook, webhook] })).toEqual(["two webhooks have the same channel"]);
    const shared = ["a", "b"].map((channel) => ({ channel, tokens: [token] }));
    expect(problems({ mode: "webhook", webhooks: shared })).toEqual(["two webhooks have the same token"]);
    expect(problems({ mode: "webhook", webhooks: [{ channel: "a", tokens: ["short"] }] })).toHaveLength(1);
    expect(problems({ mode: "webhook", webhooks: [{ ...webhook, channel: "a/b" }] })).toHaveLength(1);
    expect(
      problems({ mode: "socket", appToken: "xapp-1", workspaces: [{ botToken: "xoxb-1" }], webhooks: [webhook] }),
    ).toEqual(["only the mode webhook uses webhooks; leave them out, or say mode: webhook"]);
  });
});
