import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcServer, IrcTestClient, selfSignedCertificate } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { signIn } from "./support/sign-in.js";
import { patiently } from "../../../test/support/bounded.js";

const PASSWORD = "päss wörd :,=\\'\" 🔑";
const room = ChannelId("net/#room");

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient | undefined;

async function start(options: Parameters<typeof IrcServer.start>[0] = {}): Promise<void> {
  irc = await IrcServer.start({ accounts: { alice: PASSWORD }, ...options });
  carol = await IrcTestClient.connect({ port: irc.port, nick: "carol", caps: ["account-tag", "message-tags"] });
  await carol.join("#room");
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port)],
    channels: ["net/#room"],
    config: { onStop: "quit" },
  });
  await bridge.ready();
}

function accountOfLast(): string | undefined {
  return irc.channel("#room").log.at(-1)?.tags["account"];
}

const say = (text: string) => bridge.say({ channel: room, text, name: "Alice" });

afterEach(async () => {
  await bridge.end();
  carol?.close();
  carol = undefined;
  await irc.stop();
});

describe("signing in with a password", () => {
  beforeEach(() => start());

  it("lets a user's puppet speak as their account, whatever is in the password", async () => {
    const login = await signIn(bridge, { answers: { account: "ALICE", password: PASSWORD } });
    expect(login.account).toMatchObject({ name: "alice on net", remoteUser: "net/$alice" });
    expect(await say("hello")).toEqual([{ id: expect.any(String) }]);
    expect(accountOfLast()).toBe("alice");
  });

  it("does not show the password, nor the trial, to anybody", async () => {
    const before = irc.nicks;
    await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
    expect(irc.nicks).toEqual(before);
    await say("hello");
    const lines = irc.linesFrom("Alice[m]").join("\n");
    expect(lines).toContain("AUTHENTICATE SCRAM-SHA-256");
    expect(Buffer.from(lines.replace(/^.*AUTHENTICATE /gm, ""), "base64").toString()).not.toContain("wörd");
  });

  it("says so at once where the password is wrong", async () => {
    await expect(signIn(bridge, { answers: { account: "alice", password: "wrong" } })).rejects.toThrow(
      /signing in as alice failed|authentication failed/i,
    );
    expect(bridge.core.logins).toEqual([]);
  });

  it("makes the puppet that is there already sign in, and sign out again", async () => {
    await say("as nobody");
    expect(accountOfLast()).toBeUndefined();
    const login = await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
    await say("as alice");
    expect(accountOfLast()).toBe("alice");
    await bridge.handlers.logout?.(login);
    bridge.core.logins = [];
    await say("as nobody again");
    expect(accountOfLast()).toBeUndefined();
  });

  it("signs in again after an outage, and after a restart", async () => {
    await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
    await say("one");
    irc.disconnect("Alice[m]");
    await say("two");
    expect(accountOfLast()).toBe("alice");
    const { core } = bridge;
    await bridge.close();
    bridge = await RunningBridge.start({ networks: [networkOn(irc.port)], core, config: { onStop: "quit" } });
    for (const login of core.logins) await bridge.handlers.signedIn?.(login);
    await bridge.ready();
    await say("three");
    expect(accountOfLast()).toBe("alice");
  });

  it("stops, and tells, when the password was changed on the network", async () => {
    await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
    await say("one");
    irc.addAccount("alice", "another");
    irc.disconnect("Alice[m]");
    await bridge.core.until("the end of the login", () => bridge.core.endedLogins.length > 0);
    expect(bridge.core.endedLogins).toEqual([
      expect.stringMatching(/^net does not take it any more: signing in as alice/),
    ]);
    // Later messages are those of somebody without an account.
    await say("two");
    expect(accountOfLast()).toBeUndefined();
  });

  it("sends nothing of the message that finds the password changed", async () => {
    await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
    irc.addAccount("alice", "another");
    expect(await say("one")).toEqual([
      { failed: "permanent", reason: expect.stringMatching(/signing in as alice failed.*not sent/) },
    ]);
    expect(irc.channel("#room").log).toEqual([]);
  });

  it("stops at a server that cannot prove that it knows the password, and shows it nothing", async () => {
    irc.forgeScram(true);
    await expect(signIn(bridge, { answers: { account: "alice", password: PASSWORD } })).rejects.toThrow(
      /could not prove/,
    );
    expect(bridge.core.logins).toEqual([]);
  });
});

describe("a user whom a policy list bans", () => {
  it("is connected no longer, in private conversations neither, and has their account when the ban is lifted", async () => {
    await start();
    const login = await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
    const query = ChannelId(`net/carol/${login.user}`);
    await bridge.say({ channel: query, text: "psst", name: "Alice" });
    expect(irc.nicks).toContain("Alice[m]");
    await bridge.handlers.suspendUser?.({ user: login.user, signal: AbortSignal.timeout(patiently(10_000)) });
    await irc.waitFor(() => !irc.nicks.includes("Alice[m]"));
    await bridge.handlers.signedIn?.(login);
    expect(irc.nicks).not.toContain("Alice[m]");
    await say("back");
    expect(accountOfLast()).toBe("alice");
  });
});

describe("other ways to sign in", () => {
  it("uses PLAIN where the server knows nothing better", async () => {
    await start({ saslMechanisms: ["PLAIN"], accounts: { alice: "p".repeat(290) } });
    await signIn(bridge, { answers: { account: "alice", password: "p".repeat(290) } });
    await say("hello");
    expect(accountOfLast()).toBe("alice");
  });

  it("keeps the login, and tries again, while the network's services are away", async () => {
    await start();
    await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
    irc.setCapability("sasl", false);
    const pending = say("hello");
    await bridge.core.until("the trouble", () =>
      [...bridge.core.statuses.values()].some(({ detail }) => /not available now/.test(detail ?? "")),
    );
    irc.setCapability("sasl", true);
    expect(await pending).toEqual([{ id: expect.any(String) }]);
    expect(accountOfLast()).toBe("alice");
    expect(bridge.core.endedLogins).toEqual([]);
  });

  it("makes a certificate, shows its fingerprint, and signs in with it", async () => {
    const { key, cert } = selfSignedCertificate();
    irc = await IrcServer.start({ accounts: { alice: { fingerprints: ["00"] } }, tls: { key, cert } });
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port, { tls: true, insecure: true })],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    });
    await bridge.ready();
    const told: string[] = [];
    const typed = {
      account: "alice",
      password: "",
      done: () => {
        const fingerprint = /CERT ADD ([0-9a-f]{64})/.exec(told.join("\n"))?.[1];
        if (asked++ > 0 && fingerprint !== undefined) irc.addAccount("alice", { fingerprints: [fingerprint] });
        return "done";
      },
    };
    let asked = 0;
    const login = await signIn(bridge, { answers: typed, told });
    expect(told.at(-1)).toMatch(/did not work/);
    expect(login.account.secret["key"]).toContain("PRIVATE KEY");
    await say("hello");
    expect(irc.channel("#room").log.at(-1)?.text).toBe("hello");
    expect(irc.linesFrom("Alice[m]").join("\n")).toContain("AUTHENTICATE EXTERNAL");
  });
});

describe("accounts on two networks", () => {
  it("are one on each, and given up one by one", async () => {
    irc = await IrcServer.start({ accounts: { alice: PASSWORD } });
    const second = await IrcServer.start({ accounts: { allie: "another" } });
    // Accounts are written with what is said where somebody is there who reads them.
    const readers = await Promise.all(
      [irc, second].map(({ port }) =>
        IrcTestClient.connect({ port, nick: "carol", caps: ["account-tag", "message-tags"] }),
      ),
    );
    for (const reader of readers) await reader.join("#room");
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port), networkOn(second.port, { name: "other" })],
      channels: ["net/#room", "other/#room"],
      config: { onStop: "quit" },
    });
    try {
      await bridge.ready();
      expect(bridge.handlers.accountNetworks?.names).toEqual(["net", "other"]);
      const first = await signIn(bridge, { answers: { account: "alice", password: PASSWORD } });
      await signIn(bridge, { network: "other", answers: { account: "allie", password: "another" } });
      const accountOnSecond = () => second.channel("#room").log.at(-1)?.tags["account"];
      const sayOnSecond = (text: string) => bridge.say({ channel: ChannelId("other/#room"), text, name: "Alice" });
      await say("hello");
      await sayOnSecond("hello there");
      expect([accountOfLast(), accountOnSecond()]).toEqual(["alice", "allie"]);
      await bridge.handlers.logout?.(first);
      bridge.core.logins = bridge.core.logins.filter((each) => each !== first);
      await say("as nobody");
      await sayOnSecond("still the same");
      expect([accountOfLast(), accountOnSecond()]).toEqual([undefined, "allie"]);
    } finally {
      for (const reader of readers) reader.close();
      await second.stop();
    }
  });
});
