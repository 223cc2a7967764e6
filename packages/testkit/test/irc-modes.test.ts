import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { IrcTestClient } from "../dist/irc/index.js";
import { ask, heard, numeric, Party, short } from "./irc-support.js";

let party: Party;

beforeEach(async () => {
  party = await Party.start();
});

afterEach(() => party.end());

type Three = [IrcTestClient, IrcTestClient, IrcTestClient];

/** An operator, and two who are nothing. */
const three = async (): Promise<Three> => (await party.inChannel("#x", ["alice", "bob", "carol"])) as Three;

const numerics = async (client: IrcTestClient, ...lines: string[]): Promise<string[]> =>
  (await ask(client, ...lines)).map(numeric);
const commands = async (client: IrcTestClient, ...lines: string[]): Promise<string[]> =>
  (await ask(client, ...lines)).map(({ command }) => command);

describe("who may come in", () => {
  it.each([
    ["+i", "", "473"],
    ["+k", "secret", "475"],
    ["+l", "1", "471"],
    ["+b", "*!*@127.0.0.1", "474"],
    ["+b", "bob", "474"],
    ["+r", "", "477"],
  ])("%s %s refuses with %s", async (mode, parameter, refusal) => {
    const alice = await party.person("alice");
    await alice.join("#x");
    await ask(alice, `MODE #x ${mode} ${parameter}`);
    const bob = await party.person("bob");
    expect(await numerics(bob, "JOIN #x")).toEqual([`${refusal} #x`]);
    await ask(alice, "INVITE bob #x");
    const invited = await commands(bob, "JOIN #x secret");
    expect({ mode, joined: invited.includes("JOIN") }).toEqual({ mode, joined: mode !== "+r" });
  });

  it("lets exceptions, invitation lists, keys and accounts through", async () => {
    const alice = await party.person("alice");
    await alice.join("#x");
    const bob = await party.person("bob");
    await ask(alice, "MODE #x +be *!*@* bob!*@*");
    expect(await commands(bob, "JOIN #x")).toContain("JOIN");
    await ask(bob, "PART #x");
    await ask(alice, "MODE #x -be+iI *!*@* bob!*@* bob!*@*");
    expect(await commands(bob, "JOIN #x")).toContain("JOIN");
    await ask(bob, "PART #x");
    await ask(alice, "MODE #x -iI+rk bob!*@* key");
    party.irc.setAccount("bob", "robert");
    await bob.sync();
    expect(await numerics(bob, "JOIN #x wrong")).toEqual(["475 #x"]);
    expect(await commands(bob, "JOIN #x key")).toContain("JOIN");
    await ask(bob, "PART #x");
    await ask(alice, "MODE #x -k+b * R:robert");
    expect(await numerics(bob, "JOIN #x")).toEqual(["474 #x"]);
  });

  it("forwards those it refuses, and those the test says", async () => {
    const alice = await party.person("alice");
    await alice.join("#x");
    await ask(alice, "MODE #x +if #lobby");
    const bob = await party.person("bob");
    const lines = await ask(bob, "JOIN #x");
    expect(lines.slice(0, 2).map(({ command, params }) => [command, ...params.slice(0, 3)])).toEqual([
      ["470", "bob", "#x", "#lobby"],
      ["JOIN", "#lobby"],
    ]);
    party.irc.forwardJoins("#open", "#elsewhere");
    expect(await commands(bob, "JOIN #open")).toContain("470");
    expect(party.irc.channel("#elsewhere").members).toEqual(["bob"]);
    party.irc.forwardJoins("#a", "#b");
    party.irc.forwardJoins("#b", "#a");
    expect((await commands(bob, "JOIN #a")).filter((one) => one === "470")).toHaveLength(5);
  });

  it("refuses what the test closes", async () => {
    const alice = await party.person("alice");
    for (const refusal of ["403", "405", "437", "471", "480", "489", "520"] as const) {
      party.irc.closeChannel("#x", refusal);
      expect(await numerics(alice, "JOIN #X")).toEqual([`${refusal} #X`]);
    }
    party.irc.closeChannel("#x", undefined);
    await alice.join("#x");
  });

  it("knows no more channels than the limit", async () => {
    await party.end();
    party = await Party.start({ limits: { channels: 2, bans: 2, modes: 3 } });
    const alice = await party.person("alice");
    expect(alice.lines.join(" ")).toContain("CHANLIMIT=#&:2");
    await ask(alice, "JOIN #a,#b");
    expect(await numerics(alice, "JOIN #c")).toEqual(["405 #c"]);
    expect(await commands(alice, "MODE #a +bbb a b c")).toEqual(["478", "MODE"]);
  });
});

describe("who may speak", () => {
  it("is decided by +n, +m, bans, quiets, exceptions and voices", async () => {
    const [alice, bob] = await three();
    const outside = await party.person("dave");
    const canSpeak = async (who: IrcTestClient, text = "hello"): Promise<boolean> =>
      !(await commands(who, `PRIVMSG #x :${text}`)).includes("404");
    const after = async (mode: string, who: IrcTestClient, text?: string): Promise<boolean> => {
      await ask(alice, `MODE #x ${mode}`);
      return canSpeak(who, text);
    };
    expect(await canSpeak(outside)).toBe(false);
    expect(await after("-n", outside)).toBe(true);
    expect(await after("+m", bob)).toBe(false);
    expect(await after("+v bob", bob)).toBe(true);
    expect(await after("-mv bob", bob)).toBe(true);
    expect(await after("+q bob", bob)).toBe(false);
    expect(await after("+e bob", bob)).toBe(true);
    expect(await after("-qe bob bob", bob)).toBe(true);
    expect(await after("+b bob", bob)).toBe(false);
    expect(await after("-b+b bob m:bob", bob)).toBe(false);
    expect(await after("-b m:bob", bob)).toBe(true);
    expect(await after("+c", bob, "\x034red")).toBe(false);
    expect(await after("-c+C", bob, "\x01VERSION\x01")).toBe(false);
    expect(await canSpeak(bob, "\x01ACTION waves\x01")).toBe(true);
    expect(party.irc.channel("#x").log.length).toBeGreaterThan(5);
  });

  it("keeps those who are banned or quieted from changing their nick", async () => {
    const [alice, bob] = await three();
    await ask(alice, "MODE #x +q bob");
    expect(await numerics(bob, "NICK robert")).toEqual(["435 robert #x"]);
    await ask(alice, "MODE #x +v bob");
    await bob.changeNick("robert");
  });

  it("carries STATUSMSG to those of the rank and above", async () => {
    const [alice, bob, carol] = await three();
    await ask(alice, "MODE #x +v bob");
    const hears = async (target: string): Promise<string[]> => {
      const marks = new Map([alice, bob, carol].map((one) => [one, one.mark()]));
      const sender = await party.person("sender");
      await sender.join("#x");
      await ask(sender, `PRIVMSG ${target} :psst`, "QUIT").catch(() => []);
      const heardBy: string[] = [];
      for (const [one, mark] of marks) {
        const lines = await heard(one, mark);
        if (lines.some((line) => short(line) === `PRIVMSG ${target} psst`)) heardBy.push(one.nick);
      }
      return heardBy;
    };
    expect(await hears("@#x")).toEqual(["alice"]);
    expect(await hears("+#x")).toEqual(["alice", "bob"]);
    expect(await hears("#x")).toEqual(["alice", "bob", "carol"]);
  });
});

describe("ranks", () => {
  it("let half-operators do what is theirs and no more", async () => {
    const [alice, bob, carol] = await three();
    await ask(alice, "MODE #x +h bob");
    expect(await commands(bob, "MODE #x +v carol")).toEqual(["MODE"]);
    expect(await commands(bob, "MODE #x +o carol")).toEqual(["482"]);
    expect(await commands(bob, "TOPIC #x :ours")).toEqual(["TOPIC"]);
    expect(await commands(bob, "KICK #x alice")).toEqual(["482"]);
    expect(await commands(carol, "KICK #x bob")).toEqual(["482"]);
    expect(await commands(bob, "KICK #x carol")).toEqual(["KICK"]);
  });

  it("are counted one by one, so that a voice outlives an operator", async () => {
    const [alice, bob] = await three();
    await ask(alice, "MODE #x +ov bob bob", "MODE #x -o bob");
    expect((await ask(bob, "NAMES #x"))[0]?.params.at(-1)).toBe("@alice +bob carol");
  });

  it("are those the options say", async () => {
    await party.end();
    party = await Party.start({ ranks: "qaohv" });
    const alice = await party.person("alice", ["multi-prefix"]);
    expect(alice.lines.join(" ")).toContain("PREFIX=(qaohv)~&@%+");
    await alice.join("#x");
    party.irc.setModes("#x", "+qahv", "alice", "alice", "alice", "alice");
    await alice.sync();
    expect((await ask(alice, "NAMES #x"))[0]?.params.at(-1)).toBe("~&@%+alice");
    await party.end();
    party = await Party.start({ ranks: "ov" });
    const bob = await party.person("bob");
    expect(bob.lines.join(" ")).toContain("PREFIX=(ov)@+");
    await bob.join("#x");
    expect(await commands(bob, "MODE #x +h bob")).toEqual(["472"]);
  });
});

describe("lists and letters", () => {
  it("are shown with who set them, each by its own numerics", async () => {
    const [alice, bob] = await three();
    await ask(alice, "MODE #x +beIq one two three four");
    const shown = async (letter: string): Promise<string[][]> =>
      (await ask(bob, `MODE #x ${letter}`)).map(({ command, params }) => [command, ...params.slice(1, 4)]);
    expect(await shown("b")).toEqual([
      ["367", "#x", "one!*@*", "alice"],
      ["368", "#x", "End of channel ban list"],
    ]);
    expect((await shown("e")).map(([command]) => command)).toEqual(["348", "349"]);
    expect((await shown("I")).map(([command]) => command)).toEqual(["346", "347"]);
    expect((await shown("q"))[0]).toEqual(["728", "#x", "q", "four!*@*"]);
  });

  it("can be taken away, to imitate a poorer server", async () => {
    await party.end();
    party = await Party.start({ withoutModes: "eIqfcC" });
    const alice = await party.person("alice");
    const tokens = alice.lines.join(" ");
    expect(tokens).toContain("CHANMODES=b,k,l,imnprst");
    expect(tokens).not.toMatch(/EXCEPTS|INVEX/);
    await alice.join("#x");
    expect(await commands(alice, "MODE #x +e bob")).toEqual(["472"]);
  });

  it("hides secret and private channels, and keys, from those outside", async () => {
    const alice = await party.person("alice");
    await alice.join("#x");
    await ask(alice, "MODE #x +ks secret");
    const bob = await party.person("bob");
    expect(await commands(bob, "LIST")).toEqual(["321", "323"]);
    expect(await commands(bob, "NAMES #x")).toEqual(["366"]);
    expect(await commands(bob, "WHO #x")).toEqual(["315"]);
    expect(await commands(bob, "WHOIS alice")).not.toContain("319");
    expect(await commands(bob, "MODE #x")).toEqual(["403"]);
    await ask(alice, "MODE #x -s");
    expect((await ask(bob, "MODE #x"))[0]?.params).toEqual(["bob", "#x", "+ntk", "*"]);
  });

  it("are refused to those who may not, and with 696 where they make no sense", async () => {
    const [alice, bob] = await three();
    expect(await commands(bob, "MODE #x +m")).toEqual(["482"]);
    expect(await commands(bob, "TOPIC #x :mine")).toEqual(["482"]);
    await ask(alice, "MODE #x +i");
    expect(await commands(bob, "INVITE dave #x")).toEqual(["401"]);
    await party.person("dave");
    expect(await commands(bob, "INVITE dave #x")).toEqual(["482"]);
    expect(await commands(alice, "INVITE bob #x")).toEqual(["443"]);
    expect(await commands(alice, "MODE #x +l none", "MODE #x +Z", "MODE #x +o dave", "MODE #x +o nobody")).toEqual([
      "696",
      "472",
      "441",
      "401",
    ]);
  });
});

describe("nicks", () => {
  it.each(["432", "433", "436", "437", "438"] as const)("are refused with %s", async (refusal) => {
    party.irc.holdNick("taken", refusal);
    await expect(party.person("taken")).rejects.toThrow(` ${refusal} * taken `);
    const alice = await party.person("alice");
    await expect(alice.changeNick("Taken")).rejects.toThrow(` ${refusal} `);
  });

  it("have a length, and fold by the mapping", async () => {
    await party.end();
    party = await Party.start({ caseMapping: "rfc1459-strict", limits: { nick: 9 } });
    const one = await party.person("a[b");
    expect(one.lines.join(" ")).toMatch(/CASEMAPPING=rfc1459-strict .*NICKLEN=9 /);
    await expect(party.person("A{B")).rejects.toThrow(" 433 ");
    await ask(one, "JOIN #a[~", "JOIN #a{~", "JOIN #a{^");
    expect([party.irc.channel("#A[~").members, party.irc.channel("#A[^").members]).toEqual([["a[b"], ["a[b"]]);
    await expect(party.person("abcdefghij")).rejects.toThrow(" 432 ");
  });
});
