import { afterEach, describe, expect, it } from "@jest/globals";
import {
  ban,
  bot,
  close,
  enter,
  list,
  metric,
  open,
  rule,
  says,
  settled,
  statusOf,
  taken,
  until,
} from "./policy-stage.js";
import { eventually } from "./recorder.js";

afterEach(close);

describe("a policy list", () => {
  it("is read at the start, and what was kept of it counts until it is read again", async () => {
    const all = await open({}, { rules: { "@mallory:faults.test": ban } });
    const { opened, mallory } = all;
    await until(all, "read");
    expect(await says(all, mallory, "one")).toBe(false);
    await opened.stop();
    // While Trestle is away the bot is put out, and cannot come back.
    await opened.alice.setState(all.list, "m.room.join_rules", { join_rule: "invite" });
    await opened.alice.kick(all.list, bot);
    await mallory.sendText(opened.room(), "two");
    await opened.start();
    expect(await says(all, mallory, "three")).toBe(false);
    let detail: string | undefined;
    await eventually(
      () => (void statusOf(all).then((status) => (detail = status.detail)), detail !== undefined),
      "the operator is told",
    );
    expect(await statusOf(all)).toMatchObject({ list, state: "kept", bans: 1 });
    expect(detail).toMatch(
      /may not join the room of the policy list #bans:faults\.test .*invite @fakebot:faults\.test/,
    );
    // Meanwhile the rule went; the bot reads that when it is let in.
    await opened.alice.setState(all.list, "m.policy.rule.user", {}, "rule 0");
    await opened.alice.invite(all.list, bot);
    await until(all, "read");
    expect(await says(all, mallory, "four")).toBe(true);
    expect(taken(all)).not.toContain("two");
  });

  it("whose alias has moved to another room bans by that room's rules alone", async () => {
    const all = await open({}, { rules: { "@mallory:faults.test": ban } });
    const { opened, mallory } = all;
    await until(all, "read");
    expect(await says(all, mallory, "one")).toBe(false);
    await opened.stop();
    await opened.alice.request("DELETE", `/_matrix/client/v3/directory/room/${encodeURIComponent(list)}`);
    const room = await opened.alice.createRoom({ room_alias_name: "bans", preset: "public_chat" });
    await opened.start();
    await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot is in the new room");
    await until(all, "read");
    expect(await says(all, mallory, "two")).toBe(true);
  });

  it("that cannot be joined does not stop the bridge, and counts once the bot is invited", async () => {
    const all = await open({}, { isPublic: false, rules: { "@mallory:faults.test": ban } });
    const { opened, mallory } = all;
    expect(await says(all, mallory, "one")).toBe(true);
    expect(await statusOf(all)).toMatchObject({ state: "unread", bans: 0 });
    await opened.alice.invite(all.list, bot);
    await until(all, "read");
    expect(await says(all, mallory, "two")).toBe(false);
  });

  it("counts by its room's state alone", async () => {
    const all = await open();
    const { opened, mallory } = all;
    await until(all, "read");
    const content = { entity: mallory.userId, ...ban };
    // Elsewhere, and no state.
    await opened.alice.setState(opened.room(), "m.policy.rule.user", content, "rule");
    await opened.alice.send(all.list, "m.policy.rule.user", content);
    expect(await says(all, mallory, "heard")).toBe(true);
    await mallory.join(all.list);
    await expect(
      mallory.setState(all.list, "m.policy.rule.user", { entity: "@alice:*", ...ban }, "x"),
    ).rejects.toThrow();
  });

  it("bans from the moment of the rule what waits for the network already", async () => {
    const all = await open();
    const { opened, mallory } = all;
    await until(all, "read");
    opened.network.down = true;
    await mallory.sendText(opened.room(), "waits");
    await eventually(() => opened.network.attempts.some((each) => each.text === "waits"), "an attempt");
    await rule(all, mallory.userId);
    await opened.homeserver.delivered("fake");
    opened.network.comeBack();
    await settled(all);
    expect(taken(all)).not.toContain("waits");
  });

  it("bans who is just coming in, for the network", async () => {
    const all = await open();
    const { opened, recorder, passage } = all;
    await until(all, "read");
    let letIn: () => void = () => undefined;
    passage.gate = new Promise((resolve) => (letIn = resolve));
    const trudy = opened.homeserver.createClient("trudy");
    await enter(opened, trudy);
    await opened.homeserver.delivered("fake");
    await rule(all, "@*y:faults.test");
    const queue = () => opened.trestle.services.queue.list({ direction: "toNetwork" });
    let waiting = 0;
    const look = (): void => void queue().then((entries) => (waiting = entries.length));
    await eventually(() => (look(), waiting > 1), "those who were there have been looked for");
    letIn();
    await eventually(() => recorder.calls.includes("leave mallory"), "those who were there leave");
    await eventually(() => recorder.calls.includes("leave trudy"), "and who has just come");
    expect(recorder.calls.filter((call) => call.endsWith("trudy"))).toEqual(["join trudy", "leave trudy"]);
  });

  it("that is taken out of the configuration bans nobody any more", async () => {
    const all = await open();
    const { opened, recorder, mallory } = all;
    await until(all, "read");
    await rule(all, mallory.userId);
    await says(all, mallory, "one");
    await eventually(() => recorder.calls.includes("leave mallory"), "mallory is not there");
    await opened.configure({ policyLists: [] });
    await opened.stop();
    await opened.start();
    await eventually(() => recorder.calls.at(-1) === "join mallory", "mallory is there");
    expect(await says(all, mallory, "two")).toBe(true);
  });

  it("of rooms keeps what is said in them from the network, and the bot out of them", async () => {
    const all = await open();
    const { opened, mallory } = all;
    await until(all, "read");
    await opened.alice.setState(all.list, "m.policy.rule.room", { entity: "#evil*:*", ...ban }, "alias");
    const evil = await opened.alice.createRoom({ room_alias_name: "evil1", preset: "public_chat" });
    await opened.homeserver.delivered("fake");
    const link = opened.trestle.services.link("fake", "#evil1:faults.test", "channel9", "operator");
    await expect(link).rejects.toThrow(/banned by a policy list/);
    expect(opened.homeserver.room(evil).members()[bot]).toBeUndefined();
    await opened.alice.setState(all.list, "m.policy.rule.room", { entity: opened.room(), ...ban }, "id");
    await mallory.sendText(opened.room(), "in a banned room");
    let dropped = 0;
    const look = (): void => void metric(all, "trestle_policy_dropped_total").then((count) => (dropped = count));
    await eventually(() => (look(), dropped === 1), "what is said there is dropped");
    await opened.alice.setState(all.list, "m.policy.rule.room", {}, "id");
    await settled(all);
    expect(taken(all)).not.toContain("in a banned room");
  });
});
