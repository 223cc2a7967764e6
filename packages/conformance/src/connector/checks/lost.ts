import { check, needs, type ConnectorCheck, type Note } from "../check.js";
import { expectArrived, twiceAllowed, viewAt, whatIsKnown } from "../relay.js";
import { fail } from "../../report/finding.js";
import type { Stage } from "../stage.js";
import { account, someOf } from "../tally.js";

async function both(stage: Stage): Promise<void> {
  const [out, back] = [stage.marks(3), stage.marks(3)];
  for (const mark of out) await stage.tell(mark);
  for (const mark of back) await stage.say(mark);
  await expectArrived(stage, { direction: "toNetwork", marks: out, story: "In an ordinary conversation" });
  await expectArrived(stage, { direction: "toMatrix", marks: back, story: "In an ordinary conversation" });
}

async function networkAway(stage: Stage): Promise<void> {
  const marks = stage.marks(3);
  await stage.fake.disconnect();
  for (const mark of marks) await stage.tell(mark);
  await stage.homeserver.delivered("conformance", stage.options.patienceMs);
  await stage.fake.reconnect();
  await expectArrived(stage, { direction: "toNetwork", marks, story: "After an outage of the network" });
}

async function brokenOff(stage: Stage, note: Note): Promise<void> {
  const marks = stage.marks(12);
  const allowed = twiceAllowed(stage, note);
  for (const mark of marks.slice(0, 6)) await stage.tell(mark);
  // Some are there, some on their way, some still to be said.
  await stage.fake.disconnect();
  for (const mark of marks.slice(6)) await stage.tell(mark);
  await stage.homeserver.delivered("conformance", stage.options.patienceMs);
  await stage.fake.reconnect();
  const story = "After the connection broke off in the middle of a conversation";
  await expectArrived(stage, { direction: "toNetwork", marks, story, twiceAllowed: allowed });
}

async function homeserverAway(stage: Stage, note: Note): Promise<void> {
  const marks = stage.marks(4);
  const comeBack = stage.cutOffHomeserver();
  for (const mark of marks) await stage.say(mark);
  const { queue } = stage.life.services;
  const waits = await stage.until(
    async () => (await queue.list({ direction: "toMatrix", state: "waiting" })).length > 0,
  );
  comeBack();
  if (waits === undefined) note("nothing waited for the homeserver while it was away");
  await expectArrived(stage, { direction: "toMatrix", marks, story: "After an outage of the homeserver" });
}

async function bridgeAway(stage: Stage): Promise<void> {
  const [out, back] = [stage.marks(3), stage.marks(3)];
  await stage.life.stop();
  for (const mark of out) await stage.tell(mark);
  for (const mark of back) await stage.say(mark);
  await stage.life.start();
  const story = "After the bridge was stopped and started again";
  await expectArrived(stage, { direction: "toNetwork", marks: out, story });
  await expectArrived(stage, { direction: "toMatrix", marks: back, story });
}

async function networkBackWithHistory(stage: Stage): Promise<void> {
  const marks = stage.marks(3);
  await stage.fake.disconnect();
  const saying = Promise.all(
    marks.map((mark) =>
      stage.say(mark).then(
        () => true,
        () => false,
      ),
    ),
  );
  const said = await saying;
  await stage.fake.reconnect();
  const story = "After an outage during which people went on talking";
  await expectArrived(stage, { direction: "toMatrix", marks: marks.filter((_mark, index) => said[index]), story });
}

/** Words that can be told apart, whole, in their order. */
export function longText(stage: Stage, bytes: number): { readonly words: readonly string[]; readonly text: string } {
  const words = stage.marks(Math.ceil(bytes / 12), "w");
  return { words, text: words.join(" ") };
}

async function longMessage(stage: Stage): Promise<void> {
  const { words, text } = longText(stage, 6_000);
  await stage.tell(text);
  const last = words.at(-1) ?? "";
  await stage.until(() => viewAt(stage).some((each) => each.includes(last)));
  const shown = viewAt(stage).flatMap((each) => each.split(/\s+/));
  const { lost, twice, swapped } = account(words, shown);
  if (lost.length === 0 && twice.length === 0 && swapped.length === 0) return;
  fail({
    failed: `A text of ${text.length} bytes reached the network incomplete: ${lost.length} of ${words.length} words are missing (${someOf(lost, 3)}), ${twice.length} are there twice, ${swapped.length} in another order.${await whatIsKnown(stage)}`,
    seen: "the end of a long message is cut off, or its parts are mixed up",
    look: "`limits.textBytes` (smaller than what the network takes?), or the connector's `split`",
  });
}

async function longFromNetwork(stage: Stage): Promise<void> {
  const { words, text } = longText(stage, 300);
  await stage.say(text);
  const last = words.at(-1) ?? "";
  await stage.until(() => stage.textsOnMatrix().some((each) => each.includes(last)));
  const { lost } = account(
    words,
    stage.textsOnMatrix().flatMap((each) => each.split(/\s+/)),
  );
  if (lost.length === 0) return;
  fail({
    failed: `Of a text of ${text.length} bytes, ${lost.length} of ${words.length} words did not reach Matrix (${someOf(lost, 3)}).`,
    seen: "messages are cut off",
    look: "how the connector reads the network's messages before it calls `network.receive`",
  });
}

export const lostChecks: readonly ConnectorCheck[] = [
  check("lost.conversation", "What is said on either side is read on the other", both),
  check("lost.network-away", "What is said on Matrix while the network is away arrives later", networkAway),
  check("lost.broken-off", "A connection that breaks off in a conversation costs nothing", brokenOff),
  check(
    "lost.homeserver-away",
    "What is said on the network while the homeserver is away arrives later",
    homeserverAway,
  ),
  check("lost.bridge-away", "What is said while the bridge is stopped arrives at its next start", bridgeAway, {
    without: needs("remembers"),
  }),
  check("lost.history", "What people said during an outage of the network is caught up with", networkBackWithHistory, {
    without: needs("remembers"),
  }),
  check("lost.long", "A long message arrives whole", longMessage),
  check("lost.long-back", "A message of several hundred bytes arrives on Matrix whole", longFromNetwork),
];
