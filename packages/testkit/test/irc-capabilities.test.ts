import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { IrcServer, IrcTestClient } from "../dist/irc/index.js";
import { type IrcLine, parseLine } from "../dist/irc/line.js";

let irc: IrcServer;
let people: IrcTestClient[] = [];

beforeEach(async () => {
  irc = await IrcServer.start({ accounts: { alice: "sesame", "long name": "p".repeat(600) } });
});

afterEach(async () => {
  for (const person of people) person.close();
  people = [];
  await irc.stop();
});

async function person(
  nick: string,
  caps: readonly string[] = [],
  options: Partial<Parameters<typeof IrcTestClient.connect>[0]> = {},
): Promise<IrcTestClient> {
  const client = await IrcTestClient.connect({ port: irc.port, nick, caps, ...options });
  people.push(client);
  return client;
}

/** Sends a line and returns, taken apart, what comes before the answer to the next PING. */
async function ask(client: IrcTestClient, line: string): Promise<IrcLine[]> {
  const since = client.mark();
  client.raw(line);
  await client.sync();
  return client.lines.slice(since, -1).flatMap((text) => parseLine(text) ?? []);
}

const TAGGED = ["message-tags", "server-time", "batch", "labeled-response", "echo-message"];

describe("capability negotiation", () => {
  it("lists, grants, refuses and takes back", async () => {
    const alice = await person("alice");
    const [list] = await ask(alice, "CAP LS 302");
    expect(list?.params.at(-1)?.split(" ")).toEqual([
      "account-notify",
      "account-tag",
      "away-notify",
      "batch",
      "cap-notify",
      "chghost",
      "draft/message-redaction",
      "echo-message",
      "extended-join",
      "invite-notify",
      "labeled-response",
      "message-tags",
      "multi-prefix",
      "sasl=PLAIN",
      "server-time",
      "setname",
      "userhost-in-names",
    ]);
    expect((await ask(alice, "CAP REQ :away-notify nonsense"))[0]?.params.slice(1)).toEqual([
      "NAK",
      "away-notify nonsense",
    ]);
    expect((await ask(alice, "CAP REQ :away-notify setname"))[0]?.params.slice(1)).toEqual([
      "ACK",
      "away-notify setname",
    ]);
    expect((await ask(alice, "CAP REQ -setname"))[0]?.params.slice(1)).toEqual(["ACK", "-setname"]);
    expect((await ask(alice, "CAP LIST"))[0]?.params.at(-1)).toBe("cap-notify away-notify");
    expect((await ask(alice, "CAP WHAT"))[0]?.command).toBe("410");
  });

  it("holds registration back until CAP END", async () => {
    const socket = connect(irc.port, "127.0.0.1").setEncoding("utf8");
    const pong = new Promise<string>((resolve) => {
      let seen = "";
      socket.on("data", (chunk) => {
        seen += String(chunk);
        if (seen.includes("PONG")) resolve(seen);
      });
    });
    socket.write("CAP LS 302\r\nNICK eve\r\nUSER eve 0 * :Eve\r\nPING before\r\n");
    expect(await pong).not.toContain(" 001 ");
    expect(irc.nicks).toEqual([]);
    socket.write("CAP END\r\n");
    await irc.waitFor(() => irc.nicks.includes("eve"));
    socket.destroy();
  });

  it("is without what options and tests switch off, and says so while it runs", async () => {
    await irc.stop();
    irc = await IrcServer.start({ without: ["echo-message"] });
    await expect(person("alice", ["echo-message"])).rejects.toThrow("NAK");
    const bob = await person("bob", ["server-time", "cap-notify"]);
    await bob.join("#x");
    irc.setCapability("echo-message", true);
    await bob.waitForLine(" CAP bob NEW :echo-message");
    expect((await ask(bob, "CAP REQ echo-message"))[0]?.params[1]).toBe("ACK");
    expect(await ask(bob, "PRIVMSG #x :one")).toHaveLength(1);
    irc.setCapability("echo-message", false);
    await bob.waitForLine(" CAP bob DEL :echo-message");
    expect(await ask(bob, "PRIVMSG #x :two")).toHaveLength(0);
  });

  it("offers no sasl without accounts", async () => {
    await irc.stop();
    irc = await IrcServer.start();
    await expect(person("alice", ["sasl"])).rejects.toThrow("NAK");
  });
});

describe("tags", () => {
  it("gives each client the tags it asked for", async () => {
    const [alice, bob, carol] = [
      await person("alice", TAGGED),
      await person("bob", ["server-time", "account-tag"]),
      await person("carol"),
    ];
    for (const one of [alice, bob, carol]) await one.join("#x");
    irc.setAccount("alice", "alice");
    await alice.waitForLine(" 900 ");
    const [echo] = await ask(alice, "@+draft/reply=abc;unknown=1 PRIVMSG #x :hello");
    expect([...(echo?.tags.keys() ?? [])]).toEqual(["time", "msgid", "+draft/reply"]);
    const atBob = parseLine(await bob.waitForLine("hello"));
    expect([...(atBob?.tags.keys() ?? [])]).toEqual(["time", "account"]);
    expect(await carol.waitForLine("hello")).toBe(":alice!alice@127.0.0.1 PRIVMSG #x :hello");
    const [logged] = irc.channel("#x").log;
    expect(logged?.tags).toEqual({
      time: echo?.tags.get("time"),
      msgid: echo?.tags.get("msgid"),
      account: "alice",
      "+draft/reply": "abc",
    });
    irc.setMsgid(false);
    const [second] = await ask(alice, "PRIVMSG #x :again");
    expect(second?.tags.has("msgid")).toBe(false);
  });

  it("carries TAGMSG only to those with message-tags", async () => {
    const [alice, bob, carol] = [
      await person("alice", TAGGED),
      await person("bob", ["message-tags"]),
      await person("carol"),
    ];
    for (const one of [alice, bob, carol]) await one.join("#x");
    alice.raw("@+draft/react=👍;+draft/reply=abc TAGMSG #x");
    expect((await bob.waitForLine("TAGMSG #x")).startsWith("@")).toBe(true);
    await carol.sync();
    expect(carol.lines.some((line) => line.includes("TAGMSG #x"))).toBe(false);
    expect(irc.channel("#x").log[0]).toMatchObject({ command: "TAGMSG", text: "", tags: { "+draft/react": "👍" } });
    expect((await ask(carol, "TAGMSG #x"))[0]?.command).toBe("421");
  });

  it("marks what a bot says", async () => {
    const [alice, bob] = [await person("alice", TAGGED), await person("bob", ["message-tags"])];
    await alice.join("#x");
    await bob.join("#x");
    await ask(alice, "MODE alice +B");
    alice.say("#x", "beep");
    expect(parseLine(await bob.waitForLine("beep"))?.tags.get("bot")).toBe("");
  });
});

describe("labeled-response", () => {
  it("labels one line, batches several, and acknowledges none", async () => {
    const alice = await person("alice", TAGGED);
    await alice.join("#x");
    const [echo] = await ask(alice, "@label=a PRIVMSG #x :hello");
    expect([echo?.command, echo?.tags.get("label")]).toEqual(["PRIVMSG", "a"]);
    const [error] = await ask(alice, "@label=b PRIVMSG #nowhere :hello");
    expect([error?.command, error?.tags.get("label")]).toEqual(["403", "b"]);
    const [begin, names, end, close] = await ask(alice, "@label=c NAMES #x");
    expect([begin?.command, begin?.tags.get("label"), begin?.params[1]]).toEqual(["BATCH", "c", "labeled-response"]);
    const batch = begin?.params[0]?.slice(1);
    expect([names?.tags.get("batch"), end?.tags.get("batch"), close?.params]).toEqual([
      batch,
      batch,
      [`-${batch ?? ""}`],
    ]);
    const [ack] = await ask(alice, "@label=d PONG x");
    expect([ack?.command, ack?.tags.get("label")]).toEqual(["ACK", "d"]);
  });

  it("labels the echo of a message to oneself, not the message", async () => {
    const alice = await person("alice", TAGGED);
    const lines = await ask(alice, "@label=e PRIVMSG alice :me");
    expect(lines.map((line) => [line.command, line.tags.get("label")])).toEqual([
      ["PRIVMSG", undefined],
      ["PRIVMSG", "e"],
    ]);
  });

  it("acknowledges where there is no echo", async () => {
    const alice = await person(
      "alice",
      TAGGED.filter((cap) => cap !== "echo-message"),
    );
    await alice.join("#x");
    expect((await ask(alice, "@label=f PRIVMSG #x :hello"))[0]?.command).toBe("ACK");
  });
});

describe("notifications", () => {
  it("tells accounts, absence, hosts and names to those who asked", async () => {
    const caps = ["account-notify", "away-notify", "chghost", "setname", "extended-join", "invite-notify"];
    const [alice, bob, carol] = [await person("alice", caps), await person("bob", ["setname"]), await person("carol")];
    await alice.join("#x");
    await ask(bob, "AWAY :out");
    irc.setAccount("bob", "robert");
    await bob.join("#x");
    await alice.waitForLine(":bob!bob@127.0.0.1 JOIN #x robert :bob");
    await alice.waitForLine(":bob!bob@127.0.0.1 AWAY :out");
    await ask(bob, "AWAY");
    await alice.waitForLine(/AWAY$/);
    irc.setAccount("bob", undefined);
    await alice.waitForLine(":bob!bob@127.0.0.1 ACCOUNT *");
    irc.changeHost("bob", "rob", "cloaked.example");
    await alice.waitForLine(":bob!bob@127.0.0.1 CHGHOST rob cloaked.example");
    await bob.waitForLine(" 396 bob cloaked.example ");
    expect(irc.maskOf("bob")).toBe("bob!rob@cloaked.example");
    await ask(bob, "SETNAME :Robert");
    await alice.waitForLine(":bob!rob@cloaked.example SETNAME :Robert");
    await ask(bob, "INVITE carol #x");
    await alice.waitForLine(":bob!rob@cloaked.example INVITE carol #x");
    await carol.join("#x");
    await bob.waitForLine(":carol!carol@127.0.0.1 JOIN #x");
  });

  it("shows all prefixes and whole masks in NAMES to those who asked", async () => {
    const [alice, bob] = [await person("alice", ["multi-prefix", "userhost-in-names"]), await person("bob")];
    await alice.join("#x");
    await ask(alice, "MODE #x +v alice");
    await bob.join("#x");
    expect((await ask(alice, "NAMES #x"))[0]?.params.at(-1)).toBe("@+alice!alice@127.0.0.1 bob!bob@127.0.0.1");
    expect((await ask(bob, "NAMES #x"))[0]?.params.at(-1)).toBe("@alice bob");
  });
});

describe("SASL PLAIN", () => {
  it("signs in before registration, also with a secret that needs several chunks", async () => {
    await person("alice", ["account-notify"], { account: { name: "alice", password: "sesame" } });
    const bob = await person("bob", [], { account: { name: "long name", password: "p".repeat(600) } });
    expect(bob.lines.join("\n")).toContain(" 903 ");
  });

  it("refuses a wrong password and other mechanisms", async () => {
    await expect(person("alice", [], { account: { name: "alice", password: "open" } })).rejects.toThrow(" 904 ");
    const bob = await person("bob", ["sasl"]);
    expect((await ask(bob, "AUTHENTICATE EXTERNAL")).map((line) => line.command)).toEqual(["908", "904"]);
    await ask(bob, "AUTHENTICATE PLAIN");
    expect((await ask(bob, "AUTHENTICATE *"))[0]?.command).toBe("906");
    await ask(bob, "AUTHENTICATE PLAIN");
    expect((await ask(bob, `AUTHENTICATE ${"A".repeat(401)}`))[0]?.command).toBe("905");
  });
});
