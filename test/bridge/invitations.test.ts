import { afterEach, describe, expect, it } from "@jest/globals";
import { refused, type InviteEffect } from "@trestle/core";
import { Stage } from "../faults/stage.js";
import { eventually, happens, person, Recorder } from "./recorder.js";

let stage: Stage;
afterEach(() => stage.close());

const ghost = "@fake_bob:faults.test";
const membershipOf = (user: string): unknown =>
  (stage.homeserver.room(stage.room()).state("m.room.member", user)?.content as { membership?: unknown } | undefined)
    ?.membership;

const isNotice = ({ content }: Readonly<Record<string, unknown>>): boolean =>
  (content as { msgtype?: unknown }).msgtype === "m.notice";
const notices = (): unknown[] =>
  stage.homeserver
    .room(stage.room())
    .messages()
    .filter(isNotice)
    .map(({ content }) => (content as { body?: unknown }).body);

describe("somebody on the network asks into a linked room", () => {
  async function open(): Promise<void> {
    stage = await Stage.open({ places: 1, network: { handlers: new Recorder().handlers } });
    await stage.alice.setState(stage.room(), "m.room.join_rules", { join_rule: "invite" });
    await stage.network.port.receive(
      happens({ kind: "membership", change: "join", user: person("bob"), intoRoom: true }),
    );
    await eventually(() => membershipOf(ghost) === "join", "bob's ghost is in the room");
  }

  it("a Matrix user, in their own name", async () => {
    await open();
    const dora = stage.homeserver.createClient("dora");
    const who = { userId: dora.userId };
    await stage.network.port.receive(happens({ kind: "invitation", by: person("bob"), who, reason: "tea" }));
    await eventually(() => membershipOf(dora.userId) === "invite", "dora is invited");
    const invitation = stage.homeserver.room(stage.room()).state("m.room.member", dora.userId);
    expect(invitation).toMatchObject({ sender: ghost, content: { reason: "tea" } });
    await dora.join(stage.room());
  });

  it("another person of the network, who may then come", async () => {
    await open();
    const who = { person: person("ann") };
    await stage.network.port.receive(happens({ kind: "invitation", by: person("bob"), who }));
    await eventually(() => membershipOf("@fake_ann:faults.test") === "invite", "ann's ghost is invited");
  });

  it("and holds up nothing where Matrix does not let them", async () => {
    await open();
    await stage.alice.setState(stage.room(), "m.room.power_levels", {
      users: { [stage.alice.userId]: 100, "@fakebot:faults.test": 100 },
      invite: 50,
    });
    const dora = stage.homeserver.createClient("dora");
    const who = { userId: dora.userId };
    await stage.network.port.receive(happens({ kind: "invitation", by: person("bob"), who }));
    await stage.network.say("channel0", "bob", "nobody came");
    await eventually(
      () =>
        stage.homeserver
          .room(stage.room())
          .messages()
          .some(({ content }) => (content as { body?: unknown }).body === "nobody came"),
      "what was said behind it",
    );
    expect(membershipOf(dora.userId)).toBeUndefined();
  });
});

describe("a Matrix user invites a person of the network into a linked room", () => {
  it("and the network is asked to tell them, whether they were ever seen here or not", async () => {
    const seen: Pick<InviteEffect, "who" | "reason" | "channel">[] = [];
    const invite = ({ who, reason, channel }: InviteEffect): Promise<undefined> => {
      seen.push({ who, channel, ...(reason !== undefined && { reason }) });
      return Promise.resolve(undefined);
    };
    const resolveUser = (wanted: string) => Promise.resolve(wanted === "nobody" ? null : person(wanted));
    stage = await Stage.open({ places: 1, network: { handlers: new Recorder({ invite, resolveUser }).handlers } });
    await stage.alice.invite(stage.room(), ghost);
    await eventually(() => seen.length === 1, "the invitation");
    await stage.alice.invite(stage.room(), "@fake_nobody:faults.test");
    await stage.alice.invite(stage.room(), "@fake_ann:faults.test");
    await eventually(() => seen.length === 2, "the other one");
    expect(seen.map(({ who, channel }) => [who, channel])).toEqual([
      ["bob", "channel0"],
      ["ann", "channel0"],
    ]);
  });

  it("and is told where the network refuses that", async () => {
    const invite = () => Promise.resolve(refused("Only members may invite."));
    const resolveUser = (id: string) => Promise.resolve(person(id));
    stage = await Stage.open({ places: 1, network: { handlers: new Recorder({ invite, resolveUser }).handlers } });
    await stage.alice.invite(stage.room(), ghost);
    await eventually(() => notices().length === 1, "a notice");
    expect(notices()).toEqual([expect.stringContaining("Only members may invite.")]);
  });

  it("and is told when they would rather not come, whose ghost then is invited no longer", async () => {
    const recorder = new Recorder({
      resolveUser: (id) => Promise.resolve(person(id)),
      invite: () => Promise.resolve(undefined),
    });
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    const { userId } = stage.alice;
    const declines = (id: string, how: "declined" | "refused", reason?: string) =>
      stage.network.port.receive(
        happens({ kind: "declined", who: person(id), how, userId, ...(reason !== undefined && { reason }) }),
      );
    await stage.alice.invite(stage.room(), ghost);
    await stage.alice.invite(stage.room(), "@fake_ann:faults.test");
    await stage.network.say("channel0", "carol", "here already");
    await eventually(() => membershipOf("@fake_carol:faults.test") === "join", "carol is in the room");
    await declines("bob", "declined", "no time");
    await declines("ann", "refused");
    await declines("carol", "declined");
    await eventually(() => notices().length === 3, "three notices");
    expect(notices()).toEqual([
      `bob, whom ${userId} had invited, would rather not come: no time`,
      `ann, whom ${userId} had invited, could not be asked.`,
      `carol, whom ${userId} had invited, would rather not come.`,
    ]);
    const [first] = stage.homeserver.room(stage.room()).messages().filter(isNotice);
    expect(first?.content).toMatchObject({ "m.mentions": { user_ids: [userId] } });
    expect([ghost, "@fake_ann:faults.test", "@fake_carol:faults.test"].map(membershipOf)).toEqual([
      "leave",
      "leave",
      "join",
    ]);
  });

  it("and nothing happens where the network has no invitations", async () => {
    const recorder = new Recorder();
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    await stage.alice.invite(stage.room(), ghost);
    await stage.alice.setTopic(stage.room(), "tea");
    await eventually(() => recorder.calls.includes("topic tea"), "what came behind it");
    expect(recorder.calls).toEqual(["topic tea"]);
  });
});
