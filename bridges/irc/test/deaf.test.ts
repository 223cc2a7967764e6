import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcServer } from "@trestle/testkit";
import { IrcPerson } from "../../../test/support/irc-person.js";
import { patiently } from "../../../test/support/bounded.js";
import { OwnView } from "../dist/session/own-view.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(60_000);

const room = ChannelId("net/#room");
const nick = "alice[m]";
let server: IrcServer | undefined;
let bridge: RunningBridge | undefined;
let carol: IrcPerson | undefined;

afterEach(async () => {
  await bridge?.end();
  await carol?.quit();
  await server?.stop();
});

/** Alice speaks on Matrix, and so has a puppet; then carol answers in the channel and in private. */
async function converse(tokens: Readonly<Record<string, string | boolean>>): Promise<{
  readonly heard: readonly string[];
  readonly modesOf: (nick: string) => readonly string[];
}> {
  const irc = (server = await IrcServer.start({ tokens }));
  const running = (bridge = await RunningBridge.start({
    networks: [networkOn(irc.port)],
    channels: [room],
    config: { onStop: "quit" },
  }));
  await running.ready();
  carol = await IrcPerson.connect({ port: irc.port, nick: "carol" });
  await carol.join("#room");
  const alice = { channel: room, user: "@alice:example.org", name: "alice" };
  await running.say({ ...alice, text: "hello" }, { timeoutMs: patiently(20_000) });
  carol.say("#room", "to all");
  carol.say(nick, "to you");
  await running.core.until("both", () => running.core.texts().length >= 2);
  return {
    heard: running.core.texts(),
    modesOf: (of) => irc.linesFrom(of).filter((line) => line.startsWith(`MODE ${of} `)),
  };
}

describe("what is said in channels", () => {
  it("is not sent to puppets where the server can leave it out; the bot hears it, and they what is for them", async () => {
    const { heard, modesOf } = await converse({ DEAF: "D" });
    expect([...heard].sort()).toEqual(["to all", "to you"]);
    expect(modesOf(nick)).toEqual([`MODE ${nick} :+D`]);
    expect(modesOf("trestle")).toEqual(["MODE trestle :+B"]);
  });

  it("is sent to them where the server cannot", async () => {
    const { heard, modesOf } = await converse({ DEAF: false });
    expect([...heard].sort()).toEqual(["to all", "to you"]);
    expect(modesOf(nick)).toEqual([]);
  });
});

describe("the mode for it", () => {
  const modeOf = (software: string, userModes: string, tokens: readonly string[] = []): string | undefined => {
    const view = new OwnView({ network: "net", kind: "puppet" }, "alice");
    view.introduced(["alice", "irc.test", software, userModes, "bov"]);
    view.note(
      { tags: new Map(), source: "irc.test", verb: "005", params: ["alice", ...tokens, "are supported"] },
      false,
      [],
    );
    return view.deafMode;
  };

  it("is what the server announces, or that of InspIRCd, which announces none", () => {
    expect(modeOf("solanum-1.0", "DGQRSZ", ["DEAF=D"])).toBe("D");
    expect(modeOf("InspIRCd-3", "BDIHdiosw")).toBe("d");
    expect(modeOf("InspIRCd-4", "BIHiosw")).toBeUndefined();
    // Elsewhere the letters mean something else.
    expect(modeOf("ngircd-26.1", "abBcCdFiIoqrRswx")).toBeUndefined();
  });
});
