import { fail, leaveOut } from "../../report/finding.js";
import { check, type ConnectorCheck } from "../check.js";
import { arrivedAt, eventAt, fence, needsHandler, seenAt, textsAt, viewAt } from "../relay.js";
import type { Stage } from "../stage.js";
import { someOf } from "../tally.js";
import { longText } from "./lost.js";

async function edit(stage: Stage): Promise<void> {
  needsHandler(stage, "edit");
  const [before, after] = stage.marks(2) as [string, string];
  const event = await stage.tell(before);
  await arrivedAt(stage, before);
  await stage.alice.edit(stage.room(), event, after);
  await fence(stage, "toNetwork");
  const view = viewAt(stage);
  const shown = view.filter((text) => text.includes(after)).length;
  if (shown !== 1 || view.some((text) => text.includes(before)))
    fail({
      failed: `A message was corrected on Matrix; on the network the new text is there ${shown} times, and the old one ${view.some((text) => text.includes(before)) ? "still stands" : "is gone"}.`,
      seen: "the mistake stays, or the message is there twice",
      look: "the connector's `edit`, and the `id` that `message` returns",
    });
}

interface Parts {
  readonly event: string;
  readonly words: readonly string[];
}

/** A message that the network took in several parts. */
async function inParts(stage: Stage): Promise<Parts> {
  const { words, text } = longText(stage, 12_000);
  const event = await stage.tell(text);
  const last = words.at(-1) ?? "";
  await stage.until(() => textsAt(stage, "toNetwork", 0).some((each) => each.includes(last)));
  const parts = seenAt(stage).filter(
    (each) => each.kind === "message" && words.some((word) => each.text.includes(word)),
  );
  if (parts.length < 2) leaveOut("the network takes 12 000 bytes in one piece");
  return { event, words };
}

function leftOf(stage: Stage, words: readonly string[]): string[] {
  const view = viewAt(stage);
  return words.filter((word) => view.some((text) => text.includes(word)));
}

async function editParts(stage: Stage): Promise<void> {
  needsHandler(stage, "edit");
  const { event, words } = await inParts(stage);
  const after = stage.mark();
  await stage.alice.edit(stage.room(), event, after);
  await fence(stage, "toNetwork");
  const left = leftOf(stage, words);
  const shown = viewAt(stage).filter((text) => text.includes(after)).length;
  if (left.length > 0 || shown !== 1)
    fail({
      failed: `A message of several parts was corrected to a short one; ${left.length} of its ${words.length} words are still there (${someOf(left, 3)}), the new text ${shown} times.`,
      seen: "the rest of the old message stands below the new one",
      look: "the connector's `edit`: `target` names every part; put the new text into the first and remove the others",
    });
}

async function redact(stage: Stage): Promise<void> {
  needsHandler(stage, "redact");
  const [kept, gone] = stage.marks(2) as [string, string];
  await stage.tell(kept);
  const event = await stage.tell(gone);
  await arrivedAt(stage, gone);
  await stage.alice.redact(stage.room(), event, "a reason");
  await fence(stage, "toNetwork");
  const view = viewAt(stage);
  if (view.some((text) => text.includes(gone)) || !view.some((text) => text.includes(kept)))
    fail({
      failed: `One of two messages was removed on Matrix; on the network it ${view.some((text) => text.includes(gone)) ? "still stands" : "is gone, and the other one with it"}.`,
      seen: "what was to be forgotten can be read for ever",
      look: "the connector's `redact`, and the `id` that `message` returns",
    });
}

async function redactParts(stage: Stage): Promise<void> {
  needsHandler(stage, "redact");
  const { event, words } = await inParts(stage);
  await stage.alice.redact(stage.room(), event);
  await fence(stage, "toNetwork");
  const left = leftOf(stage, words);
  if (left.length > 0)
    fail({
      failed: `A message of several parts was removed on Matrix; ${left.length} of its ${words.length} words are still on the network (${someOf(left, 3)}).`,
      seen: "half of what was to be forgotten can be read for ever",
      look: "the connector's `redact`: `target` names every part",
    });
}

async function react(stage: Stage): Promise<void> {
  needsHandler(stage, "react");
  const [first, second, remote] = stage.marks(3) as [string, string, string];
  const event = await stage.tell(first);
  await stage.tell(second);
  const { id } = await arrivedAt(stage, first);
  await arrivedAt(stage, second);
  const theirs = await stage.say(remote);
  const reaction = await stage.alice.react(stage.room(), event, "👍");
  await stage.alice.react(stage.room(), await eventAt(stage, remote), "🎉");
  await fence(stage, "toNetwork");
  const reactions = seenAt(stage).flatMap((each) => (each.kind === "reaction" ? [each] : []));
  for (const [key, target] of [
    ["👍", id],
    ["🎉", theirs],
  ] as const) {
    const found = reactions.find((each) => each.key.includes(key));
    if (found?.target === target) continue;
    fail({
      failed: `A reaction (${key}) to the message ${String(target)} of the network was ${found ? `put on ${found.target}` : "never seen"}.`,
      seen: "applause for the wrong words, or none",
      look: "the connector's `react`; `target` is the id that `message` returned, or that was given to `network.receive`",
    });
  }
  if (!stage.life.abilities.handlers.includes("unreact")) return;
  await stage.alice.redact(stage.room(), reaction);
  await fence(stage, "toNetwork");
  if (!seenAt(stage).some((each) => each.kind === "reactionRemoved" && each.target === id))
    fail({
      failed: "A reaction was taken back on Matrix and still stands on the network.",
      seen: "a reaction that nobody gives",
      look: "the connector's `unreact`",
    });
}

async function changes(stage: Stage): Promise<void> {
  const kinds = (["topic", "name"] as const).filter((kind) => stage.life.abilities.handlers.includes(kind));
  if (kinds.length === 0) leaveOut("the connector has no topic, name");
  for (const kind of kinds) {
    const mark = stage.mark();
    await (kind === "topic" ? stage.alice.setTopic(stage.room(), mark) : stage.alice.setName(stage.room(), mark));
    await fence(stage, "toNetwork");
    const count = seenAt(stage).filter((each) => each.kind === kind && each.text.includes(mark)).length;
    if (count !== 1)
      fail({
        failed: `The ${kind} of the room was set on Matrix; on the network it was set ${count} times.`,
        seen: count === 0 ? `the old ${kind}` : `the ${kind} is set again and again`,
        look: `the connector's \`${kind}\`${count === 0 ? "" : "; and that what the bridge itself set is not received as a change"}`,
      });
    await fence(stage, "toMatrix");
    const echoed = stage.byBot().filter((each) => each.kind === kind && each.text.includes(mark)).length;
    if (echoed > 0)
      fail({
        failed: `The ${kind} that was set on Matrix came back from the network and was set once more.`,
        seen: `the bridge's bot changes the ${kind} after everybody who does`,
        look: "where the connector receives `channel` events: what the bridge itself did must not be received",
      });
  }
}

async function emote(stage: Stage): Promise<void> {
  const mark = stage.mark();
  await stage.alice.sendEmote(stage.room(), mark);
  const found = await stage.until(() => seenAt(stage).find((each) => "text" in each && each.text.includes(mark)));
  if (found === undefined)
    fail({
      failed: "An action (/me) on Matrix did not reach the network.",
      seen: "it is missing",
      look: 'the connector\'s `message`: `content.style` is "emote"',
    });
}

async function file(stage: Stage): Promise<void> {
  const name = `${stage.mark("f")}.txt`;
  const content = Buffer.from(`the content of ${name}`);
  await stage.alice.sendFile(stage.room(), "m.file", { content, contentType: "text/plain", filename: name });
  await fence(stage, "toNetwork");
  const seen = seenAt(stage);
  if (stage.life.abilities.limits.media !== true) {
    if (seen.some((each) => each.kind === "message" && each.text.includes(name))) return;
    fail({
      failed: `A file on Matrix is not even named on the network (${name}).`,
      seen: "nothing",
      look: "the connector's `message`: the core sends a line with a link",
    });
  }
  // People see it when their client has fetched it, which may be behind what was said next.
  const shown = await stage.until(() => seenAt(stage).find((each) => each.kind === "file" && each.name.includes(name)));
  if (shown?.kind !== "file" || !Buffer.from(shown.content).equals(content))
    fail({
      failed: `A file of ${content.length} bytes on Matrix is ${shown ? "another" : "missing"} on the network.`,
      seen: "no file, or one that does not open",
      look: "the connector's `message` for `media` content, and `network.openMedia`; leave out `limits.media` where the network takes no files",
    });
}

async function reply(stage: Stage): Promise<void> {
  const [question, answer] = stage.marks(2) as [string, string];
  const id = await stage.say(question);
  await stage.alice.reply(stage.room(), await eventAt(stage, question), answer);
  const found = await stage.until(() =>
    seenAt(stage).find((each) => each.kind === "message" && each.text.includes(answer)),
  );
  if (found?.kind !== "message")
    fail({
      failed: "A reply on Matrix did not reach the network.",
      seen: "it is missing",
      look: "the connector's `message`",
    });
  if (stage.life.abilities.limits.replies === true && found.replyTo !== id)
    fail({
      failed: `A reply to the message ${id} of the network was shown as one to ${found.replyTo ?? "nothing"}.`,
      seen: "an answer to the wrong question",
      look: "the connector's `message`: `replyTo.id`; leave out `limits.replies` where the network has none",
    });
}

export const sendChecks: readonly ConnectorCheck[] = [
  check("can.edit", "A correction on Matrix replaces the message on the network", edit),
  check("can.edit-parts", "A correction replaces every part of a long message", editParts),
  check("can.redact", "What is removed on Matrix is removed on the network", redact),
  check("can.redact-parts", "Every part of a long message is removed", redactParts),
  check("can.react", "Reactions reach the message they are for, and can be taken back", react),
  check("can.change", "Topic and name are passed on once", changes),
  check("can.emote", "An action on Matrix is read on the network", emote),
  check("can.file", "A file on Matrix is one on the network, or a line that names it", file),
  check("can.reply", "A reply on Matrix is read on the network, as a reply where it has them", reply),
];
