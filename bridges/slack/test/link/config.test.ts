import { describe, expect, it } from "@jest/globals";
import { configSchema } from "../../dist/config.js";

const workspaces = [{ botToken: "xoxb-1-2-3" }];
const problems = (config: unknown): string[] =>
  (configSchema.safeParse(config).error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);

describe("the configuration", () => {
  it("needs two tokens and nothing else for Socket Mode", () => {
    const config = configSchema.parse({ appToken: "xapp-1-A1-2-3", workspaces });
    expect(config).toMatchObject({ mode: "socket", sockets: 2, history: "internal", apiUrl: "https://slack.com/api/" });
    expect(config.channels).toEqual({ allow: ["*"], deny: [] });
  });

  it("says what is missing for each way to receive events", () => {
    expect(problems({ workspaces })).toEqual([
      expect.stringMatching(/^appToken: Socket Mode needs .*connections:write/),
    ]);
    expect(problems({ mode: "http", workspaces })).toEqual([expect.stringMatching(/^signingSecret: .*signing secret/)]);
    expect(problems({ appToken: "xapp-1" })).toEqual([expect.stringMatching(/^workspaces: give the bot token/)]);
    expect(problems({ mode: "webhook" })).toEqual(["webhooks: name the channels and their webhooks"]);
  });

  it("knows one kind of token from another", () => {
    expect(problems({ appToken: "xoxb-1", workspaces })).toEqual(["appToken: an app-level token begins with xapp-"]);
    expect(problems({ appToken: "xapp-1", workspaces: [{ botToken: "xoxp-1" }] })).toEqual([
      "workspaces.0.botToken: a bot token begins with xoxb-",
    ]);
  });

  it("allows as many connections as Slack does", () => {
    expect(problems({ appToken: "xapp-1", workspaces, sockets: 11 })).toHaveLength(1);
    expect(problems({ appToken: "xapp-1", workspaces, sockets: 0 })).toHaveLength(1);
    expect(problems({ appToken: "xapp-1", workspaces, sockets: 10 })).toEqual([]);
  });
});
