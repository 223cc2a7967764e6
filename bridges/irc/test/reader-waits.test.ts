import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { ChannelId, UserId } from "@trestle/core";
import { IrcServer } from "@trestle/testkit";
import { FakeCore } from "./support/fake-core.js";
import { linkOf, type NetworkOptions, networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(60_000);

const channel = ChannelId("net/#room");
const { room } = linkOf(channel);

let server: IrcServer;
let core: FakeCore;
let bridge: RunningBridge;

beforeEach(async () => {
  server = await IrcServer.start();
  core = new FakeCore(mkdtempSync(join(tmpdir(), "trestle-irc-")));
  core.members.set(room, [{ userId: UserId("@ann:example.org"), name: "Ann", power: 0 }]);
});
afterEach(async () => {
  await bridge.end();
  await server.stop();
});

async function start(network: NetworkOptions): Promise<void> {
  const networks = [networkOn(server.port, { readers: "shown", ...network })];
  bridge = await RunningBridge.start({ networks, channels: [channel], core, config: { onStop: "quit" } });
}

const isHeld = (): boolean => (bridge.handlers.holdBack?.(channel, room) ?? 0) > 0;
const notices = () =>
  core.received.flatMap((event) => (event.kind === "channel" && event.notice !== undefined ? [event.notice] : []));

describe("what is said on IRC", () => {
  it("waits until those who read along can be seen, and no longer", async () => {
    let goOn = (): void => undefined;
    const unread = new Promise<void>((resolve) => (goOn = resolve));
    core.beforeLook = () => unread;
    await start({ waitForReaders: 600 });
    await core.until("the room is being read", () => core.looks.length === 1);
    expect(isHeld()).toBe(true);
    server.holdNick("Ann[m]");
    server.lag(50);
    goOn();
    await core.until("what was held", () => !isHeld());
    expect(server.channel("#room").members).toHaveLength(2);
    expect(notices()).toEqual([]);
    // Whoever loses their connection is waited for again.
    server.kill(server.channel("#room").members.find((nick) => nick !== "trestle") ?? "", "tired");
    await core.until("another wait", isHeld);
    await core.until("what was held", () => !isHeld());
    expect(server.channel("#room").members).toHaveLength(2);
  });

  it("goes on when they do not come in time, and the room is told once who cannot be seen", async () => {
    server.closeChannel("#room", "471");
    await start({ waitForReaders: 600 });
    await core.until("Ann to be turned away", () => server.linesFrom("Ann[m]").some((line) => /\bJOIN\b/.test(line)));
    expect(isHeld()).toBe(true);
    const now = performance.now.bind(performance);
    jest.spyOn(performance, "now").mockImplementation(() => now() + 600_000);
    expect(isHeld()).toBe(false);
    jest.restoreAllMocks();
    await core.until("the notice", () => notices().length > 0);
    expect(notices()).toEqual([expect.stringMatching(/Not to be seen in #room on net.*: Ann\./)]);
    expect(isHeld()).toBe(false);
  });

  it("does not wait unless the operator wants it", async () => {
    core.beforeLook = () => new Promise(() => undefined);
    await start({});
    await core.until("the room is being read", () => core.looks.length === 1);
    expect(isHeld()).toBe(false);
    await bridge.say({ channel, text: "hi", name: "Bob", user: "@bob:example.org" });
    expect(notices()).toEqual([]);
  });
});
