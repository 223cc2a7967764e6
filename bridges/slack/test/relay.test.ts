import { afterEach, describe, expect, it } from "@jest/globals";
import { SlackStage } from "./support/stage.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

describe.each(["socket", "http"] as const)("a linked channel over %s", (mode) => {
  it("carries messages, corrections, reactions and deletions both ways", async () => {
    stage = await SlackStage.open({ mode });
    const { slack, alice, room } = stage;
    const bob = slack.workspace("acme").person("bob");
    const general = slack.workspace("acme").channel("general");

    const said = bob.post("general", "hello *Matrix*");
    const arrived = await stage.saidOnMatrix("hello **Matrix**");
    expect(arrived.content["formatted_body"]).toBe("hello <strong>Matrix</strong>");
    expect(arrived.sender).toMatch(/^@slack_t[a-z0-9]+-u[a-z0-9]+:slack\.test$/);

    bob.edit(said, "hello *all*");
    await stage.eventually(() => stage!.bodies().includes("* hello **all**"), "the correction arrives");
    bob.react(said, "tada");
    await stage.eventually(() => stage!.events("m.reaction").length === 1, "the reaction arrives");
    expect(stage.events("m.reaction")[0]?.content["m.relates_to"]).toMatchObject({
      event_id: arrived.event_id,
      key: "🎉",
    });
    bob.unreact(said, "tada");
    await stage.eventually(() => stage!.events("m.room.redaction").length === 1, "the reaction is taken back");
    bob.delete(said);
    await stage.eventually(() => stage!.events("m.room.redaction").length === 2, "the message is taken back");

    const event = await alice.sendText(room, "hello <!channel> Slack");
    const posted = await stage.saidOnSlack("hello &lt;!channel&gt; Slack");
    expect(posted.author).toBe("alice");
    await alice.send(room, "m.room.message", {
      msgtype: "m.text",
      body: "* hello again",
      "m.new_content": { msgtype: "m.text", body: "hello again" },
      "m.relates_to": { rel_type: "m.replace", event_id: event },
    });
    await stage.saidOnSlack("hello again");
    const reaction = await alice.send(room, "m.reaction", {
      "m.relates_to": { rel_type: "m.annotation", event_id: event, key: "👍️" },
    });
    await stage.eventually(() => general.message(posted.ts)?.reactions["+1"] !== undefined, "the reaction arrives");
    await alice.redact(room, reaction);
    await stage.eventually(() => general.message(posted.ts)?.reactions["+1"] === undefined, "it is taken back");
    await alice.redact(room, event);
    await stage.eventually(() => !general.texts().includes("hello again"), "the message is taken back");
    expect(stage.bodies().filter((body) => body.includes("again") && !body.startsWith("* "))).toEqual([]);
  });
});
