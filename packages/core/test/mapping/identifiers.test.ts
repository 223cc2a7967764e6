import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  isContentUri,
  isEventId,
  isNewUserId,
  isRoomAlias,
  isRoomId,
  isServerName,
  isUserId,
  serverNameOf,
} from "../../dist/mapping/identifiers.js";
import { UserId } from "@trestle/core";

describe("identifiers from outside", () => {
  it("takes those of each grammar", () => {
    for (const id of [
      "@ann:example.org",
      "@ann:example.org:8448",
      "@ANN/ö =!:[2001:db8::1]:443",
      "@a:b",
      "@:example.org",
      "@a:1.2.3.4",
    ])
      expect([id, isUserId(id)]).toEqual([id, true]);
    for (const id of ["!abc:example.org", "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"])
      expect(isRoomId(id)).toBe(true);
    for (const id of ["#trestle:example.org", "#trästle room/x:example.org", "#:example.org"])
      expect(isRoomAlias(id)).toBe(true);
    for (const id of ["$abc:example.org", "$31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"])
      expect(isEventId(id)).toBe(true);
    for (const uri of ["mxc://example.org/abc_-9", "mxc://[::1]:80/a"]) expect(isContentUri(uri)).toBe(true);
    expect(isNewUserId("@irc_a/b=41+c.d-e:example.org")).toBe(true);
    expect(serverNameOf(UserId("@ann:example.org:8448"))).toBe("example.org:8448");
  });

  it("refuses everything else", () => {
    for (const id of [
      "",
      "@",
      "@ann",
      "ann:example.org",
      "@ann:",
      "@ann:exa mple",
      "@ann:example.org/x",
      "@a\0n:example.org",
      "@a\nb:example.org",
      "@\ud800:example.org",
      "@ann:.org",
      `@${"a".repeat(250)}:b.org`,
      `@${"é".repeat(125)}:b.org`,
      7,
      null,
      undefined,
      {},
      ["@ann:example.org"],
    ]) {
      expect([id, isUserId(id)]).toEqual([id, false]);
    }
    for (const id of ["@Ann:example.org", "@:example.org", "@a~:example.org"]) expect(isNewUserId(id)).toBe(false);
    for (const id of ["!", "", "abc", "!a\0", `!${"a".repeat(255)}`]) expect(isRoomId(id)).toBe(false);
    for (const id of ["#", "#abc", "#a:", "#a:b c"]) expect(isRoomAlias(id)).toBe(false);
    for (const id of ["$", "abc", "$a\r\n"]) expect(isEventId(id)).toBe(false);
    for (const uri of [
      "mxc://example.org",
      "mxc://example.org/",
      "mxc://example.org/a/b",
      "mxc://example.org/..",
      "mxc:///a",
      "mxc://../a",
      "https://example.org/a",
      "mxc://a b/c",
      `mxc://example.org/${"a".repeat(300)}`,
    ]) {
      expect([uri, isContentUri(uri)]).toEqual([uri, false]);
    }
    for (const name of ["", "a b", ":8448", "a:", "a:123456", "[x]", "a/b"]) expect(isServerName(name)).toBe(false);
  });

  it("has an answer for anything", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc
            .tuple(fc.constantFrom("@", "!", "#", "$", "mxc://"), fc.string({ unit: "binary" }))
            .map((parts) => parts.join("")),
        ),
        (value) => {
          for (const guard of [isUserId, isRoomId, isRoomAlias, isEventId, isContentUri, isNewUserId, isServerName]) {
            if (guard(value)) expect(Buffer.byteLength(value)).toBeLessThanOrEqual(255);
          }
        },
      ),
      { seed: 20260417, numRuns: 2_000 },
    );
  });
});
