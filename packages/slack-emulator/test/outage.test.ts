import { afterEach, describe, expect, it } from "@jest/globals";
import { SlackEmulator } from "@trestle/slack-emulator";
import { type BoltApp, socketApp } from "./support/bolt.js";
import { freePort } from "../../../test/support/bounded.js";

let slack: SlackEmulator;
let bolt: BoltApp | undefined;

afterEach(async () => {
  await bolt?.stop();
  bolt = undefined;
  await slack.stop();
});

describe("an outage of Slack", () => {
  it("cuts and refuses connections; what happened meanwhile comes when it is tried again", async () => {
    slack = await SlackEmulator.start({
      port: await freePort(),
      apps: [
        {
          name: "Test App",
          botEvents: ["message.channels"],
          installations: [{ workspace: "acme", channels: ["general"] }],
        },
      ],
    });
    bolt = socketApp(slack);
    const heard: string[] = [];
    bolt.message(async ({ message }) => {
      if ("text" in message) heard.push(message.text ?? "");
    });
    await bolt.start();
    const { apiUrl } = slack;
    await slack.goDown();
    await expect(fetch(`${apiUrl}auth.test`)).rejects.toThrow();
    expect(slack.app().connections).toBe(0);
    slack.workspace().person("alice").post("general", "meanwhile");
    await slack.comeBack();
    expect(slack.apiUrl).toBe(apiUrl);
    const token = slack.app().botToken();
    const answer: unknown = await (
      await fetch(`${apiUrl}auth.test`, { headers: { authorization: `Bearer ${token}` } })
    ).json();
    expect(answer).toMatchObject({ ok: true });
    await slack.app().waitForConnections(1);
    slack.clock.advance(60_000);
    await slack.settled();
    expect(heard).toEqual(["meanwhile"]);
  });

  it("delivers what is sent after it to a client that was there before", async () => {
    slack = await SlackEmulator.start({ port: await freePort() });
    bolt = socketApp(slack);
    bolt.message("ping", async ({ say }) => {
      await say("pong");
    });
    await bolt.start();
    await slack.goDown();
    await slack.comeBack();
    await slack.app().waitForConnections(1);
    slack.workspace().person("alice").post("general", "ping");
    await slack.workspace().channel("general").waitForMessage("pong");
    expect(slack.workspace().channel("general").texts()).toEqual(["ping", "pong"]);
  });
});
