import { afterEach, describe, expect, it } from "@jest/globals";
import bolt from "@slack/bolt";
import { SlackEmulator } from "@trestle/slack-emulator";

const { App, LogLevel } = bolt;
let emulator: SlackEmulator | undefined;
let app: InstanceType<typeof App> | undefined;

afterEach(async () => {
  await app?.stop();
  app = undefined;
  await emulator?.stop();
});

async function startBolt(slack: SlackEmulator): Promise<InstanceType<typeof App>> {
  app = new App({
    token: slack.app().botToken(),
    appToken: slack.app().appToken,
    socketMode: true,
    logLevel: LogLevel.ERROR,
    clientOptions: { slackApiUrl: slack.apiUrl },
  });
  return app;
}

describe("unmodified bolt in Socket Mode", () => {
  it("gets what a person posts, acknowledges it and answers", async () => {
    emulator = await SlackEmulator.start();
    const slack = await startBolt(emulator);
    slack.message("hello", async ({ message, say }) => {
      await say({ text: `hi, got ${message.ts}`, thread_ts: message.ts });
    });
    await slack.start();
    const general = emulator.workspace().channel("general");
    const said = emulator.workspace().person("alice").post("general", "hello");
    const answer = await general.waitForMessage((message) => message.text === `hi, got ${said.ts}`);
    expect(answer.threadTs).toBe(said.ts);
    expect(answer.author).toBe("Test App");
    await emulator.settled();
    const states = emulator.app().deliveries().map((delivery) => delivery.state);
    expect(new Set(states)).toEqual(new Set(["delivered"]));
    expect(emulator.calls("chat.postMessage")).toHaveLength(1);
  });
});
