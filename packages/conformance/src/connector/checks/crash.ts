import { leaveOut } from "../../report/finding.js";
import { check, needs, type ConnectorCheck, type Note } from "../check.js";
import { expectArrived, textsAt, twiceAllowed } from "../relay.js";
import { longText } from "./lost.js";
import type { Stage } from "../stage.js";

const seenOnNetwork = (stage: Stage, mark: string): boolean =>
  textsAt(stage, "toNetwork", 0).some((text) => text.includes(mark));

async function tellAll(stage: Stage, marks: readonly string[]): Promise<void> {
  for (const mark of marks) await stage.tell(mark);
}

async function rise(stage: Stage): Promise<void> {
  await stage.life.crash();
  await stage.life.start();
}

async function afterAccepting(stage: Stage, note: Note): Promise<void> {
  const marks = stage.marks(6);
  await tellAll(stage, marks);
  await stage.homeserver.delivered("conformance", stage.options.patienceMs);
  await rise(stage);
  const story = "After the bridge was killed when it had accepted messages from the homeserver";
  await expectArrived(stage, { direction: "toNetwork", marks, story, twiceAllowed: twiceAllowed(stage, note) });
}

async function whileSending(stage: Stage, note: Note): Promise<void> {
  const marks = stage.marks(8);
  const telling = tellAll(stage, marks);
  await stage.until(() => seenOnNetwork(stage, marks[1] ?? ""));
  await rise(stage);
  await telling;
  const story = "After the bridge was killed while it was sending to the network";
  await expectArrived(stage, { direction: "toNetwork", marks, story, twiceAllowed: twiceAllowed(stage, note) });
}

async function unanswered(stage: Stage, note: Note): Promise<void> {
  const marks = stage.marks(3);
  const release = stage.fake.stall?.(stage.channel());
  await tellAll(stage, marks);
  const began = await stage.until(() => seenOnNetwork(stage, marks[0] ?? ""));
  await stage.life.crash();
  release?.();
  await stage.life.start();
  if (began === undefined) note("the stalled network never showed the message, so that nothing was in doubt");
  const story = "After the bridge was killed when the network had a message but had not answered";
  await expectArrived(stage, { direction: "toNetwork", marks, story, twiceAllowed: twiceAllowed(stage, note) });
}

async function betweenParts(stage: Stage, note: Note): Promise<void> {
  const { words, text } = longText(stage, 6_000);
  await stage.tell(text);
  await stage.until(() => seenOnNetwork(stage, words[0] ?? ""));
  const whole = seenOnNetwork(stage, words.at(-1) ?? "");
  await rise(stage);
  const parts = stage.fake
    .seen(stage.channel())
    .filter((each) => each.kind === "message" && words.some((word) => each.text.includes(word)));
  if (whole && parts.length === 1) leaveOut("the network takes long messages in one piece");
  const allowed = twiceAllowed(stage, note) === 0 ? 0 : words.length;
  const story = "After the bridge was killed between two parts of a long message (its words count as messages)";
  await expectArrived(stage, { direction: "toNetwork", marks: words, story, twiceAllowed: allowed });
}

async function afterReceiving(stage: Stage): Promise<void> {
  const marks = stage.marks(5);
  for (const mark of marks) await stage.say(mark);
  await rise(stage);
  const story = "After the bridge was killed when people of the network had just spoken";
  await expectArrived(stage, { direction: "toMatrix", marks, story });
}

async function whileBridging(stage: Stage): Promise<void> {
  const marks = stage.marks(stage.fake.remembers === true ? 5 : 1);
  let crashed: Promise<void> | undefined;
  // The homeserver has the event, and the bridge does not know it yet.
  const stopWatching = stage.homeserver.onEvent((event) => {
    const { sender, type } = event;
    const isFirst = typeof sender === "string" && stage.isGhost(sender) && type === "m.room.message";
    if (isFirst) crashed ??= stage.life.crash();
  });
  for (const mark of marks) await stage.say(mark);
  await stage.until(() => crashed !== undefined);
  stopWatching();
  await crashed;
  await stage.life.start();
  const story = "After the bridge was killed while it was sending to the homeserver";
  await expectArrived(stage, { direction: "toMatrix", marks, story });
}

const cycles = 3;

async function underLoad(stage: Stage, note: Note): Promise<void> {
  const out = stage.marks(10 * cycles);
  const back = stage.fake.remembers === true ? stage.marks(10 * cycles) : [];
  const talking = Promise.all([
    tellAll(stage, out),
    (async () => {
      for (const mark of back) await stage.say(mark);
    })(),
  ]);
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const goal = out[cycle * 10 + 4] ?? "";
    await stage.until(() => seenOnNetwork(stage, goal));
    await rise(stage);
  }
  await talking;
  const story = `After the bridge was killed ${cycles} times while people talked on both sides`;
  const allowed = twiceAllowed(stage, note) * cycles;
  await expectArrived(stage, { direction: "toNetwork", marks: out, story, twiceAllowed: allowed });
  await expectArrived(stage, { direction: "toMatrix", marks: back, story });
}

/** Killed at each step of the way, in either direction. */
const all: readonly ConnectorCheck[] = [
  check(
    "lost.crash-accepted",
    "Killed after it accepted messages from Matrix, the bridge delivers them once",
    afterAccepting,
  ),
  check("twice.crash-sending", "Killed while it sends, the bridge goes on where it was", whileSending),
  check(
    "twice.crash-unanswered",
    "Killed when the network had a message but had not answered, it is not sent again",
    unanswered,
    { without: needs("stall") },
  ),
  check("twice.crash-parts", "Killed between two parts of a message, it goes on with the next part", betweenParts),
  check(
    "lost.crash-received",
    "Killed when people of the network have just spoken, what they said arrives once",
    afterReceiving,
    { without: needs("remembers") },
  ),
  check("twice.crash-bridging", "Killed while it sends to the homeserver, nothing arrives twice", whileBridging),
  check(
    "lost.crash-load",
    "Killed again and again while people talk, nothing is lost, repeated or mixed up",
    underLoad,
  ),
];

/** Each on a stage of its own: several deaths in a row make the core suspicious of what it delivers. */
export const crashChecks: readonly ConnectorCheck[] = all.map((each) => ({ ...each, alone: true }));
