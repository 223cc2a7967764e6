import { fail } from "../../report/finding.js";
import { check, needs, type ConnectorCheck } from "../check.js";
import { eventAt, fence } from "../relay.js";
import type { SeenOnMatrix } from "../matrix-view.js";
import type { Stage } from "../stage.js";

const look = "where the connector calls `network.receive`";

async function received(stage: Stage, find: (seen: SeenOnMatrix) => boolean): Promise<SeenOnMatrix | undefined> {
  await fence(stage, "toMatrix");
  return [...stage.onMatrix(), ...stage.byBot()].find(find);
}

async function edited(stage: Stage): Promise<void> {
  const [before, after] = stage.marks(2) as [string, string];
  const id = await stage.say(before);
  const event = await eventAt(stage, before);
  await stage.fake.edit?.(stage.channel(), stage.person(), id, after);
  const found = await received(stage, ({ text }) => text.includes(after));
  if (found?.kind !== "edit" || found.target !== event)
    fail({
      failed: `A person of the network corrected a message; on Matrix it is ${found === undefined ? "missing" : found.kind === "edit" ? "a correction of another message" : "a new message"}.`,
      seen: "the mistake stays, or the message is there twice",
      look: `${look} with kind "edit": \`target\` is the id under which the message was received`,
    });
}

async function removed(stage: Stage): Promise<void> {
  const mark = stage.mark();
  const id = await stage.say(mark);
  const event = await eventAt(stage, mark);
  await stage.fake.remove?.(stage.channel(), stage.person(), id);
  const found = await received(stage, ({ kind, target }) => kind === "removal" && target === event);
  if (found === undefined)
    fail({
      failed: "A person of the network took back a message, and it still stands on Matrix.",
      seen: "what was to be forgotten can be read for ever",
      look: `${look} with kind "redaction": \`target\` is the id under which the message was received`,
    });
}

async function reacted(stage: Stage): Promise<void> {
  const mark = stage.mark();
  const id = await stage.say(mark);
  const event = await eventAt(stage, mark);
  await stage.fake.react?.(stage.channel(), stage.person(1), id, "👍");
  const found = await received(stage, ({ kind, target }) => kind === "reaction" && target === event);
  if (found === undefined)
    fail({
      failed: "A person of the network reacted to a message, and Matrix shows nothing.",
      seen: "no reaction",
      look: `${look} with kind "reaction"`,
    });
  if (!stage.fake.unreact) return;
  await stage.fake.unreact(stage.channel(), stage.person(1), id, "👍");
  const gone = await received(stage, ({ kind, target }) => kind === "removal" && target === found.event);
  if (gone === undefined)
    fail({
      failed: "A person of the network took back a reaction, and it still stands on Matrix.",
      seen: "a reaction that nobody gives",
      look: `${look} with kind "reactionRemoved"`,
    });
}

async function topic(stage: Stage): Promise<void> {
  const mark = stage.mark();
  await stage.fake.setTopic?.(stage.channel(), stage.person(), mark);
  const found = await stage.until(() =>
    [...stage.byBot(), ...stage.onMatrix()].find(({ kind, text }) => kind === "topic" && text.includes(mark)),
  );
  if (found === undefined)
    fail({
      failed: "A person of the network set the topic, and the room on Matrix has the old one.",
      seen: "the old topic",
      look: `${look} with kind "channel"`,
    });
}

async function shared(stage: Stage): Promise<void> {
  const name = `${stage.mark("f")}.txt`;
  const content = Buffer.from(`the content of ${name}`);
  await stage.fake.share?.(stage.channel(), stage.person(), { name, mimeType: "text/plain", content });
  const found = await received(stage, ({ text }) => text.includes(name));
  const url = found?.content["url"];
  const bytes = typeof url === "string" ? (await stage.alice.download(url)).content : undefined;
  if (bytes?.equals(content) !== true)
    fail({
      failed: `A person of the network showed a file; on Matrix it is ${found === undefined ? "missing" : bytes === undefined ? "only named" : "another one"}.`,
      seen: "no file, or one that does not open",
      look: `${look} with \`media\` content: \`source\`, and the connector's \`openMedia\``,
    });
}

async function emote(stage: Stage): Promise<void> {
  const mark = stage.mark();
  await stage.fake.say(stage.channel(), stage.person(), mark, { emote: true });
  const found = await received(stage, ({ text }) => text.includes(mark));
  if (found?.emote !== true)
    fail({
      failed: `A person of the network did something (/me); on Matrix it is ${found === undefined ? "missing" : "an ordinary message"}.`,
      seen: "“waves” in place of “alice waves”",
      look: `${look}: \`style: "emote"\``,
    });
}

export const receiveChecks: readonly ConnectorCheck[] = [
  check("can.edit-back", "A correction on the network replaces the message on Matrix", edited, {
    without: needs("edit"),
  }),
  check("can.redact-back", "What is taken back on the network is removed on Matrix", removed, {
    without: needs("remove"),
  }),
  check("can.react-back", "Reactions on the network are reactions on Matrix, and can be taken back", reacted, {
    without: needs("react"),
  }),
  check("can.topic-back", "The topic of the network is the room's", topic, { without: needs("setTopic") }),
  check("can.file-back", "A file on the network is one on Matrix", shared, { without: needs("share") }),
  check("can.emote-back", "An action on the network is one on Matrix", emote, { level: "should" }),
];
