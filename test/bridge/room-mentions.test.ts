import { afterEach, describe, expect, it } from "@jest/globals";
import type { RichText } from "@trestle/rich-text";
import { Stage } from "../faults/stage.js";
import { eventually, happens, person, Recorder, text } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const everyone: RichText = {
  blocks: [
    {
      type: "paragraph",
      children: [
        { type: "mention", target: { kind: "everyone" }, text: "@channel" },
        { type: "text", text: " lunch" },
      ],
    },
  ],
};

async function open(roomMentions?: "never" | "permitted"): Promise<Stage> {
  return Stage.open({
    places: 1,
    network: { handlers: new Recorder().handlers },
    bridge: roomMentions === undefined ? {} : { roomMentions },
  });
}

/** What a message of the network mentions in the room, and what it says there. */
async function said(opened: Stage, content: ReturnType<typeof text>): Promise<{ body: unknown; mentions: unknown }> {
  const messages = () => opened.homeserver.room(opened.room()).messages();
  const before = messages().length;
  await opened.network.port.receive(happens({ kind: "message", sender: person("bob"), content }));
  await eventually(() => messages().length > before, "the message arrives");
  const { body, "m.mentions": mentions } = messages().at(-1)?.content as Record<string, unknown>;
  return { body, mentions };
}

const broadcast = { type: "text", style: "text", body: everyone } as const;

async function permit(opened: Stage, level: number): Promise<void> {
  const { alice } = opened;
  const room = opened.room();
  const levels = opened.homeserver.room(room).state("m.room.power_levels")?.content as Record<string, unknown>;
  await alice.setState(room, "m.room.power_levels", { ...levels, notifications: { room: level } });
}

describe("a mention of everyone on the network", () => {
  it("notifies nobody unless the operator wants it", async () => {
    stage = await open();
    await permit(stage, 0);
    expect(await said(stage, broadcast)).toEqual({ body: "@room lunch", mentions: {} });
  });

  it("notifies the room where its power levels permit the ghost to", async () => {
    stage = await open("permitted");
    expect(await said(stage, broadcast)).toEqual({ body: "@room lunch", mentions: {} });
    await permit(stage, 0);
    expect(await said(stage, broadcast)).toEqual({ body: "@room lunch", mentions: { room: true } });
    await permit(stage, 1);
    expect(await said(stage, broadcast)).toEqual({ body: "@room lunch", mentions: {} });
  });

  it("is none where somebody only types it", async () => {
    stage = await open("permitted");
    await permit(stage, 0);
    for (const typed of ["@room", "@channel", "<!channel>", "&lt;!channel&gt; @room"])
      expect(await said(stage, text(typed))).toEqual({ body: typed, mentions: {} });
  });
});
