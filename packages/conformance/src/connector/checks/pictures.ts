import { fail } from "../../report/finding.js";
import { check, needs, type ConnectorCheck } from "../check.js";
import { fence, needsHandler, seenAt } from "../relay.js";
import type { Stage } from "../stage.js";

/** One pixel; what stands behind the end of a PNG nobody looks at, and it makes every picture another one. */
const pixel = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);

function pictureOf(stage: Stage): Buffer {
  return Buffer.concat([pixel, Buffer.from(stage.mark())]);
}

async function passedOn(stage: Stage): Promise<void> {
  needsHandler(stage, "picture");
  const picture = pictureOf(stage);
  const url = await stage.alice.upload(picture, "image/png");
  await stage.alice.setState(stage.room(), "m.room.avatar", { url });
  await fence(stage, "toNetwork");
  const count = seenAt(stage).filter((each) => each.kind === "picture" && picture.equals(each.image)).length;
  if (count !== 1)
    fail({
      failed: `The room was given a picture on Matrix; on the network it was seen ${count} times.`,
      seen: count === 0 ? "the old picture, or none" : "the picture is set again and again",
      look: "the connector's `picture`, and `network.openMedia`",
    });
  await fence(stage, "toMatrix");
  if (stage.byBot().some(({ kind }) => kind === "picture"))
    fail({
      failed: "The picture that the room was given on Matrix came back from the network and was set once more.",
      seen: "the bridge's bot changes the picture after everybody who does",
      look: "where the connector receives `channel` events: what the bridge itself did must not be received",
    });
}

async function received(stage: Stage): Promise<void> {
  const picture = pictureOf(stage);
  await stage.fake.setPicture?.(stage.channel(), stage.person(), picture);
  await stage.until(() => urlIn(stage));
  const url = urlIn(stage);
  const bytes = url === undefined ? undefined : (await stage.alice.download(url)).content;
  if (bytes?.equals(picture) !== true)
    fail({
      failed: `A person of the network gave the channel a picture; the room on Matrix has ${bytes === undefined ? "none" : "another one"}.`,
      seen: "the old picture, or none",
      look: 'where the connector calls `network.receive` with kind "channel": `picture`, and the connector\'s `openMedia`',
    });
}

/** The picture that the bridge's bot has given the room. */
function urlIn(stage: Stage): string | undefined {
  const url = stage.byBot().findLast(({ kind }) => kind === "picture")?.text;
  return url === "" ? undefined : url;
}

export const pictureChecks: readonly ConnectorCheck[] = [
  check("can.picture", "The picture of the room is passed on once", passedOn),
  check("can.picture-back", "The picture of the channel is the room's", received, { without: needs("setPicture") }),
];
