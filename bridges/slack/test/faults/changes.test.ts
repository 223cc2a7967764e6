import { afterEach, describe, expect, it } from "@jest/globals";
import type { Posted } from "@trestle/slack-emulator";
import { FaultStage, type Place } from "./stage.js";

let stage: FaultStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});
const timeoutMs = 120_000;

/** A message of each side that both have. */
interface Said {
  readonly fromSlack: Posted;
  readonly fromMatrix: string;
}

const timeline = (on: FaultStage, { room }: Place) => on.homeserver.room(room).timeline();

async function say(on: FaultStage, place: Place): Promise<Said> {
  on.sayOnSlack(place, 1);
  const { channel, room, said } = place;
  const fromSlack = { channel: channel.id, ts: channel.messages().at(-1)?.ts ?? "" };
  const fromMatrix = await on.alice.sendText(room, `m${++said.matrix}`);
  const [there, here] = [`s${said.slack}`, `m${said.matrix}`];
  await on.until(
    `${there} and ${here} on both sides`,
    () => on.arrivedOnMatrix(place).includes(there) && on.arrivedOnSlack(place).includes(here),
  );
  return { fromSlack, fromMatrix };
}

/** What the room shows of a message's reactions and edits, and whether it is there. */
function seenOnMatrix(on: FaultStage, place: Place, text: string) {
  const message = timeline(on, place).find(({ content }) => on.textOf(content) === text);
  const related = timeline(on, place).flatMap(({ content }) => {
    const relation = on.relationOf(content);
    return relation?.event_id === message?.event_id && relation !== undefined ? [relation] : [];
  });
  return {
    edits: related.filter(({ rel_type }) => rel_type === "m.replace").length,
    reactions: related.flatMap(({ key }) => (key === undefined ? [] : [key])),
  };
}

const redactions = (on: FaultStage, place: Place): number =>
  timeline(on, place).filter(({ type }) => type === "m.room.redaction").length;

describe.each(["socket", "http"] as const)("what is changed over %s", (mode) => {
  it(
    "while Slack is down is changed on both sides once it is back",
    async () => {
      stage = await FaultStage.open(mode);
      const on = stage;
      const { slack, alice, bob } = on;
      const [general] = on.places;
      const [edited, reacted, deleted] = [await say(on, general), await say(on, general), await say(on, general)];
      await on.slackGoesAway(async () => {
        await alice.edit(general.room, edited.fromMatrix, "m1");
        await alice.react(general.room, reacted.fromMatrix, "🎉");
        await alice.redact(general.room, deleted.fromMatrix);
        bob.edit(edited.fromSlack, "s1 (edited)");
        bob.react(reacted.fromSlack, "tada");
        bob.delete(deleted.fromSlack);
        slack.clock.advance(60_000);
      });
      await slack.comeBack();
      await say(on, general);
      const bot = slack.app().botUserId();
      const { channel } = general;
      await on.until("all of it in Slack", () => {
        const texts = channel.texts().filter((text) => text.startsWith("m"));
        const reactions = channel.messages().find(({ text }) => text === "m2")?.reactions["tada"];
        const isEdited = channel.messages().some(({ text, edited: was }) => text === "m1" && was);
        return texts.join() === "m1,m2,m4" && reactions?.includes(bot) === true && isEdited;
      });
      await on.until(
        "all of it on Matrix",
        () =>
          seenOnMatrix(on, general, "s1").edits === 1 &&
          seenOnMatrix(on, general, "s2").reactions.join() === "🎉" &&
          redactions(on, general) === 2,
      );
      await on.settle();
      expect(seenOnMatrix(on, general, "s1")).toEqual({ edits: 1, reactions: [] });
      expect(seenOnMatrix(on, general, "s2")).toEqual({ edits: 0, reactions: ["🎉"] });
      // Alice's own and the one for Slack.
      expect(redactions(on, general)).toBe(2);
    },
    timeoutMs,
  );

  it(
    "twice within a second arrives twice and in order; what of it was missed is told, and nothing of it twice",
    async () => {
      stage = await FaultStage.open(mode, { clock: "frozen" });
      const on = stage;
      const { slack, bob } = on;
      const [general] = on.places;
      slack.clock.advance(2_000);
      const { fromSlack } = await say(on, general);
      const edits = (): string[] =>
        timeline(on, general).flatMap(({ content }) =>
          on.relationOf(content)?.rel_type === "m.replace" ? [on.textOf(content)] : [],
        );
      bob.edit(fromSlack, "s1 once");
      bob.edit(fromSlack, "s1 twice");
      bob.edit(fromSlack, "s1 once");
      await on.until("three edits", () => edits().length === 3);
      await slack.goDown();
      bob.edit(fromSlack, "s1 unheard");
      bob.edit(fromSlack, "s1 at last");
      await slack.comeBack();
      await say(on, general);
      await on.settle();
      await on.until("the last edit", () => edits().length > 3);
      // Whatever else came has had its turn before this.
      await say(on, general);
      expect(edits().map((text) => text.replace(/^\* /, ""))).toEqual(["s1 once", "s1 twice", "s1 once", "s1 at last"]);
    },
    timeoutMs,
  );

  it(
    "in Slack while the homeserver is down is changed once it is back, in order",
    async () => {
      stage = await FaultStage.open(mode);
      const on = stage;
      const { slack, bob } = on;
      const [general, random] = on.places;
      const kept = await say(on, general);
      await on.homeserver.stop();
      bob.edit(kept.fromSlack, "s1 (edited)");
      bob.react(kept.fromSlack, "tada");
      bob.unreact(kept.fromSlack, "tada");
      const gone = bob.post(general.channel.id, "a slip");
      bob.delete(gone);
      on.sayOnSlack(general, 2);
      on.sayOnSlack(random, 2);
      // Taken at once, though nobody is there to be told; what Slack had to send again would be held against the present.
      await slack.settled();
      slack.clock.advance(60_000);
      await on.homeserver.start();
      await on.until("the last of it", () => on.arrivedOnMatrix(random).length === 2 && redactions(on, general) === 2);
      await on.until("the last message", () => on.arrivedOnMatrix(general).includes("s3"));
      const shown = timeline(on, general)
        .filter(({ sender }) => typeof sender === "string" && !sender.startsWith("@alice"))
        .map(({ type, content }) =>
          type === "m.room.message" ? on.textOf(content) : typeof type === "string" ? type : "",
        )
        .filter((what) => !/member|bridge/.test(what));
      expect(shown).toEqual([
        "s1",
        "* s1 (edited)",
        "m.reaction",
        "m.room.redaction",
        // What was deleted.
        "",
        "m.room.redaction",
        "s2",
        "s3",
      ]);
    },
    timeoutMs,
  );

  it(
    "and limited by Slack holds up what is behind it in its channel, and nothing else",
    async () => {
      stage = await FaultStage.open(mode);
      const on = stage;
      const { slack, alice } = on;
      const [general, random] = on.places;
      const { fromMatrix } = await say(on, general);
      const limited = slack.faults.api({ kind: "rate_limit", method: "reactions.add", retryAfter: 1 });
      await alice.react(general.room, fromMatrix, "🎉");
      await on.until("Slack to refuse it", () => limited.hits > 0);
      await on.sayOnMatrix(general, 3);
      await on.sayOnMatrix(random, 5);
      on.sayOnSlack(general, 3);
      await on.until("what goes elsewhere", () => on.arrivedOnSlack(random).length === 5);
      await on.until("what comes", () => on.arrivedOnMatrix(general).length === 4);
      expect(on.arrivedOnSlack(general)).toEqual(["m1"]);
      limited.lift();
      await on.expectWhole();
      const done = slack.calls().filter(({ args, status }) => args["channel"] === general.channel.id && status === 200);
      const order = done.flatMap(({ method }) =>
        /^(?:reactions\.add|chat\.postMessage)$/.test(method) ? [method] : [],
      );
      expect(order.slice(0, 3)).toEqual(["chat.postMessage", "reactions.add", "chat.postMessage"]);
    },
    timeoutMs,
  );
});
