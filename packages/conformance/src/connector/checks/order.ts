import { fail } from "../../report/finding.js";
import type { Seen } from "../../network/network-fake.js";
import { check, needs, type ConnectorCheck } from "../check.js";
import { eventAt, expectArrived, fence, seenAt, textsAt } from "../relay.js";
import type { Stage } from "../stage.js";
import { someOf } from "../tally.js";

async function burst(stage: Stage): Promise<void> {
  const [out, back, other] = [stage.marks(20), stage.marks(20), stage.marks(20)];
  await Promise.all([
    (async () => {
      for (const mark of out) await stage.tell(mark);
    })(),
    (async () => {
      for (const mark of back) await stage.say(mark);
    })(),
    (async () => {
      for (const mark of other) await stage.tell(mark, 1);
    })(),
  ]);
  const story = "When many messages came at once";
  await expectArrived(stage, { direction: "toNetwork", marks: out, story });
  await expectArrived(stage, { direction: "toMatrix", marks: back, story });
  await expectArrived(stage, { direction: "toNetwork", place: 1, marks: other, story });
}

interface Step {
  readonly name: string;
  readonly there: (seen: Seen) => boolean;
}

/** Does things of every kind on Matrix without waiting; the steps are what must be seen of them, in order. */
async function everyKind(stage: Stage): Promise<Step[]> {
  const { handlers } = stage.life.abilities;
  const can = (name: string): boolean => handlers.includes(name);
  const room = stage.room();
  const [first, corrected, emote, second, topic, third] = stage.marks(6) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const says = (mark: string) => (seen: Seen) => "text" in seen && seen.text.includes(mark);
  const steps: Step[] = [{ name: "a message", there: says(first) }];
  const event = await stage.tell(first);
  await stage.alice.edit(room, event, corrected);
  steps.push({ name: "its correction", there: says(corrected) });
  await stage.alice.sendEmote(room, emote);
  steps.push({ name: "an action", there: says(emote) });
  const reacted = await stage.tell(second);
  steps.push({ name: "a second message", there: says(second) });
  if (can("react")) {
    await stage.alice.react(room, reacted, "🚂");
    steps.push({ name: "a reaction to it", there: (seen) => seen.kind === "reaction" && seen.key.includes("🚂") });
  }
  if (can("topic")) {
    await stage.alice.setTopic(room, topic);
    steps.push({ name: "a new topic", there: (seen) => seen.kind === "topic" && seen.text.includes(topic) });
  }
  if (can("redact")) {
    await stage.alice.redact(room, event);
    steps.push({ name: "the removal of the first message", there: (seen) => seen.kind === "removal" });
  }
  await stage.tell(third);
  steps.push({ name: "a last message", there: says(third) });
  return steps;
}

async function kinds(stage: Stage): Promise<void> {
  const before = seenAt(stage).length;
  const steps = await everyKind(stage);
  await fence(stage, "toNetwork");
  const seen = seenAt(stage).slice(before);
  const places = steps.map(({ name, there }) => ({ name, at: seen.findIndex(there) }));
  const missing = places.filter(({ at }) => at < 0).map(({ name }) => name);
  const sorted = [...places].sort((a, b) => a.at - b.at);
  const wrong = missing.length === 0 && sorted.some(({ name }, index) => name !== places[index]?.name);
  if (missing.length > 0)
    fail({
      failed: `Of things of several kinds that happened one after the other on Matrix, the network never saw: ${missing.join(", ")}.`,
      seen: "a correction, a reaction or a removal has no effect on the network",
      look: "the connector's handler of that kind; it must know what `message` returned as `id`",
    });
  if (wrong)
    fail({
      failed: `On Matrix it was: ${places.map(({ name }) => name).join(", ")}. On the network it was: ${sorted.map(({ name }) => name).join(", ")}.`,
      seen: "a correction or an action stands before what it came after",
      look: "the connector's handlers: each must resolve only when the network has it, whatever its kind",
    });
}

async function kindsBack(stage: Stage): Promise<void> {
  const { fake } = stage;
  const [first, corrected, second] = stage.marks(3) as [string, string, string];
  const channel = stage.channel();
  const id = await stage.say(first);
  if (fake.edit) await fake.edit(channel, stage.person(), id, corrected);
  await stage.say(second);
  await fence(stage, "toMatrix");
  await eventAt(stage, first);
  const expected = fake.edit ? [first, corrected, second] : [first, second];
  const texts = stage.textsOnMatrix();
  const places = expected.map((mark) => texts.findIndex((text) => text.includes(mark)));
  const inOrder = places.every((place, index) => place >= 0 && place >= (places[index - 1] ?? 0));
  if (!inOrder)
    fail({
      failed: `On the network a message, its correction and another message came one after the other; Matrix shows them at ${someOf(places.map(String))} of its timeline (-1: not at all).`,
      seen: "a correction stands before its message, or is missing",
      look: "where the connector calls `network.receive`: in the network's order, whatever the kind",
    });
}

async function rooms(stage: Stage): Promise<void> {
  const [stuck, free] = [stage.marks(2), stage.marks(3)];
  const release = stage.fake.stall?.(stage.channel(0));
  try {
    for (const mark of stuck) await stage.tell(mark, 0);
    for (const mark of free) await stage.tell(mark, 1);
    const arrived = await stage.until(() =>
      free.every((mark) => textsAt(stage, "toNetwork", 1).some((text) => text.includes(mark))),
    );
    if (arrived === undefined)
      fail({
        failed: "While one channel of the network did not answer, messages to another did not arrive.",
        seen: "one slow channel silences all of them",
        look: "the connector's `message`: no queue or lock may be shared by channels",
      });
  } finally {
    release?.();
  }
  await expectArrived(stage, {
    direction: "toNetwork",
    marks: stuck,
    story: "When a channel answered again that had been stuck",
  });
}

export const orderChecks: readonly ConnectorCheck[] = [
  check("order.burst", "Many messages at once keep their order, both ways and in two rooms", burst),
  check("order.kinds", "Things of every kind reach the network in the order in which they happened on Matrix", kinds),
  check(
    "order.kinds-back",
    "Things of every kind reach Matrix in the order in which they happened on the network",
    kindsBack,
  ),
  check("order.rooms", "A channel that is stuck delays no other", rooms, { without: needs("stall") }),
];
