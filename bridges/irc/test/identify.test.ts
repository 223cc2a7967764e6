import { mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { pino } from "pino";
import { FakeCore } from "./support/fake-core.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { signIn } from "./support/sign-in.js";

const PASSWORD = "p:ss,w=rd-äö";
const room = ChannelId("net/#room");

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient | undefined;
let logged: string[];

type Server = NonNullable<Parameters<typeof IrcServer.start>[0]>;

async function start(network: Parameters<typeof networkOn>[1], server: Server = {}): Promise<void> {
  irc = await IrcServer.start({ accounts: { alice: PASSWORD }, services: true, without: ["sasl"], ...server });
  carol = await IrcTestClient.connect({ port: irc.port, nick: "carol", caps: ["account-tag", "message-tags"] });
  await carol.join("#room");
  logged = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) });
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port, network)],
    channels: ["net/#room"],
    core: new FakeCore(mkdtempSync(join(tmpdir(), "trestle-irc-")), log),
    config: { onStop: "quit" },
  });
  await bridge.ready();
}

afterEach(async () => {
  await bridge.end();
  carol?.close();
  await irc.stop();
});

const say = (text: string) => bridge.say({ channel: room, text, name: "Alice" });
const accountOfLast = (): string | undefined => irc.channel("#room").log.at(-1)?.tags["account"];

describe("an account of a network without SASL", () => {
  for (const through of ["NICKSERV", "NS", "NickServ@services.example.net"]) {
    it(`is signed in to by ${through}`, async () => {
      await start({ identify: through });
      const login = await signIn(bridge, { answers: { account: "ALICE", password: PASSWORD } });
      expect(login.account).toMatchObject({ name: "alice on net", remoteUser: "net/$alice" });
      expect(await say("hello")).toEqual([{ id: expect.any(String) }]);
      expect(accountOfLast()).toBe("alice");
      const lines = irc.linesFrom("Alice[m]");
      const identify = lines.findIndex((line) => line.includes("IDENTIFY"));
      expect(lines[identify]?.startsWith(through.includes("@") ? `PRIVMSG ${through} :` : `${through} `)).toBe(true);
      // Before the account is confirmed nothing is said, and no channel is joined.
      expect(lines.findIndex((line) => line.startsWith("JOIN"))).toBeGreaterThan(identify);
      expect(lines.findIndex((line) => line.includes("PRIVMSG #"))).toBeGreaterThan(identify);
    });
  }

  it("is refused with a wrong password, which nobody reads", async () => {
    await start({ identify: "NICKSERV" });
    await expect(signIn(bridge, { answers: { account: "alice", password: "wr0ng-s3cret" } })).rejects.toThrow(
      /Invalid password for alice/,
    );
    await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
    await say("hello");
    expect(logged.join("\n")).not.toMatch(/wr0ng-s3cret|p:ss,w/);
    const files = readdirSync(bridge.core.dataDirectory).map((name) => join(bridge.core.dataDirectory, name));
    for (const file of files.filter((each) => statSync(each).isFile()))
      expect(readFileSync(file, "utf8")).not.toMatch(/wr0ng-s3cret|p:ss,w/);
  });

  it("is given up, and its user told, when the password was changed on the network", async () => {
    await start({ identify: "NICKSERV" });
    await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
    await say("one");
    irc.addAccount("alice", "another");
    irc.disconnect("Alice[m]");
    await bridge.core.until("the end of the login", () => bridge.core.endedLogins.length > 0);
    expect(bridge.core.endedLogins).toEqual([expect.stringMatching(/does not take it any more.*Invalid password/)]);
  });

  it("is kept while the services are away, and whoever is called like them gets nothing", async () => {
    await start({ identify: "NICKSERV" });
    await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
    irc.setServices(false);
    const impostor = await IrcTestClient.connect({ port: irc.port, nick: "NickServ" });
    const pending = say("hello");
    await bridge.core.until("the trouble", () =>
      [...bridge.core.statuses.values()].some(({ detail }) => /services cannot be asked now/.test(detail ?? "")),
    );
    expect(irc.messagesTo("NickServ")).toEqual([]);
    impostor.close();
    irc.setServices(true);
    expect(await pending).toEqual([{ id: expect.any(String) }]);
    expect(accountOfLast()).toBe("alice");
    expect(bridge.core.endedLogins).toEqual([]);
  });

  it("cannot be had where the operator has named no command, and nothing is sent", async () => {
    await start({});
    const impostor = await IrcTestClient.connect({ port: irc.port, nick: "NickServ" }).catch(() => undefined);
    await expect(signIn(bridge, { answers: { account: "alice", password: PASSWORD } })).rejects.toThrow(
      /accounts are not available now/,
    );
    expect(irc.messagesTo("NickServ")).toEqual([]);
    impostor?.close();
  });

  it("needs a password that a command can carry", async () => {
    await start({ identify: "NICKSERV" });
    await expect(signIn(bridge, { answers: { account: "alice", password: "two words" } })).rejects.toThrow(
      /account and password cannot have spaces/,
    );
  });

  it("signs the bot in as well", async () => {
    await start({ identify: "NICKSERV", puppets: false, sasl: { account: "alice", password: PASSWORD } });
    await say("hello");
    expect(accountOfLast()).toBe("alice");
  });

  it("is not shown the password by who has proved it by SCRAM before", async () => {
    await start({ identify: "NICKSERV" }, { without: [] });
    await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
    irc.setCapability("sasl", false);
    const pending = say("hello");
    await bridge.core.until("the trouble", () =>
      [...bridge.core.statuses.values()].some(({ detail }) => /without showing it the password/.test(detail ?? "")),
    );
    expect(irc.linesFrom("Alice[m]").some((line) => line.includes("IDENTIFY"))).toBe(false);
    irc.setCapability("sasl", true);
    expect(await pending).toEqual([{ id: expect.any(String) }]);
  });
});
