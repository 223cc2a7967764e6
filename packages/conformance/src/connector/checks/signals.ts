import { fail } from "../../report/finding.js";
import { check, needs, type ConnectorCheck } from "../check.js";
import { eventAt, needsHandler } from "../relay.js";
import type { Stage } from "../stage.js";

/** Does something once a second until it is seen: what is true for a moment may be dropped. Resolves to whether it was. */
async function seenSoon(stage: Stage, act: () => Promise<unknown>, isSeen: () => boolean): Promise<boolean> {
  let next = 0;
  const seen = await stage.until(async () => {
    if (isSeen()) return true;
    if (performance.now() >= next) {
      await act();
      next = performance.now() + 1_000;
    }
    return false;
  });
  return seen ?? false;
}

async function typing(stage: Stage): Promise<void> {
  needsHandler(stage, "typing");
  const { alice, fake } = stage;
  const sees = (place: 0 | 1): boolean => fake.seesTyping?.(stage.channel(place)) ?? false;
  const type = async (isTyping: boolean): Promise<void> => {
    // A homeserver tells of changes alone.
    await alice.setTyping(stage.room(), !isTyping);
    await alice.setTyping(stage.room(), isTyping);
  };
  if (
    !(await seenSoon(
      stage,
      () => type(true),
      () => sees(0),
    ))
  )
    fail({
      failed: "Somebody typed on Matrix, and nobody on the network saw it.",
      seen: "no sign that an answer is on its way",
      look: "the connector's `typing`: `authors` are all who are typing now",
    });
  if (sees(1))
    fail({
      failed: "Somebody typed in one room on Matrix, and was seen typing in another channel as well.",
      seen: "somebody seems to type where they are not",
      look: "the connector's `typing`: it is about `channel` alone",
    });
  if (
    !(await seenSoon(
      stage,
      () => type(false),
      () => !sees(0),
    ))
  )
    fail({
      failed: "Somebody stopped typing on Matrix; on the network they type for ever.",
      seen: "an answer that never comes",
      look: "the connector's `typing`: where `authors` is empty, nobody types any more",
    });
}

async function typingBack(stage: Stage): Promise<void> {
  const { fake, homeserver } = stage;
  const [channel, room] = [stage.channel(), stage.room()];
  const mark = stage.mark();
  await stage.say(mark);
  const event = await eventAt(stage, mark);
  const ghost = stage.onMatrix().find((seen) => seen.event === event)?.sender ?? "";
  const types = (): string[] => homeserver.room(room).typing();
  const type = async (isTyping: boolean): Promise<void> => fake.type?.(channel, stage.person(), isTyping);
  if (
    !(await seenSoon(
      stage,
      () => type(true),
      () => types().length > 0,
    ))
  )
    fail({
      failed: "A person of the network typed, and nobody on Matrix saw it.",
      seen: "no sign that an answer is on its way",
      look: 'where the connector hears of it: `network.signal` with kind "typing"',
    });
  if (!types().includes(ghost))
    fail({
      failed: `A person of the network (${ghost}) typed; on Matrix it was ${types().join(", ")}.`,
      seen: "somebody else seems to type",
      look: "`user.id` given to `network.signal`: the same as the `sender.id` of a message",
    });
  if (
    !(await seenSoon(
      stage,
      () => type(false),
      () => types().length === 0,
    ))
  )
    fail({
      failed: "A person of the network stopped typing, and still types on Matrix.",
      seen: "an answer that never comes",
      look: "`forMs` given to `network.signal`: 0 where the person stopped, and else no longer than the network says",
    });
}

async function receipt(stage: Stage): Promise<void> {
  needsHandler(stage, "receipt");
  const [first, second] = stage.marks(2) as [string, string];
  for (const mark of [first, second]) {
    const id = await stage.say(mark);
    const event = await eventAt(stage, mark);
    const seen = (): string | undefined => stage.fake.seesRead?.(stage.channel());
    if (
      await seenSoon(
        stage,
        () => stage.alice.sendReceipt(stage.room(), event),
        () => seen() === id,
      )
    )
      continue;
    fail({
      failed: `Somebody on Matrix read the message ${id} of the network; on the network ${seen() ?? "nothing"} was seen as read.`,
      seen: "what was read long ago stands there as new",
      look: "the connector's `receipt`: `upTo` is the id that was given to `network.receive`, or that `message` returned",
    });
  }
}

export const signalChecks: readonly ConnectorCheck[] = [
  check("can.typing", "Who types on Matrix is seen typing on the network, until they stop", typing, {
    without: needs("seesTyping"),
    level: "should",
  }),
  check("can.typing-back", "Who types on the network is seen typing on Matrix, until they stop", typingBack, {
    without: needs("type"),
    level: "should",
  }),
  check("can.receipt", "What was read on Matrix is seen as read on the network", receipt, {
    without: needs("seesRead"),
    level: "should",
  }),
];
