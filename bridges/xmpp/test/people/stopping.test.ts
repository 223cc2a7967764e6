import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { until } from "../../../../test/support/bounded.js";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import type { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { onEachServer } from "../support/each-server.js";
import { type PeopleStage, stageWithBob, type StageWithBob } from "../support/people-stage.js";

const rounds = 4;
/** How many messages may be on their way. */
const window = 100;

await onEachServer("what people on $server write while the bridge stops", ["bob"], behaviour);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let begun: StageWithBob;
  let stage: PeopleStage;
  let bob: XmppPerson;
  let room: string;
  const sent: string[] = [];
  const returned = new Set<string>();

  beforeAll(async () => {
    begun = await stageWithBob(install, start);
    ({ stage, bob } = begun);
  }, 60_000);
  afterAll(() => begun.close(), 60_000);

  const heard = () => stage.bodies(room).filter((body) => body.startsWith("flood"));

  /** Resolves when what was sent has been heard or has come back, but for so many. */
  async function settled(unsettled: number): Promise<void> {
    await until(
      15_000,
      `all but ${unsettled} messages heard, or back`,
      () => {
        for (const { name, type, id } of bob.seen.splice(0))
          if (name === "message" && type === "error" && id !== null) returned.add(id);
        return heard().length + returned.size >= sent.length - unsettled ? true : undefined;
      },
      () => `Neither heard nor back: ${sent.filter((id) => !returned.has(id) && !heard().includes(id)).join(" ")}`,
    );
  }

  async function write(address: string): Promise<void> {
    const id = `flood ${sent.length}`;
    sent.push(id);
    await bob.raw(`<message to="${address}" type="chat" id="${id}"><body>${id}</body></message>`);
  }

  async function flood(address: string, stopped: AbortSignal): Promise<void> {
    const over = new Promise<void>((resolve) => stopped.addEventListener("abort", () => resolve()));
    while (!stopped.aborted) {
      for (let n = 0; n < 20; n++) await write(address);
      await Promise.race([settled(window), over]);
    }
  }

  it("reaches the Matrix user, or comes back to them", async () => {
    const alice = stage.homeserver.createClient("alice");
    const address = stage.addressOf(alice);
    await bob.say(address, "begin");
    room = await stage.directRoom(alice, "bob@localhost");
    await stage.hears(room, "begin");
    for (let round = 0; round < rounds; round++) {
      const first = sent.length;
      const stopped = new AbortController();
      const flooded = flood(address, stopped.signal);
      await stage.hears(room, `flood ${first}`);
      await stage.stop();
      stopped.abort();
      await flooded;
      // The flood may have waited for the bridge: this one certainly finds it gone.
      await write(address);
      await stage.start();
      await settled(0);
    }
    expect(heard()).toEqual(sent.filter((id) => !returned.has(id)));
    // Nobody knew before the bridge was gone.
    expect(returned.size).toBeGreaterThan(0);
  }, 120_000);
}
