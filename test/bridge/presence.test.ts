import { afterEach, describe, expect, it } from "@jest/globals";
import { Stage } from "../faults/stage.js";
import { eventually, happens, person } from "./recorder.js";
import { patiently } from "../support/bounded.js";

let stage: Stage;
afterEach(() => stage.close());

const ghost = "@fake_bob:faults.test";

/** What the homeserver says of the ghost to somebody who shares a room with them. */
async function presence(): Promise<unknown> {
  const { homeserver, alice } = stage;
  const url = `${homeserver.url}/_matrix/client/v3/presence/${encodeURIComponent(ghost)}/status`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${alice.accessToken}` } });
  return await answer.json();
}

describe("the presence of people of the network", () => {
  it("is that of their ghosts, and of nobody who has none", async () => {
    stage = await Stage.open({ places: 1 });
    const { port } = stage.network;
    await port.receive(happens({ kind: "membership", change: "join", user: person("bob"), intoRoom: true }));
    const joined = () => stage.homeserver.room(stage.room()).state("m.room.member", ghost) !== undefined;
    await eventually(joined, "bob's ghost");
    port.signal({ kind: "presence", user: person("nobody"), presence: "online" });
    port.signal({ kind: "presence", user: person("bob"), presence: "unavailable", status: "lunch" });
    let told: unknown;
    for (const deadline = Date.now() + patiently(10_000); Date.now() < deadline;) {
      told = await presence();
      if (JSON.stringify(told).includes("lunch")) break;
    }
    expect(told).toMatchObject({ presence: "unavailable", status_msg: "lunch" });
  });
});
