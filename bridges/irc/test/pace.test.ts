import { describe, expect, it } from "@jest/globals";
import { ChannelId, isFailure } from "@trestle/core";
import { IrcServer } from "@trestle/testkit";
import { costOf, Pace } from "../dist/session/pace.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";

describe("the pace of a network", () => {
  it("is halved each time the server cuts a connection off, and comes back with time", () => {
    let now = 0;
    const pace = new Pace({ burst: 8, linesPerSecond: 2 }, () => now);
    expect([pace.burst, pace.linesPerSecond]).toEqual([8, 2]);
    pace.flooded();
    expect([pace.burst, pace.linesPerSecond]).toEqual([4, 1]);
    for (let times = 0; times < 20; times++) pace.flooded();
    expect([pace.burst, pace.linesPerSecond]).toEqual([1, 0.2]);
    now += 24 * 3_600_000;
    expect([pace.burst, pace.linesPerSecond]).toEqual([8, 2]);
  });

  it("counts a long line for more than a short one", () => {
    expect(costOf(10)).toBe(1);
    expect(costOf(480)).toBe(1.5);
  });
});

describe("a backlog", () => {
  it("that lasts too long is given up, and whoever wrote it is told", async () => {
    const server = await IrcServer.start();
    const bridge = await RunningBridge.start({
      networks: [networkOn(server.port, { flood: { burst: 1, linesPerSecond: 4, maxWait: 0.5 } })],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    }).then((each) => each.ready());
    try {
      const outcomes: unknown[] = [];
      for (let number = 0; number < 12; number++)
        outcomes.push(bridge.say({ channel: ChannelId("net/#room"), text: `line ${number}` }, { attempts: 100 }));
      const said = (await Promise.all(outcomes as Promise<unknown[]>[])).flat();
      const late = await bridge.handlers.message({
        ...(await lateMessage(bridge)),
        signal: AbortSignal.timeout(patiently(10_000)),
      });
      expect(said).toHaveLength(12);
      expect(late && isFailure(late) && late).toMatchObject({
        failed: "permanent",
        reason: expect.stringContaining("more is said than net takes"),
      });
    } finally {
      await bridge.end();
      await server.stop();
    }
  });
});

/** Something said a minute ago. */
async function lateMessage(bridge: RunningBridge) {
  const { messageOf } = await import("./support/fake-core.js");
  const message = { ...messageOf({ channel: ChannelId("net/#room"), text: "late" }), at: Date.now() - 60_000 };
  const [wire] = (await bridge.handlers.split?.(message)) ?? [];
  return { ...message, wire, part: 0, parts: 1 };
}
