import { describe, expect, it } from "@jest/globals";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { ContentUri, EventId, RoomId } from "../dist/connector/ids.js";
import { MediaSigner, type MediaGrant } from "../dist/media/signer.js";

const seed = 20261122;
const secret = Buffer.alloc(32, 7);
const signer = new MediaSigner(secret);

const word = fc.stringMatching(/^[A-Za-z0-9_.:-]{1,60}$/);
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("base64url"));
const grant: fc.Arbitrary<MediaGrant> = fc.record({
  uri: fc.tuple(word, word).map(([server, id]) => ContentUri(`mxc://${server}/${id}`)),
  room: fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }).map((id) => RoomId(`!${id}`)),
  event: fc
    .oneof(hash, word, fc.stringMatching(/^[a-z]{31}$/), fc.string({ unit: "grapheme" }))
    .map((id) => EventId(`$${id}`)),
  expiresAt: fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((seconds) => seconds * 1_000),
});
const fileName = fc.string({ unit: "grapheme", maxLength: 40 });

describe("the token of a media link", () => {
  it("gives back the grant it was made from", () => {
    fc.assert(
      fc.property(grant, fileName, (given, name) => {
        const token = signer.sign(given, name);
        expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(signer.verify(token, name)).toEqual(given);
      }),
      { seed, numRuns: 500 },
    );
  });

  it("is refused with any character changed, left out or added", () => {
    const character = fc.constantFrom(
      ...Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. \u00e9"),
    );
    fc.assert(
      fc.property(
        grant,
        fileName,
        fc.nat(),
        character,
        fc.constantFrom("change", "remove", "insert"),
        (given, name, place, by, how) => {
          const token = signer.sign(given, name);
          const at = place % token.length;
          const tampered =
            token.slice(0, at) + (how === "remove" ? "" : by) + token.slice(how === "insert" ? at : at + 1);
          fc.pre(tampered !== token);
          expect(signer.verify(tampered, name)).toBeUndefined();
        },
      ),
      { seed, numRuns: 3_000 },
    );
  });

  it("is refused with any bit of it flipped", () => {
    const token = signer.sign(
      {
        uri: ContentUri("mxc://example.org/abc"),
        room: RoomId("!r:example.org"),
        event: EventId("$e"),
        expiresAt: 1_000,
      },
      "a.png",
    );
    const bytes = Buffer.from(token, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(signer.verify(flipped.toString("base64url"), "a.png")).toBeUndefined();
    }
  });

  it("is refused for another file name and under another secret", () => {
    fc.assert(
      fc.property(grant, fileName, fileName, (given, name, other) => {
        const token = signer.sign(given, name);
        if (name !== other) expect(signer.verify(token, other)).toBeUndefined();
        expect(new MediaSigner(randomBytes(32)).verify(token, name)).toBeUndefined();
      }),
      { seed },
    );
  });

  it("is refused where it was never made", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("base64url")),
        ),
        (text) => {
          expect(signer.verify(text, "a.png")).toBeUndefined();
        },
      ),
      { seed, numRuns: 1_000 },
    );
    // What a forger would try first: a signature of nothing but zeros.
    expect(signer.verify(Buffer.alloc(64).toString("base64url"), "a.png")).toBeUndefined();
  });

  it("fits into a line of IRC with the usual ids", () => {
    const usual: MediaGrant = {
      uri: ContentUri("mxc://matrix.example.org/aBcDeFgHiJkLmNoPqRsTuVwX"),
      room: RoomId("!aBcDeFgHiJkLmNoPqR:matrix.example.org"),
      event: EventId(`$${randomBytes(32).toString("base64url")}`),
      expiresAt: 1_800_000_000_000,
    };
    expect(signer.sign(usual, "photo.jpg").length).toBeLessThanOrEqual(200);
  });

  it("is not made with a short secret", () => {
    expect(() => new MediaSigner(Buffer.alloc(31))).toThrow("32 bytes");
  });
});
