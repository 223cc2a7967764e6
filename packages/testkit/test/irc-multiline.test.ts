import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type IrcTestClient, ManualIrcClock } from "../dist/irc/index.js";
import { ask, heard, Party, short } from "./irc-support.js";

const CAPS = ["batch", "message-tags", "echo-message", "labeled-response", "draft/multiline", "draft/chathistory"];

let clock: ManualIrcClock;
let party: Party;
let alice: IrcTestClient;
let bob: IrcTestClient;
let carol: IrcTestClient;

beforeEach(async () => {
  clock = new ManualIrcClock();
  party = await Party.start({ clock, limits: { multilineBytes: 40, multilineLines: 5 } });
  [alice, bob] = (await party.inChannel("#x", ["alice", "bob"], CAPS)) as [IrcTestClient, IrcTestClient];
  [carol] = (await party.inChannel("#x", ["carol"], ["message-tags"])) as [IrcTestClient];
});

afterEach(() => party.end());

const MESSAGE = [
  "@+draft/reply=abc BATCH +1 draft/multiline #x",
  "@batch=1 PRIVMSG #x :one",
  "@batch=1 PRIVMSG #x :",
  "@batch=1 PRIVMSG #x :two ",
  "@batch=1;draft/multiline-concat PRIVMSG #x :three",
  "BATCH -1",
];

const codes = (lines: Awaited<ReturnType<typeof ask>>): string[] =>
  lines.map(({ command, params }) => [command, ...params.slice(0, -1)].join(" "));

describe("draft/multiline", () => {
  it("announces its limits", async () => {
    expect((await ask(alice, "CAP LS 302"))[0]?.params.at(-1)).toContain("draft/multiline=max-bytes=40,max-lines=5");
  });

  it("carries one message as a batch, and as lines without blank ones to those who cannot read it", async () => {
    const [atBob, atCarol] = [bob.mark(), carol.mark()];
    const echo = await ask(alice, ...MESSAGE);
    const [begin, ...lines] = await heard(bob, atBob);
    const end = lines.pop();
    const batch = begin?.params[0]?.slice(1) ?? "";
    expect(begin?.params.slice(1)).toEqual(["draft/multiline", "#x"]);
    expect([begin?.source, begin?.tags.get("+draft/reply")]).toEqual(["alice!alice@127.0.0.1", "abc"]);
    expect(lines.map((line) => [short(line), line.tags.get("batch"), line.tags.has("draft/multiline-concat")])).toEqual(
      [
        ["PRIVMSG #x one", batch, false],
        ["PRIVMSG #x ", batch, false],
        ["PRIVMSG #x two ", batch, false],
        ["PRIVMSG #x three", batch, true],
      ],
    );
    expect(end?.params).toEqual([`-${batch}`]);
    expect(echo.map(({ command }) => command)).toEqual(["BATCH", "PRIVMSG", "PRIVMSG", "PRIVMSG", "PRIVMSG", "BATCH"]);
    const single = await heard(carol, atCarol);
    expect(single.map(short)).toEqual(["PRIVMSG #x one", "PRIVMSG #x two ", "PRIVMSG #x three"]);
    expect(single.map(({ tags }) => tags.has("msgid"))).toEqual([true, false, false]);
    expect(party.irc.channel("#x").log.map(({ text, tags }) => [text, tags["msgid"]])).toEqual([
      ["one\n\ntwo three", begin?.tags.get("msgid")],
    ]);
  });

  it("labels the batch that comes back, or the refusal", async () => {
    const [first, ...rest] = MESSAGE;
    const lines = await ask(alice, `@label=m;${first?.slice(1) ?? ""}`, ...rest);
    expect(lines.map(({ tags }) => tags.get("label"))).toEqual(["m", ...lines.slice(1).map(() => undefined)]);
    await ask(alice, "MODE #x +m");
    const refused = await ask(bob, `@label=n ${first?.replace(/^\S+ /, "") ?? ""}`, ...rest);
    expect(refused.map((line) => [line.command, line.tags.get("label")])).toEqual([["404", "n"]]);
  });

  it("comes back as one message from the history", async () => {
    await ask(alice, ...MESSAGE);
    await ask(alice, "PRIVMSG #x :four");
    const lines = await ask(bob, "CHATHISTORY LATEST #x * 2");
    const [outer, inner] = lines.map(({ params }) => params[0]?.slice(1));
    expect(lines.map(({ command, tags }) => [command, tags.get("batch")])).toEqual([
      ["BATCH", undefined],
      ["BATCH", outer],
      ["PRIVMSG", inner],
      ["PRIVMSG", inner],
      ["PRIVMSG", inner],
      ["PRIVMSG", inner],
      ["BATCH", outer],
      ["PRIVMSG", outer],
      ["BATCH", undefined],
    ]);
  });

  it("is given up when it stays open", async () => {
    alice.raw("BATCH +1 draft/multiline #x");
    await alice.sync();
    clock.advance(30_000);
    await alice.waitForLine("FAIL BATCH TIMEOUT 1 :");
    expect(await ask(alice, "BATCH -1")).toEqual([]);
    expect((await ask(alice, "PRIVMSG #x :hello")).map(short)).toEqual(["PRIVMSG #x hello"]);
  });

  it("refuses with the codes of the specification, and says nothing of what it refused", async () => {
    const open = "BATCH +1 draft/multiline #x";
    const line = (text: string): string => `@batch=1 PRIVMSG #x :${text}`;
    const cases: [string[], string][] = [
      [[open, line("x".repeat(41)), "BATCH -1"], "FAIL BATCH MULTILINE_MAX_BYTES 40"],
      [[open, line("x".repeat(20)), line("x".repeat(20)), "BATCH -1"], "FAIL BATCH MULTILINE_MAX_BYTES 40"],
      [[open, ...Array.from("123456", line), "BATCH -1"], "FAIL BATCH MULTILINE_MAX_LINES 5"],
      [[open, "@batch=1 PRIVMSG bob :x", "BATCH -1"], "FAIL BATCH MULTILINE_INVALID_TARGET #x bob"],
      [[open, "@batch=2 PRIVMSG #x :x", "BATCH -1"], "FAIL BATCH MULTILINE_INVALID"],
      [[open, line("x"), "@batch=1 NOTICE #x :x", "BATCH -1"], "FAIL BATCH MULTILINE_INVALID"],
      [[open, line("x"), "@batch=1;draft/multiline-concat PRIVMSG #x :", "BATCH -1"], "FAIL BATCH MULTILINE_INVALID"],
      [[open, line(""), line(""), "BATCH -1"], "FAIL BATCH MULTILINE_INVALID"],
      [[open, "BATCH -1"], "FAIL BATCH MULTILINE_INVALID"],
      [["BATCH +1 draft/singleline #x"], "FAIL BATCH UNKNOWN_TYPE 1 draft/singleline"],
      [["BATCH +a/b draft/multiline #x"], "FAIL BATCH INVALID_REFTAG a/b"],
    ];
    for (const [lines, code] of cases)
      expect({ lines, codes: codes(await ask(alice, ...lines)) }).toEqual({ lines, codes: [code] });
    expect(party.irc.channel("#x").log).toEqual([]);
    expect((await ask(carol, open))[0]?.command).toBe("421");
  });
});
