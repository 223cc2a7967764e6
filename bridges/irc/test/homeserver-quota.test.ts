import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { ChannelId, UserId } from "@trestle/core";
import { IrcServer } from "@trestle/testkit";
import { HomeserverQuota } from "../src/network/connections/homeserver-quota.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(60_000);

const room = ChannelId("net/#room");
let server: IrcServer;
let bridge: RunningBridge;

async function start(maxPuppetsOf: Readonly<Record<string, number>>): Promise<void> {
  const networks = [networkOn(server.port, { maxPuppetsOf })];
  bridge = await RunningBridge.start({ networks, channels: ["net/#room"], config: { onStop: "quit" } });
  await bridge.ready();
}

const says = (name: string, homeserver: string, text = "hi", channel = room): ReturnType<RunningBridge["say"]> =>
  bridge.say({ channel, text, name, user: `@${name.toLowerCase()}:${homeserver}` });

const said = () => server.channel("#room").log.map(({ from, text }) => [from, text]);

describe("the puppets of one homeserver", () => {
  beforeEach(async () => {
    server = await IrcServer.start();
  });
  afterEach(async () => {
    await bridge.end();
    await server.stop();
  });

  it("are as many as the operator allows; for the others of it the bot speaks", async () => {
    await start({ "*": 1, "home.example": 2 });
    for (const name of ["Ann", "Ben", "Cat"]) await says(name, "home.example");
    await says("Eve", "else.example");
    await says("Fay", "else.example:8448");
    await says("Gus", "else.example");
    expect(said()).toEqual([
      ["Ann[m]", "hi"],
      ["Ben[m]", "hi"],
      ["trestle", "<Cat> hi"],
      ["Eve[m]", "hi"],
      ["Fay[m]", "hi"],
      ["trestle", "<Gus> hi"],
    ]);
  });

  it("may be none", async () => {
    await start({ "else.example": 0 });
    await says("Eve", "else.example");
    await says("Ann", "home.example");
    expect(said()).toEqual([
      ["trestle", "<Eve> hi"],
      ["Ann[m]", "hi"],
    ]);
  });

  it("leave a long message of whoever has none whole, in lines the bot has room for", async () => {
    await start({ "else.example": 0 });
    const text = Array.from({ length: 90 }, (_, index) => `word${index}`).join(" ");
    const name = "Somebody with quite a long name";
    await bridge.say({ channel: room, text, name, user: "@eve:else.example" });
    // What is sent as one message of several lines is one entry.
    const lines = said().flatMap(([, entry]) => (entry ?? "").split("\n"));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.map((line) => line.replace(`<${name}> `, "")).join(" ")).toBe(text);
  });

  it("are missing in private conversations, and who wanted one is told", async () => {
    await start({ "else.example": 0 });
    const query = ChannelId("net/carol/@eve:else.example");
    const outcome = await says("Eve", "else.example", "psst", query).then(
      (each) => JSON.stringify(each),
      (error: unknown) => String(error),
    );
    expect(outcome).toMatch(/users of else\.example have as many as they may have/);
  });
});

describe("who makes room", () => {
  const minute = 60_000;
  const quota = new HomeserverQuota({ "home.example": 2 });
  const seated = (name: string, spokeAt: number, homeserver = "home.example") => ({
    user: UserId(`@${name}:${homeserver}`),
    spokeAt,
  });
  const comes = UserId("@new:home.example");

  it("is the one of that server silent for longest, where that is long enough", () => {
    const others = [seated("old", -100 * minute, "else.example")];
    const [ann, ben] = [seated("ann", 5 * minute), seated("ben", 0)];
    expect(quota.roomFor(comes, [...others, ann], 20 * minute)).toBe("free");
    expect(quota.roomFor(comes, [...others, ann, ben], 9 * minute)).toBe("full");
    expect(quota.roomFor(comes, [...others, ann, ben], 10 * minute)).toEqual({ makesRoom: ben });
    expect(quota.roomFor(UserId("@new:else.example"), [...others, ann, ben], 10 * minute)).toBe("free");
  });

  it("is nobody where there are more than there may be", () => {
    const puppets = ["a", "b", "c"].map((name) => seated(name, 0));
    expect(quota.roomFor(comes, puppets, 60 * minute)).toBe("full");
  });
});
