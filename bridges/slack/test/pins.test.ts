import { afterEach, describe, expect, it } from "@jest/globals";
import { SlackStage } from "./support/stage.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const pinned = (opened: SlackStage): string[] => {
  const content = opened.homeserver.room(opened.room).state("m.room.pinned_events")?.content;
  return (content as { pinned?: string[] } | undefined)?.pinned ?? [];
};
const pinnedInSlack = (opened: SlackStage): string[] =>
  opened.slack
    .workspace("acme")
    .channel("general")
    .messages()
    .filter((message) => message.pinned)
    .map(({ text }) => text);

describe("a pinned message", () => {
  it("is pinned on the other side, both ways, until it is no longer", async () => {
    const opened = (stage = await SlackStage.open());
    const { alice, room } = opened;
    const person = opened.slack.workspace("acme").person("alice");
    const said = person.post("general", "rules");
    const { event_id: rules } = await opened.saidOnMatrix("rules");
    const menu = await alice.sendText(room, "menu");
    await opened.saidOnSlack("menu");

    person.pin(said);
    await opened.eventually(() => pinned(opened).length === 1, "it is pinned on Matrix");
    expect(pinned(opened)).toEqual([rules]);
    await alice.setState(room, "m.room.pinned_events", { pinned: [rules, menu] });
    await opened.eventually(() => pinnedInSlack(opened).length === 2, "the other one is pinned in Slack");
    expect(opened.slack.calls("pins.add")).toHaveLength(1);

    person.unpin(said);
    await opened.eventually(() => pinned(opened).length === 1, "it is no longer pinned on Matrix");
    expect(pinned(opened)).toEqual([menu]);
    await alice.setState(room, "m.room.pinned_events", { pinned: [] });
    await opened.eventually(() => pinnedInSlack(opened).length === 0, "nothing is pinned in Slack");

    // What Slack says about pins is no message.
    person.post("general", "the end");
    await opened.saidOnMatrix("the end");
    expect(opened.bodies()).toEqual(["rules", "menu", "the end"]);
    expect(pinned(opened)).toEqual([]);
  });

  it("is found so, or no longer, after the bridge was away", async () => {
    const opened = (stage = await SlackStage.open());
    const person = opened.slack.workspace("acme").person("alice");
    const [one, two] = [person.post("general", "one"), person.post("general", "two")];
    const events = [await opened.saidOnMatrix("one"), await opened.saidOnMatrix("two")].map((event) => event.event_id);
    await opened.eventually(() => opened.slack.calls("pins.list").length === 1, "the bridge has looked");
    for (const first of [true, false, true]) {
      await opened.stop();
      if (first) person.pin(one);
      else person.unpin(one);
      if (first) person.unpin(two);
      else person.pin(two);
      await opened.start();
      await opened.eventually(() => pinned(opened).join() === events[first ? 0 : 1], "the room has the same pins");
    }
  });

  it("is pinned by those who signed in as well, and in Slack already is as good", async () => {
    const opened = (stage = await SlackStage.open());
    const { alice, room } = opened;
    await opened.signIn(alice, "alice");
    const menu = await alice.sendText(room, "menu");
    await opened.saidOnSlack("menu");
    opened.slack.faults.api({ kind: "drop_after", method: "pins.add", times: 1 });
    await alice.setState(room, "m.room.pinned_events", { pinned: [menu] });
    await opened.eventually(() => pinnedInSlack(opened).length === 1, "it is pinned in Slack");
    await alice.setState(room, "m.room.pinned_events", { pinned: [] });
    await opened.eventually(() => pinnedInSlack(opened).length === 0, "it is unpinned");
  });
});
