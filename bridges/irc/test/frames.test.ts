import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  decodeToBridge,
  decodeToHolder,
  encodeToBridge,
  encodeToHolder,
  type ToBridge,
  type ToHolder,
} from "../dist/holder/frames.js";
import { FrameReader } from "../dist/holder/packing.js";

describe("frames", () => {
  const text = fc.string({ unit: "binary" }).map((value) => value.toWellFormed());
  const changes = fc.array(fc.tuple(text, fc.option(text, { nil: undefined })), { maxLength: 4 });
  const number = fc.nat();
  const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
  const outcome = fc.constantFrom("written" as const, "gone" as const, "unsure" as const);

  it("are read as they were written, however they are cut", () => {
    const toHolder: fc.Arbitrary<ToHolder> = fc.oneof(
      fc.record({
        type: fc.constant("write" as const),
        connection: text,
        request: number,
        key: text,
        meta: text,
        data: bytes,
      }),
      fc.record({ type: fc.constant("ack" as const), connection: text, line: number, changes }),
      fc.record({ type: fc.constant("prove" as const), proof: text, graceMs: number, quit: text }),
      fc.record({ type: fc.constant("ask" as const), request: number, key: text }),
    );
    const toBridge: fc.Arbitrary<ToBridge> = fc.oneof(
      fc.record({ type: fc.constant("lines" as const), connection: text, first: number, lines: fc.array(bytes) }),
      fc.record({
        type: fc.constant("dialled" as const),
        connection: text,
        localAddress: text,
        localPort: number,
        remoteAddress: text,
        remotePort: number,
      }),
      fc.record({ type: fc.constant("held" as const), connection: text, open: fc.boolean(), state: changes }),
      fc.record({
        type: fc.constant("answer" as const),
        request: number,
        outcome,
        connection: text,
        open: fc.boolean(),
        result: fc.option(text, { nil: undefined }),
      }),
    );
    fc.assert(
      fc.property(fc.array(toHolder), fc.array(toBridge), fc.integer({ min: 1, max: 50 }), (down, up, size) => {
        const cut = (all: Buffer): Buffer[] => {
          const reader = new FrameReader(1_000_000);
          const frames: Buffer[] = [];
          for (let at = 0; at < all.length; at += size) frames.push(...reader.push(all.subarray(at, at + size)));
          return frames;
        };
        expect(cut(Buffer.concat(down.map(encodeToHolder))).map(decodeToHolder)).toEqual(down);
        expect(cut(Buffer.concat(up.map(encodeToBridge))).map(decodeToBridge)).toEqual(up);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it("that are none are refused by an error of their own", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (array) => {
        for (const decode of [decodeToHolder, decodeToBridge]) {
          try {
            decode(Buffer.from(array));
          } catch (error) {
            expect(String(error)).toMatch(/^FrameError/);
          }
        }
      }),
      { seed: 4, numRuns: 2000 },
    );
  });
});
