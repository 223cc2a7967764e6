import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type IrcTestClient, ManualIrcClock } from "../dist/irc/index.js";
import type { IrcLine } from "../dist/irc/line.js";
import { ask, Party, short } from "./irc-support.js";

const CAPS = ["batch", "message-tags", "server-time", "draft/chathistory"];
const EPOCH = Date.parse("2024-01-01T00:00:00.000Z");

let clock: ManualIrcClock;
let party: Party;
let alice: IrcTestClient;
let bob: IrcTestClient;

beforeEach(async () => {
  clock = new ManualIrcClock(EPOCH);
  party = await Party.start({ clock, limits: { chathistory: 10 } });
  [alice, bob] = (await party.inChannel("#x", ["alice", "bob"], CAPS)) as [IrcTestClient, IrcTestClient];
});

afterEach(() => party.end());

/** One message a second. */
async function say(count: number, target = "#x", who = alice): Promise<void> {
  for (let number = 1; number <= count; number += 1) {
    clock.advance(1_000);
    who.raw(`PRIVMSG ${target} :${number}`);
    await who.sync();
  }
}

const time = (second: number): string => `timestamp=${new Date(EPOCH + second * 1_000).toISOString()}`;

/** The texts inside the one batch of an answer. */
function texts(lines: readonly IrcLine[]): string[] {
  const [begin, ...rest] = lines;
  const end = rest.pop();
  const batch = begin?.params[0]?.slice(1) ?? "";
  expect(begin?.params[1]).toBe("chathistory");
  expect(end?.params).toEqual([`-${batch}`]);
  for (const line of rest) expect(line.tags.get("batch")).toBe(batch);
  return rest.map((line) => line.params.at(-1) ?? "");
}

const query = async (line: string, who = bob): Promise<string[]> => texts(await ask(who, `CHATHISTORY ${line}`));
const failure = async (line: string, who = bob): Promise<string> =>
  (await ask(who, `CHATHISTORY ${line}`)).map((one) => [one.command, ...one.params.slice(0, -1)].join(" ")).join();

describe("draft/chathistory", () => {
  it("announces its limit and its references", () => {
    const tokens = alice.lines.filter((line) => line.includes(" 005 ")).join(" ");
    expect(tokens).toContain("CHATHISTORY=10");
    expect(tokens).toContain("MSGREFTYPES=msgid,timestamp");
  });

  it("answers each subcommand by time", async () => {
    await say(20);
    expect(await query("LATEST #x * 3")).toEqual(["18", "19", "20"]);
    expect(await query(`LATEST #x ${time(18)} 10`)).toEqual(["19", "20"]);
    expect(await query(`BEFORE #x ${time(5)} 2`)).toEqual(["3", "4"]);
    expect(await query(`AFTER #x ${time(5)} 2`)).toEqual(["6", "7"]);
    expect(await query(`AROUND #x ${time(5)} 3`)).toEqual(["4", "5", "6"]);
    expect(await query(`BETWEEN #x ${time(5)} ${time(9)} 10`)).toEqual(["6", "7", "8"]);
    expect(await query(`BETWEEN #x ${time(5)} ${time(9)} 2`)).toEqual(["6", "7"]);
    expect(await query(`BETWEEN #x ${time(9)} ${time(5)} 2`)).toEqual(["7", "8"]);
  });

  it("names what was asked for, in the letters in which it was asked for", async () => {
    await say(1);
    await say(1, "Bob", alice);
    for (const target of ["#X", "ALICE"]) {
      const [begin] = await ask(bob, `CHATHISTORY LATEST ${target} * 5`);
      expect(begin?.params.at(-1)).toBe(target);
    }
  });

  it("gives no more than the limit at once, and nothing where there is nothing", async () => {
    await say(20);
    expect(await query("LATEST #x * 500")).toHaveLength(10);
    expect(await query(`BEFORE #x ${time(1)} 5`)).toEqual([]);
  });

  it("keeps message ids and times, so that pages by msgid neither miss nor repeat", async () => {
    await say(9);
    const sent = party.irc.channel("#x").log;
    const lines = await ask(bob, "CHATHISTORY LATEST #x * 9");
    expect(lines.slice(1, -1).map(({ tags }) => [tags.get("msgid"), tags.get("time")])).toEqual(
      sent.map(({ tags }) => [tags["msgid"], tags["time"]]),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9 }), async (size) => {
        const found: string[] = [];
        for (let at = sent.at(-1)?.tags["msgid"]; at !== undefined;) {
          const page = await ask(bob, `CHATHISTORY BEFORE #x msgid=${at} ${size}`);
          found.unshift(...texts(page));
          at = page.slice(1, -1)[0]?.tags.get("msgid");
        }
        expect(found).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
      }),
      { numRuns: 9, seed: 1 },
    );
  });

  it("remembers conversations with both sides, and lists where there is something", async () => {
    await say(1, "bob");
    await say(1, "alice", bob);
    await say(1);
    expect(
      (await ask(alice, "CHATHISTORY LATEST bob * 5")).slice(1, -1).map(({ source }) => source?.split("!")[0]),
    ).toEqual(["alice", "bob"]);
    const lines = await ask(bob, `CHATHISTORY TARGETS ${time(0)} ${time(100)} 5`);
    expect(lines.slice(0, -1).map((line) => short(line).replace(/\+\S+/, "+"))).toEqual([
      "BATCH + draft/chathistory-targets",
      "CHATHISTORY TARGETS alice 2024-01-01T00:00:02.000Z",
      "CHATHISTORY TARGETS #x 2024-01-01T00:00:03.000Z",
    ]);
    expect(await ask(bob, `CHATHISTORY TARGETS ${time(50)} ${time(100)} 5`)).toHaveLength(2);
  });

  it("shows tag messages and what happened to those with event-playback alone", async () => {
    const carol = await party.person("carol", [...CAPS, "draft/event-playback"]);
    await carol.join("#x");
    await ask(alice, "@+draft/react=ok TAGMSG #x", "TOPIC #x :news");
    await say(1);
    expect(await query("LATEST #x * 10")).toEqual(["1"]);
    const lines = await ask(carol, "CHATHISTORY LATEST #x * 10");
    expect(lines.slice(1, -1).map(({ command }) => command)).toEqual([
      "JOIN",
      "JOIN",
      "JOIN",
      "TAGMSG",
      "TOPIC",
      "PRIVMSG",
    ]);
    expect(lines.find(({ command }) => command === "TAGMSG")?.tags.get("+draft/react")).toBe("ok");
  });

  it("refuses with the codes of the specification", async () => {
    await say(1);
    expect(await failure("SOMETIMES #x * 5")).toBe("FAIL CHATHISTORY INVALID_PARAMS SOMETIMES");
    expect(await failure("LATEST #x *")).toBe("FAIL CHATHISTORY INVALID_PARAMS LATEST");
    expect(await failure("LATEST #x * 5 6")).toBe("FAIL CHATHISTORY INVALID_PARAMS LATEST");
    expect(await failure("LATEST #x * many")).toBe("FAIL CHATHISTORY INVALID_PARAMS LATEST");
    expect(await failure("BEFORE #x timestamp=yesterday 5")).toBe(
      "FAIL CHATHISTORY INVALID_PARAMS BEFORE timestamp=yesterday",
    );
    expect(await failure("BEFORE #x msgid=none 5")).toBe("FAIL CHATHISTORY MESSAGE_ERROR BEFORE #x");
    expect(await failure("LATEST #y * 5")).toBe("FAIL CHATHISTORY INVALID_TARGET LATEST #y");
    const outsider = await party.person("eve", CAPS);
    expect(await failure("LATEST #x * 5", outsider)).toBe("FAIL CHATHISTORY INVALID_TARGET LATEST #x");
    expect((await ask(await party.person("dave"), "CHATHISTORY LATEST #x * 5"))[0]?.command).toBe("421");
  });

  it("puts the label on its own batch", async () => {
    await say(2);
    const carol = await party.person("carol", [...CAPS, "labeled-response"]);
    await carol.join("#x");
    const lines = await ask(carol, "@label=h CHATHISTORY LATEST #x * 5");
    expect(lines.map(({ tags }) => tags.get("label"))).toEqual(["h", undefined, undefined, undefined]);
    expect(lines[0]?.params[1]).toBe("chathistory");
  });

  it("survives an outage, and can be switched off", async () => {
    await say(2);
    await party.irc.stop();
    await party.irc.start();
    const again = await party.person("alice", CAPS);
    await again.join("#x");
    expect(await query("LATEST #x * 5", again)).toEqual(["1", "2"]);
    party.irc.setCapability("draft/chathistory", false);
    expect((await ask(again, "CHATHISTORY LATEST #x * 5"))[0]?.command).toBe("421");
  });
});
