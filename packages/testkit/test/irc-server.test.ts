import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { IrcServer, IrcTestClient } from "../dist/irc/index.js";

let irc: IrcServer;
let people: IrcTestClient[] = [];

beforeEach(async () => {
  irc = await IrcServer.start();
});

afterEach(async () => {
  for (const person of people) person.close();
  people = [];
  await irc.stop();
});

async function person(
  nick: string,
  options: Partial<Parameters<typeof IrcTestClient.connect>[0]> = {},
): Promise<IrcTestClient> {
  const client = await IrcTestClient.connect({ port: irc.port, nick, ...options });
  people.push(client);
  return client;
}

/** Sends a line and returns what the server says before it answers the next PING. */
async function ask(client: IrcTestClient, line: string): Promise<string[]> {
  const since = client.mark();
  client.raw(line);
  await client.sync();
  return client.lines.slice(since, -1).map((text) => text.replace(/^:irc\.testkit\.example /, ""));
}

describe("registration", () => {
  it("welcomes with 001 to 005 and the message of the day", async () => {
    const alice = await person("alice");
    const numerics = alice.lines.map((line) => line.split(" ")[1]);
    const lusers = ["251", "252", "253", "254", "255", "265", "266"];
    expect(numerics).toEqual(["001", "002", "003", "004", "005", "005", "005", ...lusers, "375", "372", "376"]);
    const tokens = alice.lines.filter((line) => line.includes(" 005 ")).join(" ");
    for (const token of [
      "NETWORK=",
      "CASEMAPPING=rfc1459",
      "CHANTYPES=#&",
      "PREFIX=(ohv)@%+",
      "CHANMODES=beIq,k,fl,Ccimnprst",
      "NICKLEN=30",
      "TOPICLEN=",
      "KICKLEN=",
      "CHANNELLEN=",
      "LINELEN=512",
      "MODES=",
      "STATUSMSG=@%+",
      "BOT=B",
      "DEAF=D",
    ]) {
      expect(tokens).toContain(token);
    }
  });

  it("refuses nicks that are taken, malformed, missing, or held", async () => {
    irc.holdNick("reserved");
    const alice = await person("alice");
    await expect(person("ALICE")).rejects.toThrow(" 433 * ALICE ");
    await expect(person("reserved")).rejects.toThrow(" 433 ");
    await expect(person("9lives")).rejects.toThrow(" 432 ");
    expect(await ask(alice, "NICK")).toEqual(["461 alice NICK :Not enough parameters."]);
    expect(await ask(alice, "NICK :")).toEqual(["431 alice :No nickname given"]);
    await expect(alice.changeNick("Reserved")).rejects.toThrow(" 433 ");
    irc.releaseNick("reserved");
    await alice.changeNick("Reserved");
    expect(irc.nicks).toEqual(["Reserved"]);
  });

  it("folds names as rfc1459 or ascii", async () => {
    await person("al[ce");
    await expect(person("al{ce")).rejects.toThrow(" 433 ");
    const ascii = await IrcServer.start({ caseMapping: "ascii" });
    const one = await IrcTestClient.connect({ port: ascii.port, nick: "al[ce" });
    const two = await IrcTestClient.connect({ port: ascii.port, nick: "al{ce" });
    expect(ascii.nicks).toEqual(["al[ce", "al{ce"]);
    one.close();
    two.close();
    await ascii.stop();
  });

  it("demands the password", async () => {
    await irc.stop();
    irc = await IrcServer.start({ password: "open" });
    await expect(person("alice")).rejects.toThrow(" 464 ");
    await expect(person("alice", { password: "sesame" })).rejects.toThrow(" 464 ");
    await person("alice", { password: "open" });
  });

  it("answers early, unknown, short and repeated commands with 451, 421, 461 and 462", async () => {
    const alice = await person("alice");
    expect(await ask(alice, "NONSENSE x")).toEqual(["421 alice NONSENSE :Unknown command"]);
    expect(await ask(alice, "constructor x")).toEqual(["421 alice constructor :Unknown command"]);
    expect(await ask(alice, "JOIN")).toEqual(["461 alice JOIN :Not enough parameters."]);
    expect(await ask(alice, "USER a b c d")).toEqual(["462 alice :You may not reregister"]);
    const socket = connect(irc.port, "127.0.0.1").setEncoding("utf8");
    socket.write("JOIN #x\r\n");
    const answer = await new Promise<string>((resolve) => socket.once("data", (chunk) => resolve(String(chunk))));
    socket.destroy();
    expect(answer).toBe(":irc.testkit.example 451 * :You have not registered\r\n");
  });

  it("says nothing in 005 where it is told not to", async () => {
    await irc.stop();
    irc = await IrcServer.start({ isupport: false, motd: [] });
    const alice = await person("alice");
    expect(alice.lines.map((line) => line.split(" ")[1])).not.toContain("005");
  });
});

describe("channels", () => {
  it("shows joins, parts, quits, nick changes and kicks to the members alone", async () => {
    const [alice, bob, carol] = [await person("alice"), await person("bob"), await person("carol")];
    await alice.join("#x");
    await bob.join("#X");
    expect(irc.channel("#x").members).toEqual(["alice", "bob"]);
    await alice.waitForLine(":bob!bob@127.0.0.1 JOIN #x");
    bob.part("#x", "off to bed");
    await alice.waitForLine(":bob!bob@127.0.0.1 PART #x :off to bed");
    await bob.join("#x");
    await bob.changeNick("robert");
    await alice.waitForLine(":bob!bob@127.0.0.1 NICK robert");
    alice.kick("#x", "robert", "enough");
    await bob.waitForLine(":alice!alice@127.0.0.1 KICK #x robert :enough");
    await bob.join("#x");
    await bob.quit("gone");
    await alice.waitForLine(":robert!bob@127.0.0.1 QUIT :Quit: gone");
    await carol.sync();
    expect(carol.lines.filter((line) => line.includes("#x"))).toEqual([]);
    expect(irc.channel("#x").members).toEqual(["alice"]);
  });

  it("enforces modes i k l b r m n t, each with its numeric", async () => {
    const [alice, bob] = [await person("alice"), await person("bob")];
    await alice.join("#x");
    const refusals: [modes: string, numeric: string][] = [
      ["+i", "473"],
      ["+k open", "475"],
      ["+l 1", "471"],
      ["+b bob", "474"],
      ["+r", "477"],
    ];
    for (const [modes, numeric] of refusals) {
      await ask(alice, `MODE #x ${modes}`);
      await expect(bob.join("#x")).rejects.toThrow(` ${numeric} bob #x `);
      await ask(alice, `MODE #x -${modes.slice(1)}`);
    }
    expect(await ask(bob, "PRIVMSG #x :hello")).toEqual(["404 bob #x :Cannot send to channel (no external messages)"]);
    await ask(alice, "MODE #x +m");
    await bob.join("#x");
    expect(await ask(bob, "PRIVMSG #x :hello")).toEqual(["404 bob #x :Cannot send to channel (+m)"]);
    await ask(alice, "MODE #x +v bob");
    expect(await ask(bob, "PRIVMSG #x :hello")).toEqual([]);
    expect(await ask(bob, "TOPIC #x :mine")).toEqual(["482 bob #x :You must be a channel operator"]);
    expect(await ask(bob, "MODE #x +i")).toEqual(["482 bob #x :You must be a channel operator"]);
    expect(await ask(bob, "KICK #x alice")).toEqual(["482 bob #x :You must be a channel operator"]);
    expect(await ask(alice, "KICK #x nobody")).toEqual(["401 alice nobody :No such nick"]);
    expect(await ask(alice, "MODE #x +Z")).toEqual(["472 alice Z :is not a recognised channel mode."]);
  });

  it("answers for what is not there with 401, 403, 441 and 442", async () => {
    const [alice, bob] = [await person("alice"), await person("bob")];
    await alice.join("#x");
    expect(await ask(alice, "PRIVMSG ghost :hello")).toEqual(["401 alice ghost :No such nick"]);
    expect(await ask(alice, "PRIVMSG #nowhere :hello")).toEqual(["403 alice #nowhere :No such channel"]);
    expect(await ask(alice, "JOIN nowhere")).toEqual(["403 alice nowhere :No such channel"]);
    expect(await ask(alice, "MODE #x +o bob")).toEqual(["441 alice bob #x :They are not on that channel"]);
    expect(await ask(bob, "PART #x")).toEqual(["442 bob #x :You're not on that channel"]);
    expect(await ask(bob, "TOPIC #x :mine")).toEqual(["442 bob #x :You're not on that channel"]);
    expect(await ask(alice, "PRIVMSG")).toEqual(["411 alice :No recipient given (PRIVMSG)."]);
    expect(await ask(alice, "PRIVMSG #x")).toEqual(["412 alice :No text to send"]);
  });

  it("keeps the topic, cut to its length, and shows it to those who join", async () => {
    const [alice, bob] = [await person("alice"), await person("bob")];
    await alice.join("#x");
    alice.topic("#x", "t".repeat(400));
    await irc.waitFor(() => irc.channel("#x").topic.length === 307);
    await bob.join("#x");
    expect(bob.lines.filter((line) => / 33[23] /.test(line))).toHaveLength(2);
    alice.topic("#x", "");
    await bob.waitForLine(":alice!alice@127.0.0.1 TOPIC #x :");
    expect(await ask(bob, "TOPIC #x")).toEqual(["331 bob #x :No topic is set"]);
  });

  it("invites past +i, bans by mask and lists bans", async () => {
    const [alice, bob] = [await person("alice"), await person("bob")];
    await alice.join("#x");
    await ask(alice, "MODE #x +ib *!*@10.0.0.*");
    expect(await ask(alice, "INVITE bob #x")).toEqual(["341 alice bob #x"]);
    await bob.waitForLine(":alice!alice@127.0.0.1 INVITE bob #x");
    await bob.join("#x");
    const bans = await ask(alice, "MODE #x b");
    expect(bans[0]).toMatch(/^367 alice #x \*!\*@10\.0\.0\.\* alice \d+$/);
    expect(bans[1]).toBe("368 alice #x :End of channel ban list");
    expect(await ask(alice, "INVITE bob #x")).toEqual(["443 alice bob #x :is already on channel"]);
  });

  it("answers WHO, WHOIS, NAMES, LIST, USERHOST, ISON and AWAY", async () => {
    const [alice, bob] = [await person("alice"), await person("bob", { realname: "Bob B." })];
    await alice.join("#x");
    await bob.join("#x");
    await ask(bob, "AWAY :at lunch");
    await ask(bob, "MODE bob +B");
    expect(await ask(alice, "PRIVMSG bob :hello")).toEqual(["301 alice bob :at lunch"]);
    expect(await ask(alice, "WHO #x")).toEqual([
      "352 alice #x alice 127.0.0.1 irc.testkit.example alice H@ :0 alice",
      "352 alice #x bob 127.0.0.1 irc.testkit.example bob GB :0 Bob B.",
      "315 alice #x :End of /WHO list.",
    ]);
    const whois = (await ask(alice, "WHOIS bob")).map((line) => line.split(" ")[0]);
    expect(whois).toEqual(["311", "319", "312", "301", "335", "317", "318"]);
    expect(await ask(alice, "USERHOST bob")).toEqual(["302 alice :bob=-bob@127.0.0.1"]);
    expect(await ask(alice, "ISON bob ghost")).toEqual(["303 alice :bob"]);
    expect(await ask(alice, "LIST")).toEqual([
      "321 alice Channel :Users Name",
      "322 alice #x 2 :",
      "323 alice :End of channel list.",
    ]);
  });

  it("forwards a join with 470", async () => {
    const alice = await person("alice");
    irc.forwardJoins("#old", "#new");
    await ask(alice, "JOIN #old");
    expect(irc.channel("#new").members).toEqual(["alice"]);
    expect(alice.lines.join("\n")).toContain(" 470 alice #old #new ");
  });
});

describe("messages", () => {
  it("delivers in order, logs what was delivered, and hands CTCP and bytes through", async () => {
    const [alice, bob] = [await person("alice"), await person("bob")];
    await alice.join("#x");
    await bob.join("#x");
    alice.say("#x", "one");
    alice.action("#x", "waves");
    alice.notice("#x", "three: ünï");
    alice.rawBytes(Buffer.from("PRIVMSG #x :caf\xe9\r\n", "latin1"));
    await bob.waitForLine("caf");
    const { log } = irc.channel("#x");
    expect(log.map(({ from, command, text }) => [from, command, text])).toEqual([
      ["alice", "PRIVMSG", "one"],
      ["alice", "PRIVMSG", "\x01ACTION waves\x01"],
      ["alice", "NOTICE", "three: ünï"],
      ["alice", "PRIVMSG", "caf\ufffd"],
    ]);
    expect(alice.lines.some((line) => line.includes(" PRIVMSG "))).toBe(false);
    bob.say("alice", "psst");
    await alice.waitForLine(":bob!bob@127.0.0.1 PRIVMSG alice :psst");
    expect(irc.messagesTo("ALICE").map(({ text }) => text)).toEqual(["psst"]);
  });

  it("sends to @#x what is for operators", async () => {
    const [alice, bob, carol] = [await person("alice"), await person("bob"), await person("carol")];
    for (const one of [alice, bob, carol]) await one.join("#x");
    carol.say("@#x", "for operators");
    await alice.waitForLine(":carol!carol@127.0.0.1 PRIVMSG @#x :for operators");
    await bob.sync();
    expect(bob.lines.some((line) => line.includes("for operators"))).toBe(false);
  });

  it("cuts what it relays at 512 bytes, the source included", async () => {
    await irc.stop();
    const cloak = "h".repeat(63);
    irc = await IrcServer.start({ cloak });
    const [alice, bob] = [await person("alice"), await person("bob")];
    const channel = `#${"c".repeat(40)}`;
    await alice.join(channel);
    await bob.join(channel);
    alice.say(channel, "x".repeat(450));
    const line = await bob.waitForLine(" PRIVMSG ");
    expect(Buffer.byteLength(line)).toBe(510);
    const room = 510 - `:alice!alice@${cloak} PRIVMSG ${channel} :`.length;
    expect(irc.channel(channel).log[0]?.text).toBe("x".repeat(room));
  });

  it("refuses a line over 512 bytes with 417, or cuts it", async () => {
    const alice = await person("alice");
    await alice.join("#x");
    const fits = `PRIVMSG #x :${"x".repeat(510 - 12)}`;
    expect(await ask(alice, fits)).toEqual([]);
    expect(await ask(alice, `${fits}x`)).toEqual(["417 alice :Input line was too long"]);
    expect(await ask(alice, `@+a=${"x".repeat(4096)} PRIVMSG #x :tags`)).toEqual([
      "417 alice :Input line was too long",
    ]);
    expect(await ask(alice, `PRIVMSG #x :${"x".repeat(100_000)}`)).toEqual(["417 alice :Input line was too long"]);
    expect(irc.channel("#x").log).toHaveLength(1);
    await irc.stop();
    irc = await IrcServer.start({ overlong: "cut" });
    const bob = await person("bob");
    await bob.join("#x");
    expect(await ask(bob, `${fits}x`)).toEqual([]);
    expect(irc.channel("#x").log).toHaveLength(1);
  });

  it("drops or refuses what the test decides", async () => {
    const alice = await person("alice");
    await alice.join("#x");
    irc.judgeMessages(({ text }) => (text === "bad" ? "refuse" : text === "lost" ? "drop" : "deliver"));
    expect(await ask(alice, "PRIVMSG #x :bad")).toEqual(["404 alice #x :Cannot send to channel (message refused)"]);
    expect(await ask(alice, "PRIVMSG #x :lost")).toEqual([]);
    expect(await ask(alice, "PRIVMSG #x :good")).toEqual([]);
    expect(irc.channel("#x").log.map(({ text }) => text)).toEqual(["good"]);
  });

  it("remembers the raw lines of a client under each of its nicks", async () => {
    const alice = await person("alice");
    await alice.changeNick("alicia");
    alice.raw("PRIVMSG ghost :boo");
    await alice.sync();
    expect(irc.linesFrom("alice")).toEqual(irc.linesFrom("alicia"));
    expect(irc.linesFrom("alice")).toContain("PRIVMSG ghost :boo");
  });
});
