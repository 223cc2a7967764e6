import { afterEach, describe, expect, it } from "@jest/globals";
import { SlackStage } from "./support/stage.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

describe("files", () => {
  it("come from Slack with their text, each one a part that goes when the message goes", async () => {
    stage = await SlackStage.open();
    const bob = stage.slack.workspace("acme").person("bob");
    const one = bob.upload("general", [{ name: "dot.png", content: png }], { comment: "look at this" });
    await stage.eventually(() => stage!.events().length === 1, "the picture arrives");
    const [picture] = stage.events();
    expect(picture?.content).toMatchObject({ msgtype: "m.image", filename: "dot.png", body: "look at this" });
    const media = await stage.alice.download(String(picture?.content["url"]));
    expect(media.content.equals(png)).toBe(true);

    const two = bob.upload(
      "general",
      [
        { name: "a.txt", content: "aaa" },
        { name: "b.txt", content: "bbb" },
      ],
      { comment: "two of them" },
    );
    await stage.eventually(() => stage!.events().length === 4, "text and both files arrive");
    expect(stage.bodies().slice(1)).toEqual(["two of them", "a.txt", "b.txt"]);
    bob.delete(two);
    await stage.eventually(() => stage!.events("m.room.redaction").length === 3, "all three are taken back");
    bob.delete(one);
    await stage.eventually(() => stage!.events("m.room.redaction").length === 4, "and the picture");
  });

  it("go to Slack under the name of who sent them", async () => {
    stage = await SlackStage.open();
    const { alice, room, slack } = stage;
    await alice.sendFile(room, "m.image", { filename: "dot.png", content: png, contentType: "image/png" });
    const shown = await stage.saidOnSlack("dot.png");
    expect(shown.author).toBe("alice");
    expect(JSON.stringify(shown.raw["blocks"])).toContain("slack_file");
    await alice.sendFile(room, "m.file", {
      filename: "notes.txt",
      content: Buffer.from("hello"),
      contentType: "text/plain",
    });
    const general = slack.workspace("acme").channel("general");
    await stage.eventually(() => general.texts().some((text) => text.endsWith("|notes.txt>")), "the text arrives");
  });
});

describe("threads and replies", () => {
  it("stay threads both ways", async () => {
    stage = await SlackStage.open();
    const { alice, room, slack } = stage;
    const bob = slack.workspace("acme").person("bob");
    const root = bob.post("general", "the beginning");
    const event = await stage.saidOnMatrix("the beginning");
    bob.reply(root, "in the thread");
    const reply = await stage.saidOnMatrix("in the thread");
    expect(reply.content["m.relates_to"]).toMatchObject({ rel_type: "m.thread", event_id: event.event_id });

    await alice.send(room, "m.room.message", {
      msgtype: "m.text",
      body: "from Matrix",
      "m.relates_to": {
        rel_type: "m.thread",
        event_id: event.event_id,
        is_falling_back: true,
        "m.in_reply_to": { event_id: reply.event_id },
      },
    });
    const thread = () => slack.workspace("acme").channel("general").thread(root.ts);
    await stage.eventually(() => thread().some(({ text }) => text === "from Matrix"), "it is in the thread");
    await alice.send(room, "m.room.message", {
      msgtype: "m.text",
      body: "an answer",
      "m.relates_to": { "m.in_reply_to": { event_id: reply.event_id } },
    });
    await stage.eventually(() => thread().some(({ text }) => text === "an answer"), "an answer joins the thread");

    bob.reply(root, "for all to see", { broadcast: true });
    const broadcast = await stage.saidOnMatrix("for all to see");
    expect(broadcast.content["m.relates_to"]).toMatchObject({ "m.in_reply_to": { event_id: event.event_id } });
  });
});
