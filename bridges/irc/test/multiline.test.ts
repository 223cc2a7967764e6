import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import fc from "fast-check";
import { mergeRuns, parseRuns, PLAIN, type Run } from "../dist/format/runs.js";
import { MIN_BUDGET, splitExactly } from "../dist/format/split.js";
import { together } from "../dist/network/outward/multiline.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

const room = ChannelId("net/#room");

describe("a line that is cut for the wire alone", () => {
  const style = fc.record({
    bold: fc.boolean(),
    italic: fc.boolean(),
    underline: fc.boolean(),
    strike: fc.boolean(),
    mono: fc.boolean(),
  });
  const words = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 60 }),
    fc.stringMatching(/^[ a-z0-9,]{0,60}$/),
    fc.constantFrom("👩‍👩‍👧‍👦", "   ", "é".repeat(50), "x".repeat(150), "12,3"),
  );
  const text = words.map((each) => each.replace(/\p{Cc}/gu, ""));
  const colour = fc.option(fc.constantFrom("#ff0000", "#00ff00"), { nil: undefined });
  const run: fc.Arbitrary<Run> = fc.tuple(text, style, colour).map(([piece, toggles, foreground]) => ({
    text: piece,
    style: { ...PLAIN, ...toggles, ...(foreground !== undefined && { foreground }) },
  }));
  const line = fc.array(run, { maxLength: 8 }).map((runs) => mergeRuns(runs));

  it("is the line again when it is joined, formatting and all, and no piece is too long", () => {
    fc.assert(
      fc.property(line, fc.integer({ min: MIN_BUDGET, max: 200 }), (runs, budget) => {
        const pieces = splitExactly(runs, budget);
        for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(budget);
        // Read as one, and each read by itself.
        expect(parseRuns(pieces.join(""))).toEqual(runs);
        expect(mergeRuns(pieces.flatMap((piece) => parseRuns(piece)))).toEqual(runs);
      }),
      { seed: 6, numRuns: 500 },
    );
  });

  it("says in each part which of its lines go on, and begins none with one that does", () => {
    const piece = fc.record({ text: fc.stringMatching(/^[a-z ]{1,20}$/), goesOn: fc.boolean() });
    const limits = fc.record({ bytes: fc.integer({ min: 1, max: 100 }), lines: fc.integer({ min: 2, max: 6 }) });
    fc.assert(
      fc.property(fc.array(piece), limits, (pieces, most) => {
        const parts = together(pieces, "text", most);
        expect(parts.flatMap((part) => part.text.split("\n"))).toEqual(pieces.map((each) => each.text));
        let at = 0;
        for (const part of parts) {
          const lines = part.text.split("\n");
          expect(lines.length).toBeLessThanOrEqual(most.lines);
          lines.forEach((_, index) => {
            expect(part.goesOn?.includes(index) ?? false).toBe(index > 0 && pieces[at + index]?.goesOn === true);
          });
          at += lines.length;
        }
      }),
      { seed: 6 },
    );
  });
});

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

describe("a message of several lines", () => {
  beforeEach(async () => {
    irc = await IrcServer.start({ limits: { multilineBytes: 30_000, multilineLines: 100 } });
    carol = await IrcTestClient.connect({
      port: irc.port,
      nick: "carol",
      caps: ["message-tags", "batch", "draft/multiline", "echo-message"],
    });
    await carol.join("#room");
    bridge = await RunningBridge.start({ networks: [networkOn(irc.port, { maxLines: 1_000 })], channels: [room] });
    await bridge.ready();
  });

  afterEach(async () => {
    await bridge.end();
    carol.close();
    await irc.stop();
  });

  const alice = { channel: room, name: "Alice" };
  const long = Array.from({ length: 200 }, (_, number) => `wörd${number}`).join(" ");
  const batch = (reference: string, target: string, ...lines: readonly string[]): void => {
    carol.raw(`BATCH +${reference} draft/multiline ${target}`);
    for (const line of lines) {
      const goesOn = line.startsWith("+") ? ";draft/multiline-concat" : "";
      carol.raw(`@batch=${reference}${goesOn} PRIVMSG ${target} :${line.slice(1)}`);
    }
    carol.raw(`BATCH -${reference}`);
  };

  it("arrives on IRC exactly, also where a line had to be cut", async () => {
    const text = `first\n${long}  two spaces\n${"x".repeat(1_500)}`;
    const outcomes = await bridge.say({ ...alice, text });
    expect(outcomes).toEqual([{ id: expect.any(String) }]);
    expect(irc.channel("#room").log.map((each) => each.text)).toEqual([text]);
    // What those see who know nothing of it is whole as well.
    for (const line of irc.linesFrom("Alice[m]"))
      expect(Buffer.byteLength(line.replace(/^@\S+ /, ""))).toBeLessThanOrEqual(510);
  });

  it("keeps its formatting over a cut", async () => {
    const body = {
      blocks: [
        {
          type: "paragraph" as const,
          children: [{ type: "bold" as const, children: [{ type: "text" as const, text: long }] }],
        },
      ],
    };
    await bridge.say({ ...alice, body });
    const [said] = irc.channel("#room").log;
    expect(parseRuns(said?.text ?? "")).toEqual([{ text: long, style: { ...PLAIN, bold: true } }]);
  });

  it("is one line at a time where the bot says it, each under the name", async () => {
    irc.closeChannel("#room", "473");
    await bridge.say({ ...alice, text: long });
    const lines = irc.channel("#room").log.flatMap((each) => each.text.split("\n"));
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line).toMatch(/^<Alice> /);
    expect(lines.map((line) => line.replace("<Alice> ", "").trim()).join(" ")).toBe(long);
  });

  it("arrives on Matrix as one, joined as it was cut", async () => {
    batch("1", "#room", "-one", "+ and the same", "-", "-\x02three");
    carol.say("#room", "after");
    await bridge.core.until("the next", () => bridge.core.texts().includes("after"));
    expect(bridge.core.texts()).toEqual(["one and the same\n\nthree", "after"]);
    expect(bridge.core.messages()[0]?.id).toBe(irc.channel("#room").log[0]?.tags["msgid"]);
  });

  it("arrives as one in a private conversation too", async () => {
    await bridge.say({ ...alice, text: "hello" });
    batch("1", "Alice[m]", "-one", "-two");
    carol.say("Alice[m]", "after");
    await bridge.core.until("the next", () => bridge.core.texts().includes("after"));
    expect(bridge.core.texts()).toEqual(["one\ntwo", "after"]);
    expect(bridge.core.messages()[0]?.channel).toBe("net/carol/@alice:example.org");
  });

  it("is told in pieces where it is too long for one event", async () => {
    const lines = Array.from({ length: 60 }, (_, number) => `${number} ${"x".repeat(400)}`);
    batch("1", "#room", ...lines.map((line) => `-${line}`));
    carol.say("#room", "after");
    await bridge.core.until("the next", () => bridge.core.texts().includes("after"));
    const texts = bridge.core.texts();
    expect(texts.slice(0, -1).join("\n").split("\n")).toEqual(lines);
    expect(texts).toHaveLength(4);
    expect(new Set(bridge.core.messages().map(({ id }) => id)).size).toBe(4);
  });

  it("is put together also where the bridge is restarted in the middle", async () => {
    const from = ":carol!carol@127.0.0.1";
    irc.sendRaw("trestle", `@msgid=m1 ${from} BATCH +b1 draft/multiline #room`);
    irc.sendRaw("trestle", `@batch=b1 ${from} PRIVMSG #room :one`);
    irc.sendRaw("trestle", `${from} PRIVMSG #room :marker`);
    await bridge.core.until("the marker", () => bridge.core.texts().includes("marker"));
    const { core } = bridge;
    await bridge.close();
    irc.sendRaw("trestle", `@batch=b1;draft/multiline-concat ${from} PRIVMSG #room : and a half`);
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port)],
      core,
      config: { onStop: "quit" },
    });
    irc.sendRaw("trestle", `@batch=b1 ${from} PRIVMSG #room :two`);
    irc.sendRaw("trestle", `${from} BATCH -b1`);
    await core.until("the message", () => core.messages().some(({ id }) => id === "m1"));
    expect(core.texts()).toEqual(["marker", "one and a half\ntwo"]);
  });
});
