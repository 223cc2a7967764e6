import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../../../test/support/bounded.js";
import { SlackStage } from "./support/stage.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

describe("a workspace", () => {
  it("is a space with the rooms of its channels in it, and is called what Slack calls it", async () => {
    stage = await SlackStage.open({ bridge: () => ({ spaces: { enabled: true } }) });
    const opened = stage;
    const { alice, homeserver, slack, room } = opened;
    const space = await until(8_000, "the room is in a space", () =>
      homeserver.room(room).messages("m.space.parent").at(-1),
    );
    const id = space["state_key"] as string;
    const name = (): unknown => homeserver.room(id).state("m.room.name")?.content;
    expect(homeserver.room(id).state("m.space.child", room)?.content).toEqual({ via: ["slack.test"] });
    expect(homeserver.room(id).members()[alice.userId]).toBe("invite");
    slack.workspace("acme").rename("Acme & Sons");
    await opened.eventually(() => JSON.stringify(name()) === JSON.stringify({ name: "Acme & Sons" }), "it is renamed");
    await opened.trestle.services.unlink("slack", room, undefined, "operator");
    await opened.eventually(
      () => JSON.stringify(homeserver.room(id).state("m.space.child", room)?.content) === "{}",
      "the room is out of it",
    );
  });
});
