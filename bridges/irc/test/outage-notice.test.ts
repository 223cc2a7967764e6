import { afterEach, describe, expect, it } from "@jest/globals";
import { IrcServer } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

let irc: IrcServer;
let bridge: RunningBridge;
const channels = ["net/#room", "net/#other"];

async function start(outageNotice: number): Promise<void> {
  irc = await IrcServer.start();
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port, { outageNotice })],
    channels,
    config: { onStop: "quit" },
  });
  await bridge.ready();
}

afterEach(async () => {
  await bridge.end();
  await irc.stop();
});

const notices = (channel: string): string[] =>
  bridge.core.received.flatMap((event) =>
    event.kind === "channel" && event.channel === channel && event.notice !== undefined ? [event.notice] : [],
  );
async function stop(): Promise<void> {
  await irc.stop();
  await bridge.core.until("the outage", () => bridge.core.statuses.get("net/#room")?.state === "waiting");
}

describe("a network that is away for longer than a while", () => {
  it("is told in all its rooms, once, and that it is back", async () => {
    await start(0.2);
    await stop();
    await bridge.core.until("the notices", () => channels.every((each) => notices(each).length > 0));
    await irc.start();
    await bridge.ready();
    await bridge.core.until("the others", () => channels.every((each) => notices(each).length > 1));
    for (const each of channels)
      expect(notices(each)).toEqual([
        expect.stringMatching(/^net cannot be reached \(.+\)\. What is said here waits/),
        expect.stringMatching(/^net is back/),
      ]);
    // Another outage is another matter.
    await stop();
    await bridge.core.until("the next", () => channels.every((each) => notices(each).length > 2));
  });

  it("is not told again because the bridge was restarted meanwhile, but that it is back", async () => {
    await start(0.2);
    await stop();
    await bridge.core.until("the notices", () => channels.every((each) => notices(each).length > 0));
    const { core } = bridge;
    await bridge.close();
    await irc.start();
    core.statuses.clear();
    bridge = await RunningBridge.start({ networks: [networkOn(irc.port, { outageNotice: 0.2 })], core });
    await core.until("the others", () => channels.every((each) => notices(each).length > 1));
    await core.until("that it is known", () => !core.stored.has("outage:net"));
    for (const each of channels) expect(notices(each).at(-1)).toMatch(/^net is back/);
    expect(core.repetitions).toBe(0);
  });

  it.each([
    ["never where the operator does not want that", 0],
    ["not where it is back sooner", 600],
  ])("is told %s", async (_, outageNotice) => {
    await start(outageNotice);
    await stop();
    await irc.start();
    await bridge.ready();
    irc.setTopic("#room", "a topic");
    await bridge.core.until("what comes behind", () =>
      bridge.core.received.some((event) => event.kind === "channel" && event.topic === "a topic"),
    );
    for (const each of channels) expect(notices(each)).toEqual([]);
  });
});
