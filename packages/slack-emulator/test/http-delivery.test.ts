import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SlackEmulator } from "@trestle/slack-emulator";
import { z } from "zod";
import { patiently } from "../../../test/support/bounded.js";

interface Received {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let slack: SlackEmulator;
let server: Server;
let received: Received[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  received = [];
  answer = (response) => void response.writeHead(200).end();
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  slack = await SlackEmulator.start({
    clock: "frozen",
    ackTimeout: patiently(200),
    apps: [
      {
        name: "Test App",
        requestUrl: `http://127.0.0.1:${port}/slack/events`,
        botEvents: ["message.channels"],
        commands: ["/matrix"],
        installations: [{ workspace: "acme", channels: ["general", "random"] }],
      },
    ],
  });
});

afterEach(async () => {
  await slack.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const bodySchema = z.looseObject({
  type: z.string(),
  challenge: z.string().optional(),
  event: z.looseObject({ text: z.string().optional() }).optional(),
});

function parsed(request: Received | undefined): z.output<typeof bodySchema> {
  return bodySchema.parse(JSON.parse(request?.body ?? "{}"));
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + patiently(8_000); !condition();) {
    if (Date.now() > deadline) throw new Error(`Waited in vain; ${received.length} requests came`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function say(text: string, channel = "general"): void {
  slack.workspace().person("alice").post(channel, text);
}

function results(): (string | undefined)[] {
  return slack
    .app()
    .deliveries()
    .flatMap((delivery) => delivery.attempts.map((attempt) => attempt.result));
}

async function attempts(count: number): Promise<void> {
  await until(() => results().length === count && !results().includes("pending"));
}

describe("events over HTTP", () => {
  it("come in the order of their channel, without the headers of a retry", async () => {
    for (let n = 0; n < 5; n++) say(`n${n}`);
    await slack.settled();
    expect(received.map((request) => parsed(request).event?.text)).toEqual(["n0", "n1", "n2", "n3", "n4"]);
    expect(received[0]?.headers["x-slack-retry-num"]).toBeUndefined();
    expect(received[0]?.headers["x-slack-signature"]).toMatch(/^v0=[0-9a-f]{64}$/);
  });

  it("come again at once, after a minute and after five when the app fails, with the number and the reason", async () => {
    answer = (response) => void response.writeHead(500).end();
    say("hello");
    await attempts(2);
    slack.clock.advance(59_000);
    await attempts(2);
    slack.clock.advance(1000);
    await attempts(3);
    slack.clock.advance(300_000);
    await slack.settled();
    expect(received.map(({ headers }) => [headers["x-slack-retry-num"], headers["x-slack-retry-reason"]])).toEqual([
      [undefined, undefined],
      ["1", "http_error"],
      ["2", "http_error"],
      ["3", "http_error"],
    ]);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    slack.clock.advance(10_000_000);
    expect(
      slack
        .app()
        .deliveries()
        .map(({ state }) => state),
    ).toEqual(["failed"]);
  });

  it("come again when the app does not answer in time, or cuts the connection", async () => {
    answer = () => undefined;
    say("hello");
    await until(() => received.length === 2);
    answer = (response) => void response.destroy();
    await attempts(2);
    slack.clock.advance(60_000);
    await until(() => received.length === 3);
    answer = (response) => void response.writeHead(200).end();
    await attempts(3);
    slack.clock.advance(300_000);
    await slack.settled();
    expect(results()).toEqual(["http_timeout", "http_timeout", "connection_failed", "ok"]);
    expect(received.map(({ headers }) => headers["x-slack-retry-reason"])).toEqual([
      undefined,
      "http_timeout",
      "http_timeout",
      "connection_failed",
    ]);
  });

  it("do not come again when the app says so", async () => {
    answer = (response) => void response.writeHead(500, { "x-slack-no-retry": "1" }).end();
    say("hello");
    await slack.settled();
    expect(results()).toEqual(["http_error"]);
  });

  it("of one channel do not wait for those of another", async () => {
    answer = (response) => {
      if (received.at(-1)?.body.includes("stuck") !== true) response.writeHead(200).end();
    };
    say("stuck");
    say("behind");
    say("free", "random");
    await until(() => received.some(({ body }) => body.includes("free")));
    expect(received.some(({ body }) => body.includes("behind"))).toBe(false);
  });

  it("to an address that is none fail, and nothing else", async () => {
    slack.app().setRequestUrl("nowhere");
    say("hello");
    await attempts(2);
    expect(results()).toEqual(["connection_failed", "connection_failed"]);
    expect(await slack.app().verifyRequestUrl()).toBe(false);
  });

  it("follow a redirect", async () => {
    answer = (response) => {
      if (received.length === 1) response.writeHead(302, { location: "/elsewhere" });
      response.end();
    };
    say("hello");
    await slack.settled();
    expect([received.length, results()]).toEqual([2, ["ok"]]);
  });
});

describe("notices over HTTP", () => {
  it("ask the URL to prove itself", async () => {
    expect(await slack.app().verifyRequestUrl()).toBe(false);
    answer = (response) => void response.end(parsed(received.at(-1)).challenge);
    expect(await slack.app().verifyRequestUrl()).toBe(true);
    expect(parsed(received[0])).toMatchObject({ type: "url_verification" });
  });

  it("tell an app that it gets too many events, without an event inside", async () => {
    slack.app().tellRateLimited("acme");
    await slack.settled();
    const body = parsed(received[0]);
    expect(body).toMatchObject({ type: "app_rate_limited", team_id: slack.workspace().id, api_app_id: slack.app().id });
    expect(body.event).toBeUndefined();
  });

  it("tell it that tokens ended and that it was removed, in this order", async () => {
    const app = slack.addApp({
      name: "Leaver",
      requestUrl: `http://127.0.0.1:${portOf(server)}/leaver`,
      botEvents: ["tokens_revoked", "app_uninstalled"],
      installations: [{ workspace: "acme", users: ["alice"] }],
    });
    const bot = app.botUserId();
    app.uninstall("acme");
    await slack.settled();
    const events = received.map((request) => parsed(request).event);
    expect(events).toEqual([
      {
        type: "tokens_revoked",
        tokens: { oauth: [slack.workspace().person("alice").id], bot: [bot] },
        event_ts: expect.any(String),
      },
      { type: "app_uninstalled" },
    ]);
  });

  it("bring slash commands as a signed form", async () => {
    answer = (response) =>
      void response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ text: "linked", response_type: "in_channel" }));
    const outcome = await slack.workspace().person("alice").command("general", "/matrix link");
    expect(outcome).toMatchObject({ answered: true, text: "linked" });
    expect(Object.fromEntries(new URLSearchParams(received[0]?.body))).toMatchObject({
      command: "/matrix",
      text: "link",
      team_domain: "acme",
    });
    expect(slack.workspace().channel("general").texts()).toEqual(["linked"]);
  });
});

function portOf(listening: Server): number {
  const address = listening.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
