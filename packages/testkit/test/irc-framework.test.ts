import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createRequire } from "node:module";
import { IrcServer, IrcTestClient } from "../dist/irc/index.js";

/** As much of irc-framework, a client that others wrote, as is used here. */
interface ForeignClient {
  connect(options: Record<string, unknown>): void;
  requestCap(name: string): void;
  join(channel: string): void;
  say(target: string, text: string): void;
  action(target: string, text: string): void;
  setTopic(channel: string, topic: string): void;
  whois(nick: string, answer: (event: Record<string, unknown>) => void): void;
  quit(reason: string): void;
  on(event: string, listener: (event: Record<string, unknown>) => void): void;
  once(event: string, listener: (event: Record<string, unknown>) => void): void;
  readonly network: { supports(feature: string): unknown; readonly cap: { isEnabled(name: string): boolean } };
}

const { Client } = createRequire(import.meta.url)("irc-framework") as { Client: new () => ForeignClient };

let irc: IrcServer;
let foreign: ForeignClient;

beforeEach(async () => {
  irc = await IrcServer.start({ accounts: { frank: "sesame" } });
  foreign = new Client();
});

afterEach(async () => {
  foreign.quit("done");
  await irc.stop();
});

const next = (event: string): Promise<Record<string, unknown>> =>
  new Promise((resolve) => foreign.once(event, resolve));

async function register(options: Record<string, unknown> = {}): Promise<void> {
  const registered = next("registered");
  const motd = next("motd");
  foreign.connect({
    host: "127.0.0.1",
    port: irc.port,
    nick: "frank",
    username: "frank",
    auto_reconnect: false,
    enable_echomessage: true,
    enable_setname: true,
    enable_chghost: true,
    ...options,
  });
  await registered;
  await motd;
}

describe("irc-framework as the client", () => {
  it("registers, negotiates, reads 005, signs in", async () => {
    foreign.requestCap("labeled-response");
    const signedIn = next("loggedin");
    await register({ account: { account: "frank", password: "sesame" } });
    expect((await signedIn)["account"]).toBe("frank");
    for (const cap of ["message-tags", "server-time", "echo-message", "labeled-response", "batch", "extended-join"]) {
      expect({ cap, enabled: foreign.network.cap.isEnabled(cap) }).toEqual({ cap, enabled: true });
    }
    expect(foreign.network.supports("casemapping")).toBe("rfc1459");
    expect(foreign.network.supports("nicklen")).toBe("30");
  });

  it("talks with another client and sees joins, topics, kicks and splits", async () => {
    await register();
    const people = next("userlist");
    foreign.join("#x");
    expect((await people)["users"]).toEqual([expect.objectContaining({ nick: "frank", modes: ["o"] })]);
    const joined = next("join");
    const alice = await IrcTestClient.connect({ port: irc.port, nick: "alice" });
    await alice.join("#x");
    expect(await joined).toMatchObject({ nick: "alice", channel: "#x" });
    const heard = next("privmsg");
    alice.say("#x", "hello, frank");
    expect(await heard).toMatchObject({ nick: "alice", target: "#x", message: "hello, frank" });
    const echo = next("privmsg");
    foreign.say("#x", "hello, alice");
    expect(await echo).toMatchObject({ nick: "frank", message: "hello, alice" });
    foreign.action("#x", "waves");
    await alice.waitForLine(":frank!frank@127.0.0.1 PRIVMSG #x :\x01ACTION waves\x01");
    const topic = next("topic");
    foreign.setTopic("#x", "of frank and alice");
    expect(await topic).toMatchObject({ topic: "of frank and alice" });
    const gone = next("quit");
    irc.netsplit(["alice"]);
    expect(await gone).toMatchObject({ nick: "alice", message: "hub.testkit.example leaf.testkit.example" });
    const back = next("join");
    irc.netjoin();
    expect(await back).toMatchObject({ nick: "alice" });
    const kicked = next("kick");
    irc.kick("#x", "frank", "flooding");
    expect(await kicked).toMatchObject({ kicked: "frank", message: "flooding" });
    alice.close();
  });

  it("understands WHOIS", async () => {
    await register();
    const found = await new Promise<Record<string, unknown>>((resolve) => foreign.whois("frank", resolve));
    expect(found).toMatchObject({ nick: "frank", hostname: "127.0.0.1" });
  });

  it("hears that its nick is in use", async () => {
    const alice = await IrcTestClient.connect({ port: irc.port, nick: "frank" });
    const refused = next("nick in use");
    foreign.connect({ host: "127.0.0.1", port: irc.port, nick: "frank", auto_reconnect: false });
    expect(await refused).toMatchObject({ nick: "frank" });
    alice.close();
  });
});
