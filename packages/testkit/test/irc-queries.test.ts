import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type IrcTestClient, ManualIrcClock } from "../dist/irc/index.js";
import { ask, heard, Party, short } from "./irc-support.js";

let clock: ManualIrcClock;
let party: Party;

beforeEach(async () => {
  clock = new ManualIrcClock();
  party = await Party.start({ clock, operators: { root: "toor" }, limits: { monitor: 3 } });
});

afterEach(() => party.end());

const words = async (client: IrcTestClient, line: string): Promise<string[]> => (await ask(client, line)).map(short);

describe("WHO", () => {
  it("gives the fields that WHOX asks for, in its order", async () => {
    const [alice, bob] = (await party.inChannel("#x", ["alice", "bob"])) as [IrcTestClient, IrcTestClient];
    party.irc.setAccount("alice", "alicia");
    await ask(alice, "AWAY :out", "MODE alice +B");
    expect((await words(bob, "WHO #x %cuhnfar,42"))[0]).toBe("354 bob #x alice 127.0.0.1 alice GB@ alicia alice");
    expect((await words(bob, "WHO alice %tna,42"))[0]).toBe("354 bob 42 alice alicia");
    expect((await words(bob, "WHO bob %tia,7"))[0]).toBe("354 bob 7 127.0.0.1 0");
    expect((await words(bob, "WHO alice %i"))[0]).toBe("354 bob 255.255.255.255");
    expect(await words(bob, "WHO nobody")).toEqual(["315 bob nobody End of /WHO list."]);
  });

  it("hides the invisible from strangers who look by mask or in a channel", async () => {
    const [alice] = (await party.inChannel("#x", ["alice"])) as [IrcTestClient];
    await ask(alice, "MODE alice +i");
    const bob = await party.person("bob");
    expect((await words(bob, "WHO a*")).length).toBe(1);
    expect((await words(bob, "WHO #x")).length).toBe(1);
    expect((await words(bob, "WHO alice")).length).toBe(2);
    await bob.join("#x");
    expect((await words(bob, "WHO a*")).length).toBe(2);
  });
});

describe("WHOIS and WHOWAS", () => {
  it("say who is there, by whom they may be known, and who was", async () => {
    const [alice, bob] = (await party.inChannel("#x", ["alice", "bob"])) as [IrcTestClient, IrcTestClient];
    await ask(alice, "OPER root toor");
    const numerics = async (who: IrcTestClient, nick: string): Promise<string[]> =>
      (await ask(who, `WHOIS ${nick}`)).map(({ command }) => command);
    expect(await numerics(bob, "alice")).toEqual(["311", "319", "312", "313", "317", "318"]);
    expect(await numerics(bob, "bob")).toEqual(["311", "319", "312", "338", "379", "317", "318"]);
    expect(await numerics(bob, "nobody")).toEqual(["401", "318"]);
    clock.advance(90_000);
    expect((await ask(bob, "WHOIS alice")).find(({ command }) => command === "317")?.params[2]).toBe("90");
    await bob.changeNick("robert");
    await alice.sync();
    expect((await ask(alice, "WHOWAS bob")).map(({ command }) => command)).toEqual(["314", "312", "369"]);
    expect((await ask(alice, "WHOWAS nobody")).map(({ command }) => command)).toEqual(["406", "369"]);
  });
});

describe("LIST", () => {
  it("filters by mask, size, age and topic as ELIST says", async () => {
    const alice = await party.person("alice");
    const bob = await party.person("bob");
    await ask(alice, "JOIN #old");
    clock.advance(100_000);
    await ask(alice, "JOIN #new", "TOPIC #new :fresh");
    await ask(bob, "JOIN #new");
    const listed = async (filter: string): Promise<string[]> =>
      (await ask(bob, `LIST ${filter}`)).slice(1, -1).map(({ params }) => params[1] ?? "");
    expect(await listed("")).toEqual(["#old", "#new"]);
    expect(await listed(">1")).toEqual(["#new"]);
    expect(await listed("<2")).toEqual(["#old"]);
    expect(await listed("#o*")).toEqual(["#old"]);
    expect(await listed("!#o*")).toEqual(["#new"]);
    expect(await listed("C>1")).toEqual(["#old"]);
    expect(await listed("T<1")).toEqual(["#new"]);
    expect(await listed("#new,#old")).toEqual(["#old", "#new"]);
  });
});

describe("MONITOR", () => {
  it("tells who comes, goes and changes nick", async () => {
    const watcher = await party.person("watcher");
    const alice = await party.person("alice");
    expect(await words(watcher, "MONITOR + Alice,bob")).toEqual([
      "730 watcher alice!alice@127.0.0.1",
      "731 watcher bob",
    ]);
    const mark = watcher.mark();
    const bob = await party.person("bob");
    await alice.changeNick("alicia");
    await bob.quit();
    expect((await heard(watcher, mark)).map(short)).toEqual([
      "730 watcher bob!bob@127.0.0.1",
      "731 watcher alice",
      "731 watcher bob",
    ]);
    expect(await words(watcher, "MONITOR L")).toEqual(["732 watcher Alice,bob", "733 watcher End of MONITOR list"]);
    expect(await words(watcher, "MONITOR + c,d")).toEqual(["734 watcher 3 d Monitor list is full.", "731 watcher c"]);
    await ask(watcher, "MONITOR - c");
    expect(await words(watcher, "MONITOR S")).toEqual(["731 watcher Alice,bob"]);
    await ask(watcher, "MONITOR C");
    expect(await words(watcher, "MONITOR L")).toEqual(["733 watcher End of MONITOR list"]);
  });

  it("tells of a netsplit and of its end", async () => {
    const watcher = await party.person("watcher");
    await party.person("alice");
    await ask(watcher, "MONITOR + alice");
    const mark = watcher.mark();
    party.irc.netsplit(["alice"]);
    party.irc.netjoin();
    expect((await heard(watcher, mark)).map(short)).toEqual(["731 watcher alice", "730 watcher alice!alice@127.0.0.1"]);
  });

  it("tells more with extended-monitor", async () => {
    const caps = ["away-notify", "account-notify", "setname", "chghost"];
    const watcher = await party.person("watcher", [...caps, "extended-monitor"]);
    const plain = await party.person("plain", caps);
    const alice = await party.person("alice");
    for (const one of [watcher, plain]) await ask(one, "MONITOR + alice");
    const marks = [watcher.mark(), plain.mark()] as const;
    await ask(alice, "AWAY :out");
    party.irc.setAccount("alice", "alicia");
    party.irc.changeHost("alice", "al", "cloak.example");
    expect((await heard(watcher, marks[0])).map(short)).toEqual([
      "AWAY out",
      "ACCOUNT alicia",
      "CHGHOST al cloak.example",
    ]);
    expect(await heard(plain, marks[1])).toEqual([]);
  });
});

describe("a poorer or odder server", () => {
  it("says other things in 005 than it does", async () => {
    await party.end();
    party = await Party.start({ tokens: { LINELEN: false, NICKLEN: "9", ODD: true } });
    const alice = await party.person("alice-with-a-long-nick");
    const tokens = alice.lines.filter((line) => line.includes(" 005 ")).join(" ");
    expect(tokens).toMatch(/ NICKLEN=9 .* ODD /);
    expect(tokens).not.toContain("LINELEN");
  });

  it("drops client-only tags that CLIENTTAGDENY names", async () => {
    await party.end();
    party = await Party.start({ denyClientTags: "*,-draft/reply" });
    const [alice, bob] = (await party.inChannel("#x", ["alice", "bob"], ["message-tags"])) as [
      IrcTestClient,
      IrcTestClient,
    ];
    expect(alice.lines.join(" ")).toContain("CLIENTTAGDENY=*,-draft/reply");
    const mark = bob.mark();
    await ask(alice, "@+typing=active TAGMSG #x", "@+draft/reply=a;+typing=done PRIVMSG #x :hi");
    expect((await heard(bob, mark)).map((line) => [short(line), [...line.tags.keys()]])).toEqual([
      ["PRIVMSG #x hi", ["msgid", "+draft/reply"]],
    ]);
  });

  it("takes nothing but UTF-8 where it says so", async () => {
    await party.end();
    party = await Party.start({ utf8Only: true });
    const alice = await party.person("alice");
    expect(alice.lines.join(" ")).toContain(" UTF8ONLY ");
    const { connect } = await import("node:net");
    const socket = connect(party.irc.port, "127.0.0.1");
    let seen = "";
    socket.setEncoding("latin1").on("data", (chunk) => (seen += String(chunk)));
    socket.write("NICK bob\r\nUSER bob 0 * :bob\r\n");
    socket.write(Buffer.from("PRIVMSG alice :caf\xe9\r\nQUIT\r\n", "latin1"));
    await new Promise((resolve) => socket.once("close", resolve));
    expect(seen).toContain("FAIL PRIVMSG INVALID_UTF8 :");
    expect(party.irc.messagesTo("alice")).toEqual([]);
  });

  it("changes texts, as a server does that strips colours", async () => {
    const [alice, bob] = (await party.inChannel("#x", ["alice", "bob"], ["echo-message"])) as [
      IrcTestClient,
      IrcTestClient,
    ];
    party.irc.judgeMessages(({ text }) =>
      text.includes("\x03") ? { rewrite: text.replaceAll("\x034", "") } : "deliver",
    );
    expect(await words(alice, "PRIVMSG #x :\x034grün")).toEqual(["PRIVMSG #x grün"]);
    expect((await bob.waitForLine("grün")).endsWith("PRIVMSG #x :grün")).toBe(true);
    expect(party.irc.channel("#x").log.map(({ text }) => text)).toEqual(["grün"]);
  });

  it("lets bridges speak in others' names with RELAYMSG, or does not know it", async () => {
    const [alice, bob] = (await party.inChannel("#x", ["alice", "bob"], ["echo-message", "draft/relaymsg"])) as [
      IrcTestClient,
      IrcTestClient,
    ];
    const [echo] = await ask(alice, "RELAYMSG #x someone/matrix :hello");
    expect([echo?.source, echo?.tags.get("draft/relaymsg"), echo?.params[1]]).toEqual([
      "someone/matrix!relay@relay",
      "alice",
      "hello",
    ]);
    expect(await bob.waitForLine("hello")).toContain(":someone/matrix!relay@relay PRIVMSG #x :hello");
    expect(party.irc.channel("#x").log.map(({ from }) => from)).toEqual(["someone/matrix"]);
    expect((await ask(bob, "RELAYMSG #x someone/matrix :hello")).map((line) => short(line).split(" :")[0])).toEqual([
      "FAIL RELAYMSG PRIVS_NEEDED You need to be a channel operator to relay messages",
    ]);
    expect((await ask(alice, "RELAYMSG #x someone :hello"))[0]?.params[1]).toBe("INVALID_NICK");
    party.irc.setCapability("draft/relaymsg", false);
    expect((await ask(alice, "RELAYMSG #x someone/matrix :hello")).map(({ command }) => command)).toContain("421");
  });
});
