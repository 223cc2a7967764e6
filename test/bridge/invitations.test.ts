import { afterEach, describe, expect, it } from "@jest/globals";
import type { InviteEffect } from "@trestle/core";
import { Stage } from "../faults/stage.js";
import { eventually, happens, person, Recorder } from "./recorder.js";

let stage: Stage;
afterEach(() => stage.close());

const ghost = "@fake_bob:faults.test";
const membershipOf = (user: string): unknown =>
  (stage.homeserver.room(stage.room()).state("m.room.member", user)?.content as { membership?: unknown } | undefined)
    ?.membership;

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

  it("and nothing happens where the network has no invitations", async () => {
    const recorder = new Recorder();
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    await stage.alice.invite(stage.room(), ghost);
    await stage.alice.setTopic(stage.room(), "tea");
    await eventually(() => recorder.calls.includes("topic tea"), "what came behind it");
    expect(recorder.calls).toEqual(["topic tea"]);
  });
});
