import { afterEach, expect, it, jest } from "@jest/globals";
import {
  ChannelId,
  type ChannelSettings,
  EffectId,
  EventId,
  type MembershipEffect,
  RemoteUserId,
  RoomId,
  UserId,
} from "@trestle/core";
import { IrcPerson } from "../../../test/support/irc-person.js";
import { realServer, realServers } from "../../../test/support/servers/index.js";
import { startInspircd } from "../../../test/support/servers/inspircd.js";
import { startNgircd } from "../../../test/support/servers/ngircd.js";
import { NetworkWithServices } from "./support/atheme.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { signIn } from "./support/sign-in.js";
import { patiently } from "../../../test/support/bounded.js";

jest.setTimeout(120_000);

const inspircd = await realServer("inspircd");
const withServices = await realServers("inspircd", "atheme");
const ngircd = await realServer("ngircd");

const channel = ChannelId("net/#room");
const alice = UserId("@alice:example.org");
const PASSWORD = "s3cr:et,p=w";
const ends: (() => Promise<unknown>)[] = [];
let effects = 0;

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const effect = () => ({
  effect: EffectId(`mode${++effects}`),
  attempt: 1,
  maybeSent: false,
  channel,
  room: RoomId("!r"),
  event: EventId("$e"),
  author: { userId: alice, name: "Alice" },
  at: 0,
  signal: AbortSignal.timeout(patiently(20_000)),
});

async function personOn(port: number, nick: string): Promise<IrcPerson> {
  const person = await IrcPerson.connect({ port, nick });
  ends.push(() => person.quit());
  return person;
}

/** A bridge whose bot is an operator of #room, like carol, who was there first. */
async function stage(port: number) {
  const carol = await personOn(port, "carol");
  await carol.join("#room");
  const bridge = await RunningBridge.start({
    networks: [networkOn(port)],
    channels: [channel],
    config: { onStop: "quit" },
  });
  ends.push(() => bridge.end());
  await bridge.ready();
  carol.send("MODE #room +o trestle");
  await bridge.say({ channel, text: "hello", name: "Alice" });
  const { core, handlers } = bridge;
  return {
    carol,
    bridge,
    set: (settings: ChannelSettings) => handlers.settings?.({ ...effect(), settings }),
    to: (who: MembershipEffect["who"], change: "kick" | "ban" | "unban") =>
      handlers.membership?.({ ...effect(), who, change }),
    /** The last word on a setting. */
    now: (setting: keyof ChannelSettings) =>
      core.received.findLast((event) => event.kind === "channel" && event.settings?.[setting] !== undefined),
    expelled: () =>
      core.received.flatMap((event) => (event.kind === "expulsion" ? [`${event.change} ${event.userId}`] : [])),
  };
}

/** Waits until carol is told of modes that the bot sets; resolves to their parameters. */
async function modesOf(carol: IrcPerson, letters: string): Promise<readonly string[]> {
  const line = await carol.waitForLine(
    `the mode ${letters}`,
    ({ command, nick, params }) => command === "MODE" && nick === "trestle" && params[1] === letters,
  );
  return line.params.slice(2);
}

async function crosses(port: number): Promise<void> {
  const { carol, bridge, set, to, now, expelled } = await stage(port);
  const { core } = bridge;

  // From IRC: every flag on, and off again.
  for (const [flag, setting] of [
    ["m", "moderated"],
    ["i", "inviteOnly"],
    ["k", "keyed"],
    ["s", "secret"],
  ] as const) {
    const key = flag === "k" ? " sesame" : "";
    for (const [sign, on] of [
      ["+", true],
      ["-", false],
    ] as const) {
      carol.send(`MODE #room ${sign}${flag}${key}`);
      await core.until(`${sign}${flag}`, () => {
        const event = now(setting);
        return event?.kind === "channel" && event.settings?.[setting] === on;
      });
    }
  }

  // To IRC.
  expect(await set({ moderated: true })).toEqual({});
  await modesOf(carol, "+m");
  expect(await set({ moderated: false })).toEqual({});
  await modesOf(carol, "-m");
  expect(await set({ inviteOnly: true, secret: true })).toEqual({});
  await modesOf(carol, "+is");
  expect(await set({ inviteOnly: true, keyed: true })).toEqual({});
  const [key = ""] = await modesOf(carol, "-i+k");
  expect(key).toMatch(/^[a-z2-9]{8,16}$/);
  await core.until("that the room is told the key", () =>
    core.received.some((event) => event.kind === "channel" && event.notice?.includes(key)),
  );
  const dave = await personOn(port, "dave");
  dave.send("JOIN #room");
  await dave.waitForLine("that the key is missing", ({ command }) => command === "475");
  await bridge.say({ channel, text: "with the key", name: "Bob", user: "@bob:example.org" });
  await carol.waitForUtterance("who has the key", ({ from, text }) => from === "Bob[m]" && text === "with the key");
  dave.send(`JOIN #room ${key}`);
  await dave.waitForLine("the channel", ({ command, params }) => command === "366" && params[1] === "#room");
  expect(await set({ inviteOnly: false, keyed: false, secret: false })).toEqual({});
  await carol.waitForLine(
    "that it is open",
    ({ command, nick, params }) => command === "MODE" && nick === "trestle" && /-\w*k/.test(params[1] ?? ""),
  );

  // Bans, to IRC and back again.
  const who = { remote: RemoteUserId("net/dave") };
  expect(await to(who, "ban")).toEqual({});
  await dave.waitForLine("the kick", ({ command, params }) => command === "KICK" && params[1] === "dave");
  dave.send("JOIN #room");
  await dave.waitForLine("the ban", ({ command }) => command === "474");
  expect(await to(who, "unban")).toEqual({});
  await dave.join("#room");

  // And from IRC.
  carol.send("MODE #room +b Alice[m]!*@*");
  carol.send("KICK #room Alice[m] :spam");
  carol.send("MODE #room -b Alice[m]!*@*");
  await core.until("all three", () => expelled().length === 3);
  expect(expelled()).toEqual([`ban ${alice}`, `kick ${alice}`, `unban ${alice}`]);
}

inspircd.describe("modes and bans on InspIRCd", (install) => {
  it("cross both ways", async () => {
    const server = await startInspircd(install);
    ends.push(() => server.stop());
    await crosses(server.port);
  });
});

ngircd.describe("modes and bans on ngIRCd", (install) => {
  it("cross both ways", async () => {
    const server = await startNgircd(install);
    ends.push(() => server.stop());
    await crosses(server.port);
  });
});

withServices.describe("bans of accounts on InspIRCd with Atheme", (installs) => {
  it("cross both ways, whatever their people are called", async () => {
    const network = await NetworkWithServices.start(installs.inspircd, installs.atheme.command);
    ends.push(() => network.stop());
    const { port } = network.server;
    for (const nick of ["walter", "alison"]) {
      const person = await personOn(port, nick);
      person.say("NickServ", `REGISTER ${PASSWORD} ${nick}@example.org`);
      await person.waitForLine(
        "the account",
        (line) => line.nick === "NickServ" && /registered/.test(line.params[1] ?? ""),
      );
    }
    const { carol, bridge, to, expelled } = await stage(port);
    const { core } = bridge;
    const walter = await personOn(port, "somebody");
    walter.say("NickServ", `IDENTIFY walter ${PASSWORD}`);
    await walter.waitForLine("that he is signed in", ({ command }) => command === "900");
    await walter.join("#room");
    await core.until("walter", () => core.membership().includes("join net/$walter"));

    expect(await to({ remote: RemoteUserId("net/$walter") }, "ban")).toEqual({});
    expect(await modesOf(carol, "+b")).toEqual(["R:walter"]);
    await walter.rename("somebodyelse");
    walter.send("JOIN #room");
    await walter.waitForLine("the ban", ({ command }) => command === "474");
    expect(await to({ remote: RemoteUserId("net/$walter") }, "unban")).toEqual({});
    expect(await modesOf(carol, "-b")).toEqual(["R:walter"]);
    await walter.join("#room");

    await signIn(bridge, { answers: { account: "alison", password: PASSWORD } });
    await bridge.say({ channel, text: "as alison", name: "Alice" }, { attempts: 200 });
    carol.send("MODE #room +b R:alison");
    carol.send("MODE #room -b R:alison");
    await core.until("both", () => expelled().length === 2);
    expect(expelled()).toEqual([`ban ${alice}`, `unban ${alice}`]);
  });
});
