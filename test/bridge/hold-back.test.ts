import { afterEach, expect, it } from "@jest/globals";
import { ChannelId, RemoteMessageId, RemoteUserId } from "@trestle/core";
import { richTextOf } from "@trestle/rich-text";
import { Stage } from "../faults/stage.js";
import { eventually } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

it("what a connector holds back waits in its order, and holds up no other room", async () => {
  let isHeld = true;
  const asked: string[] = [];
  const holdBack = (channel: string, room: string): number => {
    asked.push(`${channel} ${room}`);
    return isHeld && channel === "channel0" ? 20 : 0;
  };
  // More often than a message may fail.
  const on = (stage = await Stage.open({ places: 2, network: { handlers: { holdBack } }, delivery: { attempts: 2 } }));
  const says = (text: string, channel: string) =>
    on.network.port.receive({
      kind: "message",
      id: RemoteMessageId(text),
      channel: ChannelId(channel),
      sender: { id: RemoteUserId("carol"), name: "Carol" },
      content: { type: "text", style: "text", body: richTextOf(text) },
    });
  const heard = (place: number) =>
    on.homeserver
      .room(on.room(place))
      .messages()
      .map(({ content }) => String((content as { body?: unknown }).body));
  for (const text of ["one", "two", "three"]) await says(text, "channel0");
  await says("elsewhere", "channel1");
  await eventually(() => heard(1).length === 1, "the other room goes on");
  await eventually(() => asked.filter((each) => each === `channel0 ${on.room(0)}`).length > 4, "it is asked again");
  expect(heard(0)).toEqual([]);
  isHeld = false;
  await eventually(() => heard(0).length === 3, "all of it arrives");
  expect(heard(0)).toEqual(["one", "two", "three"]);
});
