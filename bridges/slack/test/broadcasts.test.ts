import { afterEach, describe, expect, it } from "@jest/globals";
import { SlackStage, type StageOptions } from "./support/stage.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

/** Everybody in the room may notify it. */
async function open(options: StageOptions = {}): Promise<SlackStage> {
  const opened = await SlackStage.open({ bridge: () => ({ roomMentions: "permitted" }), ...options });
  const { alice, room, homeserver } = opened;
  const levels = homeserver.room(room).state("m.room.power_levels")?.content as Record<string, unknown>;
  await alice.setState(room, "m.room.power_levels", { ...levels, notifications: { room: 0 } });
  return opened;
}

async function mentions(opened: SlackStage, typed: string, shown: string): Promise<unknown> {
  opened.slack.workspace("acme").person("bob").post("general", typed);
  return (await opened.saidOnMatrix(shown)).content["m.mentions"];
}

describe("a mention of everyone in Slack", () => {
  it.each(["channel", "here", "everyone"])("is one on Matrix: @%s", async (range) => {
    stage = await open();
    expect(await mentions(stage, `<!${range}> lunch`, "@room lunch")).toEqual({ room: true });
  });

  it("is text where the operator does not take it", async () => {
    stage = await open({ network: { broadcasts: ["channel"] } });
    expect(await mentions(stage, "<!here> lunch", "@here lunch")).toEqual({});
    expect(await mentions(stage, "<!channel> lunch", "@room lunch")).toEqual({ room: true });
  });

  it("is none where somebody types what looks like one", async () => {
    stage = await open();
    expect(await mentions(stage, "&lt;!channel&gt; lunch", "<!channel> lunch")).toEqual({});
    expect(await mentions(stage, "@room and @channel", "@room and @channel")).toEqual({});
  });
});
