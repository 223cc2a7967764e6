import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../../../test/support/bounded.js";
import { SlackStage } from "./support/stage.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);

const html = (content: Readonly<Record<string, unknown>>): string =>
  typeof content["formatted_body"] === "string" ? content["formatted_body"] : "";
const pictureIn = (text: string): string | undefined => /<img data-mx-emoticon src="([^"]+)"/.exec(text)?.[1];
const keys = (opened: SlackStage): unknown[] =>
  opened.events("m.reaction").map(({ content }) => (content["m.relates_to"] as { key?: unknown } | undefined)?.key);

describe("an emoji of the workspace's own", () => {
  it("is a picture in the text, brought over once, and one that is an alias is what it stands for", async () => {
    const opened = (stage = await SlackStage.open({
      prepare: ({ slack }) => {
        slack.workspace("acme").uploadEmoji("partyparrot", png);
        slack.workspace("acme").addEmoji("party_bird", "alias:partyparrot");
        slack.workspace("acme").addEmoji("yes_sir", "alias:white_check_mark");
        return Promise.resolve();
      },
    }));
    const acme = opened.slack.workspace("acme");
    const person = acme.person("alice");
    person.post("general", "look :partyparrot:");
    const picture = pictureIn(html((await opened.saidOnMatrix("look :partyparrot:")).content));
    expect(picture).toMatch(/^mxc:/);
    expect((await opened.alice.download(picture ?? "")).content).toEqual(png);
    person.post("general", "again :party_bird: and :yes_sir: and :unheard_of:");
    const again = (await opened.saidOnMatrix("again :party_bird: and \u2705\ufe0f and :unheard_of:")).content;
    expect(pictureIn(html(again))).toBe(picture);
    expect(opened.slack.calls("emoji.list")).toHaveLength(1);

    acme.removeEmoji("partyparrot");
    acme.uploadEmoji("party_cow", png);
    // What is said and what emoji there are comes in two orders of events.
    const pictures = (): (string | undefined)[] =>
      opened
        .events()
        .flatMap(({ content }) => (content["body"] === "moo :party_cow:" ? [pictureIn(html(content))] : []));
    await until(8_000, "it is a picture", () => {
      person.post("general", "moo :party_cow:");
      return pictures().find((uri) => uri?.startsWith("mxc:"));
    });
    expect(opened.slack.calls("emoji.list")).toHaveLength(1);
  });

  it("is its name where its picture cannot be had", async () => {
    const opened = (stage = await SlackStage.open({
      config: { media: { port: 0 } },
      prepare: ({ slack }) => {
        slack.workspace("acme").uploadEmoji("partyparrot", png);
        return Promise.resolve();
      },
    }));
    opened.slack.workspace("acme").person("alice").post("general", "look :partyparrot:");
    expect(pictureIn(html((await opened.saidOnMatrix("look :partyparrot:")).content)) ?? "").toBe("");
  });

  it("is what people react with, both ways", async () => {
    const opened = (stage = await SlackStage.open({
      prepare: ({ slack }) => {
        slack.workspace("acme").uploadEmoji("partyparrot", png);
        return Promise.resolve();
      },
    }));
    const general = opened.slack.workspace("acme").channel("general");
    const person = opened.slack.workspace("acme").person("bob");
    const said = person.post("general", "hello");
    const { event_id: event } = await opened.saidOnMatrix("hello");
    person.react(said, "partyparrot");
    await opened.eventually(() => keys(opened).length === 1, "the reaction arrives");
    const [key] = keys(opened);
    expect(key).toMatch(/^mxc:/);
    expect(opened.events("m.reaction")[0]?.content["shortcode"]).toBe(":partyparrot:");

    const mine = await opened.alice.react(opened.room, event, key as string);
    const found = (): number =>
      general.messages().find(({ text }) => text === "hello")?.reactions["partyparrot"]?.length ?? 0;
    await opened.eventually(() => found() === 2, "the bot reacts with it");
    await opened.alice.redact(opened.room, mine);
    await opened.eventually(() => found() === 1, "and takes it back");
    person.unreact(said, "partyparrot");
    await opened.eventually(
      () => Object.keys(opened.events("m.reaction")[0]?.content ?? { kept: true }).length === 0,
      "the reaction of the person in Slack is taken back",
    );
  });

  it("is one in Slack where the workspace has one of that name", async () => {
    const opened = (stage = await SlackStage.open({
      prepare: ({ slack }) => {
        slack.workspace("acme").uploadEmoji("partyparrot", png);
        return Promise.resolve();
      },
    }));
    const picture = await opened.alice.upload(png, "image/png");
    const image = (name: string): string => `<img data-mx-emoticon src="${picture}" alt=":${name}:" title=":${name}:">`;
    await opened.alice.sendHtml(
      opened.room,
      "look :partyparrot: :cat:",
      `look ${image("partyparrot")} ${image("cat")} <b>!</b>`,
    );
    const general = opened.slack.workspace("acme").channel("general");
    const elements = (): string => JSON.stringify(general.messages().map(({ raw }) => raw["blocks"]));
    await opened.eventually(() => elements().includes("partyparrot"), "it arrives");
    expect(elements()).toContain('{"type":"emoji","name":"partyparrot"}');
    expect(elements()).not.toContain('"name":"cat"');
    expect(elements()).toContain(":cat:");
  });
});
