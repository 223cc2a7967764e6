import { describe, expect, it } from "@jest/globals";
import { normalise, parseMatrixHtml, parsePlainText, toMatrixHtml, type RichText } from "@trestle/rich-text";
import fc from "fast-check";
import { anyHtml, anyTree } from "../../../../packages/rich-text/test/arbitrary-tree.js";
import {
  envelopeOutcome,
  lookupsOf,
  outcomeOf,
  readContent,
  readMessage,
  slackUsername,
  writeText,
  type SlackMention,
  type SlackNames,
  type WriteOptions,
} from "../../dist/content/index.js";
import { carriedTree, hostileText, slackJson, slackMessage } from "./arbitrary.js";
import { faults, names } from "./support.js";

const seed = 20261122;

describe("any JSON", () => {
  it("is read as a message without an error, into allowed HTML with something to see", () => {
    fc.assert(
      fc.property(fc.oneof(slackMessage, slackJson, fc.jsonValue()), fc.boolean(), (json, previews) => {
        const message = readMessage(json);
        const { body, files } = readContent(message, { names, previews });
        if (files.length === 0) expect(faults(body).filter((fault) => !fault.startsWith("leaked"))).toEqual([]);
        expect(lookupsOf(message)).toBeDefined();
      }),
      { seed, numRuns: 2_500 },
    );
  });

  it("has an outcome as an event", () => {
    fc.assert(
      fc.property(fc.oneof(slackJson, fc.jsonValue()), (json) => {
        for (const outcome of [
          outcomeOf(json),
          envelopeOutcome(json),
          outcomeOf({
            type: "message",
            subtype: json,
            channel: "C1",
            ts: "1.0",
            message: json,
            previous_message: json,
          }),
        ]) {
          expect(["bridged", "ignored", "unknown"]).toContain(outcome.outcome);
        }
      }),
      { seed, numRuns: 2_000 },
    );
  });
});

describe("JSON nested deeper than any stack", () => {
  const inLists = (_field: string, inside: unknown): unknown => [inside];
  const inBlocks = (field: string, inside: unknown, level: number): unknown => ({
    type: level % 2 === 0 ? "container" : "hologram",
    [field]: level % 3 === 0 ? [inside] : inside,
  });

  function deep(field: string, wrap: (field: string, inside: unknown, level: number) => unknown): unknown {
    let json: unknown = "core";
    for (let level = 0; level < 100_000; level++) json = wrap(field, json, level);
    return json;
  }

  it.each(["blocks", "elements", "text", "attachments", "message", "rows", "metadata", "child_blocks"])(
    "by %s is read and has an outcome",
    (field) => {
      for (const wrap of [inLists, inBlocks]) {
        const message = () => ({
          ...{ type: "message", channel: "C1", ts: "1.0", user: "U1", text: "x" },
          blocks: [deep(field, wrap)],
          [field]: deep(field, wrap),
        });
        expect(readContent(readMessage(message()), { names }).body.blocks.length).toBeGreaterThan(0);
        const changed = { ...message(), subtype: "message_changed", message: message(), previous_message: message() };
        expect(outcomeOf(changed).outcome).not.toBe("unknown");
      }
    },
  );
});

describe("any mrkdwn", () => {
  it("is read into a normal tree of allowed HTML, of which every letter is kept", () => {
    fc.assert(
      fc.property(fc.array(hostileText, { maxLength: 4 }), fc.boolean(), (parts, mrkdwn) => {
        const text = parts.join("zqx");
        const { body } = readContent(readMessage({ text, mrkdwn }), { names });
        expect(faults(body).filter((fault) => !fault.startsWith("leaked"))).toEqual([]);
        expect(normalise(structuredClone(body))).toEqual(body);
        // The one thing that may hide a word is a command that has a label instead.
        const kept = toMatrixHtml(body).match(/zqx/g)?.length ?? 0;
        if (!/<![^>]*zqx/.test(text)) expect(kept).toBeGreaterThanOrEqual(parts.length - 1);
      }),
      { seed, numRuns: 2_500 },
    );
  });

  it("escaped by its writer is text as it was typed", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."g k q < > & ! @ # | : ; /".split(" ")), maxLength: 30 }),
        (typed) => {
          const text = typed.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
          const { body, mentions, mentionsEveryone } = readContent(readMessage({ text: `x ${text} x` }), { names });
          expect(body).toEqual(parsePlainText(`x ${typed} x`));
          expect([mentions, mentionsEveryone]).toEqual([[], false]);
        },
      ),
      { seed, numRuns: 2_000 },
    );
  });
});

describe("what is written for Slack", () => {
  const resolve = ({ kind }: { readonly kind: string }): SlackMention | undefined =>
    kind === "matrixUser" ? { kind: "user", id: "U1" } : undefined;

  /** The elements that are more than letters, and how often each is there. */
  function counted(messages: unknown): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const [, type = ""] of JSON.stringify(messages).matchAll(
      /"type":"(user|channel|usergroup|broadcast|emoji|team|date|color)"/g,
    )) {
      counts[type] = (counts[type] ?? 0) + 1;
    }
    return counts;
  }

  it("mentions nobody whom the writer did not mention, whatever the HTML", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyHtml, hostileText), { maxLength: 4 }), fc.boolean(), (parts, everyone) => {
        const html = parts.join("");
        const tree = parseMatrixHtml(html, { everyone });
        const people = JSON.stringify(tree).match(/"kind":"matrixUser"/g)?.length ?? 0;
        const messages = writeText(tree, { mention: resolve });
        const urls = (html.match(/matrix\.to|matrix:/g) ?? []).length;
        const { user = 0, ...others } = counted(messages);
        expect(others).toEqual({});
        expect(user).toBeLessThanOrEqual(people + urls);
        for (const { text } of messages) {
          expect(text.replace(/<@U1>/g, "").replace(/&(?:amp|lt|gt);/g, "")).not.toMatch(/[<&]/);
        }
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it("is within Slack's limits, for any tree", () => {
    const limits = { text: 400, element: 40, blocks: 5 };
    fc.assert(
      fc.property(anyTree, (tree) => {
        for (const { text, blocks } of writeText(tree, { limits })) {
          expect(text.length).toBeGreaterThan(0);
          expect(text.length).toBeLessThanOrEqual(limits.text);
          expect(blocks.length).toBeGreaterThan(0);
          for (const [, shown = ""] of JSON.stringify(blocks).matchAll(/"text":("(?:[^"\\]|\\.)*")/g)) {
            expect(JSON.parse(shown)).not.toHaveLength(0);
            expect(String(JSON.parse(shown)).length).toBeLessThanOrEqual(limits.element);
          }
        }
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it("is read back as it was, where Slack can carry it", () => {
    const slack: WriteOptions = {
      everyone: "channel",
      hasEmoji: (name) => name === "partyparrot",
      mention: (target) =>
        target.kind === "remoteUser"
          ? { kind: "user", id: target.id }
          : target.kind === "remoteChannel"
            ? { kind: "channel", id: target.id }
            : undefined,
    };
    const known: Partial<SlackNames> = {
      user: (id) => ({ name: "Ann", target: { kind: "remoteUser", id } }),
      channel: (id) => ({ name: "general", target: { kind: "remoteChannel", id } }),
      emoji: (name) => (name === "partyparrot" ? { image: "mxc://example.org/parrot" } : undefined),
    };
    fc.assert(
      fc.property(carriedTree, (tree) => {
        const [message, ...more] = writeText(tree, slack);
        expect(more).toEqual([]);
        const { body } = readContent(readMessage(message), { names: known });
        expect(body).toEqual(normalise(tree));
      }),
      { seed, numRuns: 1_000 },
    );
  });

  it("names any sender on one line that no markup begins in", () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.string({ unit: "binary" })), (name) => {
        const shown = slackUsername(name, "@ann:example.org");
        expect(shown.length).toBeGreaterThan(0);
        expect(shown.length).toBeLessThanOrEqual(80);
        expect(shown).not.toMatch(/[<>\p{Cc}\p{Bidi_Control}\u200b\u2060]|&(?:amp|lt|gt);/u);
        expect(slackUsername(shown, "x")).toBe(shown);
      }),
      { seed, numRuns: 2_000 },
    );
  });
});

describe("time", () => {
  /** In microseconds of the processor; the best of several, for what others on the machine take is not its own. */
  function cost(run: () => unknown): number {
    const once = (): number => {
      const started = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(started);
      return user + system;
    };
    return Math.min(...Array.from({ length: 5 }, once));
  }

  const small = 6_000;
  const factor = 10;

  function expectLinear(run: (length: number) => () => unknown): void {
    run(small)();
    const [one, many] = [cost(run(small)), cost(run(small * factor))];
    // Quadratic work would take 100 times as long.
    expect(many / Math.max(one, 1_000)).toBeLessThan(factor * 4);
  }

  const pieces = [
    ..."* _ ~ ` ``` < > & : | *a _a ~a a* *a* `a <a <@U1> &gt; &amp; :a :a: ::: [ [a](b) ** **a __a ~~a <!date^1^{a}| https://x.y ( ) \\".split(
      " ",
    ),
    ...[
      "\n",
      "\n&gt; a",
      "```a``` ",
      "\n- a",
      "\n  - a",
      "\n> a",
      "\n# a",
      "*a _b ~c ",
      "a ",
      "👍",
      "\n```",
      "&gt;&gt;&gt;\n",
      "<https://x.y|a>",
    ],
  ];

  it.each(pieces)("grows with the length of mrkdwn and Markdown full of %j", (piece) => {
    const filled = (length: number): string => piece.repeat(Math.floor(length / piece.length));
    expectLinear((length) => {
      const message = readMessage({ text: filled(length) });
      return () => readContent(message, { names });
    });
    expectLinear((length) => {
      const message = readMessage({ blocks: [{ type: "markdown", text: filled(length) }] });
      return () => readContent(message, { names });
    });
  });

  it.each(["a ", "*a* ", "👨‍👩‍👧", "https://x.y ", "((((", "https://x.y/((((", "https://x.y/....", "&", "e\u0301", "\n"])(
    "grows with the length of a text full of %j for Slack",
    (piece) => {
      expectLinear((length) => {
        const tree: RichText = parsePlainText(piece.repeat(Math.floor(length / piece.length)));
        return () => writeText(tree, { limits: { text: 1_000 } });
      });
    },
  );

  it("grows with the number of elements, items and blocks", () => {
    const section = { type: "rich_text_section", elements: [{ type: "text", text: "a" }] };
    const shapes: readonly ((count: number) => unknown)[] = [
      (count) => ({ type: "rich_text", elements: Array.from({ length: count }, () => section) }),
      (count) => ({
        type: "rich_text",
        elements: Array.from({ length: count }, (_, at) => ({
          type: "rich_text_list",
          indent: at % 9,
          elements: [section],
        })),
      }),
      (count) => ({
        type: "rich_text",
        elements: Array.from({ length: count }, () => ({
          type: "rich_text_preformatted",
          border: 1,
          elements: [{ type: "text", text: "a" }],
        })),
      }),
      (count) => ({
        type: "rich_text",
        elements: Array.from({ length: count }, () => ({
          type: "rich_text_quote",
          border: 1,
          elements: [{ type: "text", text: "a" }],
        })),
      }),
      (count) => ({ type: "table", rows: Array.from({ length: count }, () => [{ type: "raw_text", text: "a" }]) }),
    ];
    for (const shape of shapes) {
      expectLinear((length) => {
        const message = readMessage({ blocks: [shape(length / 8)] });
        return () => readContent(message, { names });
      });
    }
  });
});
