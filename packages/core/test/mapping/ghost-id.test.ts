import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { decodeGhostLocalpart, encodeGhostLocalpart } from "../../dist/mapping/ghost-id.js";
import { isNewUserId } from "../../dist/mapping/identifiers.js";

const seed = 20260417;
const prefix = "irc_libera_";
const server = "example.org";
const encode = (remoteId: string): string => encodeGhostLocalpart(prefix, remoteId, server).localpart;

const anyId = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc
    .array(
      fc.constantFrom(
        "a",
        "A",
        "=",
        "==",
        "=.",
        "=2f",
        "/",
        ".",
        "_",
        "-",
        "+",
        "~",
        ":",
        "@",
        "é",
        "É",
        "😀",
        "😁",
        "\ud83d",
        "\ude00",
        "\0",
        " ",
        "0",
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join("")),
  fc.integer({ min: 200, max: 400 }).map((length) => "n".repeat(length)),
);

describe("the ghost-id codec", () => {
  it("keeps plain names readable and escapes the rest", () => {
    expect(encode("ann")).toBe("irc_libera_ann");
    expect(encode("Ann")).toBe("irc_libera_=41nn");
    expect(encode("a/b.c_d-e+f")).toBe("irc_libera_a/b.c_d-e+f");
    expect(encode("a=2f")).toBe("irc_libera_a=3d2f");
    expect(encode("é😀")).toBe("irc_libera_=c3=a9=f0=9f=98=80");
    expect(encode("")).toBe("irc_libera_=.");
    expect(encode("[^_^]")).toBe("irc_libera_=5b=5e_=5e=5d");
  });

  it("gives every id back, lone surrogates included", () => {
    fc.assert(
      fc.property(anyId, (remoteId) => {
        const { localpart, reversible } = encodeGhostLocalpart(prefix, remoteId, server);
        expect(isNewUserId(`@${localpart}:${server}`)).toBe(true);
        expect(decodeGhostLocalpart(prefix, localpart)).toEqual(reversible ? { remoteId } : { hashed: true });
      }),
      { seed, numRuns: 5_000 },
    );
  });

  it("never gives two ids one user", () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyId, { minLength: 2, maxLength: 20 }), (ids) => {
        expect(new Set(ids.map(encode)).size).toBe(ids.length);
      }),
      { seed, numRuns: 2_000 },
    );
    const alike = [
      "a",
      "A",
      "a=",
      "a==",
      "=",
      "==",
      "=.",
      "",
      ".",
      "a/",
      "a=2f",
      "😀",
      "😁",
      "\ud83d",
      "\ude00",
      "\ufffd",
      "é",
      "e\u0301",
      "i",
      "ı",
      "İ",
    ];
    expect(new Set(alike.map(encode)).size).toBe(alike.length);
  });

  it("decodes only what it would write", () => {
    for (const suffix of [
      "",
      "=",
      "=4",
      "=4G",
      "=61",
      "=41=",
      "A",
      "ann!",
      "=ff",
      "=c3",
      "=c0=80",
      "=f5=80=80=80",
      "=ed=a0=bd=ed=b8=80",
      "==",
      `==${"a".repeat(49)}`,
      "=.x",
      "=2F",
    ]) {
      expect([suffix, decodeGhostLocalpart(prefix, prefix + suffix)]).toEqual([suffix, undefined]);
    }
    expect(decodeGhostLocalpart(prefix, "irc_oftc_ann")).toBeUndefined();
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "=", "4", "1", "f", "0", ".", "/", "c", "3", "9"), maxLength: 12 }),
        (suffix) => {
          const decoded = decodeGhostLocalpart(prefix, prefix + suffix);
          if (decoded && "remoteId" in decoded) expect(encode(decoded.remoteId)).toBe(prefix + suffix);
        },
      ),
      { seed, numRuns: 5_000 },
    );
  });

  it("hashes what would make the user id longer than 255 bytes", () => {
    const room = 255 - `@${prefix}:${server}`.length;
    const longest = encodeGhostLocalpart(prefix, "n".repeat(room), server);
    expect(longest).toEqual({ localpart: prefix + "n".repeat(room), reversible: true });
    const hashed = encodeGhostLocalpart(prefix, "n".repeat(room + 1), server);
    expect(hashed.reversible).toBe(false);
    expect(hashed.localpart).toMatch(/^irc_libera_==[0-9a-z]{50}$/);
    expect(encodeGhostLocalpart(prefix, "n".repeat(room + 2), server).localpart).not.toBe(hashed.localpart);
    expect(encodeGhostLocalpart(prefix, "n".repeat(room + 1), server)).toEqual(hashed);
    expect(encodeGhostLocalpart(prefix, "É".repeat(60), server).reversible).toBe(false);
  });

  it("says so where prefix and server name leave no room", () => {
    expect(() => encodeGhostLocalpart(prefix, "n".repeat(300), `${"s".repeat(220)}.org`)).toThrow(
      /shorter user prefix/,
    );
    expect(encodeGhostLocalpart(prefix, "ann", `${"s".repeat(220)}.org`).reversible).toBe(true);
  });
});
