import { fail } from "../../report/finding.js";
import { check, needs, type ConnectorCheck, type Note } from "../check.js";
import { eventAt, expectArrived, fence, textsAt, twiceAllowed } from "../relay.js";
import type { Stage } from "../stage.js";
import { someOf } from "../tally.js";

async function echo(stage: Stage): Promise<void> {
  const [out, back] = [stage.marks(3), stage.marks(3)];
  for (const mark of out) await stage.tell(mark);
  await fence(stage, "toNetwork");
  for (const mark of back) await stage.say(mark);
  await fence(stage, "toMatrix");
  await fence(stage, "toNetwork");
  const onMatrix = out.filter((mark) => stage.textsOnMatrix().some((text) => text.includes(mark)));
  if (onMatrix.length > 0)
    fail({
      failed: `What was said on Matrix came back from the network: ${someOf(onMatrix)}.`,
      seen: "everything one says on Matrix is said once more by somebody of the network",
      look: "where the connector calls `network.receive`: what the bridge itself sent must not be received (know it by its id, or by who sent it)",
    });
  const onNetwork = back.filter((mark) => textsAt(stage, "toNetwork", 0).some((text) => text.includes(mark)));
  if (onNetwork.length > 0)
    fail({
      failed: `What was said on the network came back from Matrix: ${someOf(onNetwork)}.`,
      seen: "everything one says on the network is said once more by the bridge",
      look: "the connector sends what it has received; the core itself never hands a ghost's message to a connector",
    });
}

async function replayed(stage: Stage): Promise<void> {
  const marks = stage.marks(4);
  for (const mark of marks) await stage.say(mark);
  await fence(stage, "toMatrix");
  await stage.fake.replay?.(stage.channel());
  await expectArrived(stage, {
    direction: "toMatrix",
    marks,
    story: "After the network sent its latest messages once more",
  });
}

async function restarted(stage: Stage): Promise<void> {
  const [out, back] = [stage.marks(3), stage.marks(3)];
  for (const mark of out) await stage.tell(mark);
  for (const mark of back) await stage.say(mark);
  await fence(stage, "toNetwork");
  await fence(stage, "toMatrix");
  await stage.life.stop();
  await stage.life.start();
  const story = "After an orderly restart of the bridge";
  await expectArrived(stage, { direction: "toNetwork", marks: out, story });
  await expectArrived(stage, { direction: "toMatrix", marks: back, story });
}

async function samePerson(stage: Stage): Promise<void> {
  const [before, after] = [stage.mark(), stage.mark()];
  await stage.say(before);
  await eventAt(stage, before);
  await stage.life.stop();
  await stage.life.start();
  await fence(stage, "toMatrix");
  await stage.say(after);
  await eventAt(stage, after);
  const senders = stage
    .onMatrix()
    .filter(({ text }) => text.includes(before) || text.includes(after))
    .map(({ sender }) => sender);
  if (new Set(senders).size > 1)
    fail({
      failed: `One person of the network is two people on Matrix after a restart: ${someOf([...new Set(senders)])}.`,
      seen: "everybody leaves and comes back as somebody else whenever the bridge restarts",
      look: "`sender.id` given to `network.receive`: a person keeps their id for ever",
    });
}

async function slowAnswer(stage: Stage, note: Note): Promise<void> {
  const mark = stage.mark();
  const release = stage.fake.stall?.(stage.channel());
  await stage.tell(mark);
  const { queue } = stage.life.services;
  const gaveUp = await stage.until(async () =>
    (await queue.list({ direction: "toNetwork" })).some(({ attempts }) => attempts > 1),
  );
  release?.();
  if (gaveUp === undefined)
    note("the core never gave up on the message: the connector answered although the network did not");
  const allowed = twiceAllowed(stage, note);
  const story = "After the network was so slow to answer that the core gave up on a message and tried again";
  await expectArrived(stage, { direction: "toNetwork", marks: [mark], story, twiceAllowed: allowed });
}

export const twiceChecks: readonly ConnectorCheck[] = [
  check("twice.echo", "What the bridge says does not come back", echo),
  check("twice.replay", "What the network sends once more is not said once more", replayed, {
    without: needs("replay"),
  }),
  check("twice.restart", "A restart repeats nothing", restarted),
  check("twice.person", "A person of the network is the same on Matrix after a restart", samePerson),
  check("twice.slow", "A network that answers late does not get a message twice", slowAnswer, {
    without: needs("stall"),
    delivery: { handlerTimeout: 300 },
  }),
];
