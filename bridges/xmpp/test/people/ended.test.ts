import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { until } from "../../../../test/support/bounded.js";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import type { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { onEachServer } from "../support/each-server.js";
import { type PeopleStage, stageWithBob, type StageWithBob } from "../support/people-stage.js";

await onEachServer("a message on $server to a Matrix user whose conversation has ended", ["bob"], behaviour);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let begun: StageWithBob;
  let stage: PeopleStage;
  let bob: XmppPerson;
  let users = 0;

  beforeAll(async () => {
    begun = await stageWithBob(install, start);
    ({ stage, bob } = begun);
  }, 60_000);
  afterAll(() => begun.close(), 60_000);

  const somebody = () => stage.homeserver.createClient(`user${++users}`);

  /** A conversation that bob began. */
  async function conversation() {
    const alice = somebody();
    const address = stage.addressOf(alice);
    await bob.say(address, "begin");
    const room = await stage.directRoom(alice, "bob@localhost");
    await alice.join(room);
    await stage.hears(room, "begin");
    return { alice, address, room };
  }

  async function expectUnlinked(room: string): Promise<void> {
    await until(10_000, "the link is gone", async () =>
      (await stage.trestle.services.list()).some((link) => link.room === room) ? undefined : true,
    );
  }

  it("gets a new room when somebody else alone is left in the old one", async () => {
    const { alice, address, room } = await conversation();
    const friend = somebody();
    await alice.invite(room, friend.userId);
    await friend.join(room);
    await alice.leave(room);
    await expectUnlinked(room);
    await bob.say(address, "for her alone");
    const next = await stage.directRoom(alice, "bob@localhost");
    await stage.hears(next, "for her alone");
    expect(stage.bodies(room)).not.toContain("for her alone");
  });

  it("gets a new room when the Matrix user has put the sender out of the old one", async () => {
    const alice = somebody();
    const ghost = stage.ghostOf("bob@localhost");
    const room = await alice.createRoom({ invite: [ghost], is_direct: true, preset: "private_chat" });
    expect(await stage.directRoom(alice, "bob@localhost")).toBe(room);
    await alice.kick(room, ghost);
    await expectUnlinked(room);
    await bob.say(stage.addressOf(alice), "sorry");
    const next = await stage.directRoom(alice, "bob@localhost");
    expect(next).not.toBe(room);
    await stage.hears(next, "sorry");
  });
}
