import { afterEach, describe, expect, it } from "@jest/globals";
import { RoomId, UserId, type RoomView } from "@trestle/core";
import {
  ban,
  bot,
  close,
  enter,
  lift,
  metric,
  open,
  rule,
  type RuleContent,
  said,
  says,
  settled,
  taken,
  until,
} from "./policy-stage.js";
import { eventually } from "./recorder.js";

afterEach(close);

describe("a user whom a policy list bans", () => {
  it("is not heard on the network from the rule on, is not there any more, and is back when the rule goes", async () => {
    const all = await open();
    const { opened, recorder, mallory } = all;
    await until(all, "read");
    expect(await says(all, mallory, "before")).toBe(true);
    await rule(all, mallory.userId);
    expect(await says(all, mallory, "banned")).toBe(false);
    await mallory.react(opened.room(), await opened.alice.sendText(opened.room(), "hello"), "👎");
    await mallory.setDisplayName("Mallory the second");
    await settled(all);
    await eventually(() => recorder.calls.includes("leave mallory"), "the network is told that they left");
    expect(recorder.calls.filter((call) => /mallory|👎/i.test(call))).toEqual(["join mallory", "leave mallory"]);
    expect(await metric(all, 'trestle_policy_dropped_total{bridge="fake"}')).toBeGreaterThanOrEqual(2);

    await lift(all, mallory.userId);
    await eventually(
      () => recorder.calls.includes("join Mallory the second"),
      "the network is told that they are back",
    );
    expect(await says(all, mallory, "after")).toBe(true);
    expect(taken(all)).not.toContain("banned");
    expect(recorder.calls.filter((call) => /mallory/i.test(call))).toHaveLength(3);
  });

  it("is told nothing by themselves, and in answer to a command that and not why", async () => {
    const all = await open();
    const { opened, mallory } = all;
    await until(all, "read");
    const rooms = opened.homeserver.roomIds().length;
    await rule(all, mallory.userId);
    await says(all, mallory, "banned");
    expect(said(opened, opened.room())).toEqual([]);
    await mallory.sendText(opened.room(), "!fake help");
    await eventually(() => said(opened, opened.room()).length === 1, "an answer");
    const [answer] = said(opened, opened.room());
    expect(answer).toMatch(/^You may not use this bridge: .*banned by a moderation policy/);
    expect(answer).not.toMatch(/spam|#bans/);
    expect(opened.homeserver.roomIds()).toHaveLength(rooms);
  });

  it("cannot invite the bot or sign in", async () => {
    const all = await open();
    const { opened, mallory, signedIn } = all;
    await until(all, "read");
    const room = await mallory.createRoom({ invite: [bot], is_direct: true, preset: "trusted_private_chat" });
    await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
    await rule(all, mallory.userId);
    await settled(all);
    await mallory.sendText(room, "login");
    await eventually(() => said(opened, room).some((each) => each.startsWith("You may not use this bridge")), "no");
    const other = await mallory.createRoom({ invite: [bot] });
    await mallory.sendText(room, "help");
    await eventually(() => said(opened, room).length === 2, "the second answer");
    expect(opened.homeserver.room(other).members()[bot]).toBe("invite");
    expect(signedIn).toEqual([]);
  });

  it("has their account let go, also at the next start, and taken up again when the rule goes", async () => {
    const all = await open();
    const { opened, mallory, suspended, signedIn } = all;
    await until(all, "read");
    const room = await mallory.createRoom({ invite: [bot], is_direct: true, preset: "trusted_private_chat" });
    await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
    await mallory.sendText(room, "login");
    await eventually(() => signedIn.length === 1, "mallory is signed in");
    await rule(all, mallory.userId);
    await eventually(() => suspended.includes(mallory.userId), "the account is let go");
    suspended.length = 0;
    await opened.stop();
    await opened.start();
    await eventually(() => suspended.includes(mallory.userId), "the account is let go after a start");
    expect(signedIn).toHaveLength(1);
    await lift(all, mallory.userId);
    await eventually(() => signedIn.length === 2, "mallory is signed in again");
    expect(await opened.network.port.logins()).toHaveLength(1);
  });

  it("is not seen typing, nobody for people of the network, and not in the room as connectors see it", async () => {
    const all = await open();
    const { opened, mallory } = all;
    await until(all, "read");
    const view = (): Promise<RoomView> => opened.network.port.lookAtRoom(RoomId(opened.room()));
    const names = async (): Promise<string[]> => (await view()).members.map(({ userId }) => userId);
    expect(await names()).toContain(mallory.userId);
    await rule(all, mallory.userId);
    await settled(all);
    expect(await names()).not.toContain(mallory.userId);
    expect(await opened.network.port.lookUpUser(UserId(mallory.userId))).toEqual({ is: "nobody" });
    await mallory.setTyping(opened.room(), true);
    await opened.alice.setTyping(opened.room(), true);
    const seen = () => opened.network.typing.flatMap(({ authors }) => authors.map(({ userId }) => userId));
    await eventually(() => seen().includes(UserId(opened.alice.userId)), "alice is seen typing");
    expect(seen()).not.toContain(mallory.userId);
  });

  it("who comes into a room meanwhile is told of when the rule goes, and who went is not", async () => {
    const all = await open();
    const { opened, recorder, mallory } = all;
    await until(all, "read");
    const eve = opened.homeserver.createClient("eve");
    await rule(all, "@eve:*");
    await rule(all, mallory.userId);
    await enter(opened, eve);
    await eventually(() => recorder.calls.includes("leave mallory"), "mallory is not there");
    await opened.alice.kick(opened.room(), mallory.userId);
    await settled(all);
    await lift(all, mallory.userId);
    await lift(all, "@eve:*");
    await eventually(() => recorder.calls.includes("join eve"), "eve is there");
    expect(recorder.calls.filter((call) => /eve|mallory/.test(call))).toEqual([
      "join mallory",
      "leave mallory",
      "join eve",
    ]);
  });

  it("keeps their conversations with people of the network, which end when they leave", async () => {
    const all = await open();
    const { opened, recorder, mallory } = all;
    await until(all, "read");
    const direct = async (): Promise<number> =>
      (await opened.trestle.services.list()).filter(({ kind }) => kind === "direct").length;
    const bob = "@fake_bob:faults.test";
    const room = await mallory.createRoom({ invite: [bob], is_direct: true });
    await eventually(() => opened.homeserver.room(room).members()[bob] === "join", "bob is there");
    await mallory.sendText(room, "hello bob");
    await eventually(() => taken(all).includes("hello bob"), "it reaches bob");
    await rule(all, mallory.userId);
    await eventually(() => recorder.calls.includes("leave mallory"), "mallory is not there");
    await mallory.sendText(room, "banned, bob");
    await lift(all, mallory.userId);
    await eventually(() => recorder.calls.at(-1) === "join mallory", "mallory is there");
    await mallory.sendText(room, "it is me, bob");
    await eventually(() => taken(all).includes("it is me, bob"), "it reaches bob again");
    expect(recorder.calls.filter((call) => call.includes("mallory"))).toHaveLength(3);
    expect(taken(all)).not.toContain("banned, bob");
    expect(await direct()).toBe(1);
    await rule(all, mallory.userId);
    await mallory.leave(room);
    let left = 1;
    const look = (): void => void direct().then((count) => (left = count));
    await eventually(() => (look(), left === 0), "the conversation is over");
  });

  it("by the name of their server is banned unless the operator named them, in every spelling of rules", async () => {
    const all = await open({}, { rules: { "f?ults.*": ban } });
    const { opened, mallory } = all;
    await until(all, "read");
    expect(await says(all, mallory, "from a banned server")).toBe(false);
    const server = "m.policy.rule.server";
    const key = "rule 0";
    const write = (type: string, content: RuleContent): Promise<string> =>
      opened.alice.setState(all.list, type, content, key);
    const heard = async (): Promise<boolean> => says(all, mallory, `spelling ${Math.random()}`);
    await write(server, {});
    expect(await heard()).toBe(true);
    const entity = "FAULTS.test";
    await write(server, { entity, recommendation: "org.matrix.mjolnir.ban" });
    expect(await heard()).toBe(false);
    await write(server, { entity, recommendation: "org.example.warn" });
    expect(await heard()).toBe(true);
    // The latest name of the type counts where there are several.
    await write("m.room.rule.server", { entity, ...ban });
    expect(await heard()).toBe(true);
    await opened.alice.setState(all.list, "org.matrix.mjolnir.rule.user", { entity: mallory.userId, ...ban }, "legacy");
    expect(await heard()).toBe(false);
  });
});
