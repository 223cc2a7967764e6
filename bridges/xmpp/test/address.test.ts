import { describe, expect, it } from "@jest/globals";
import { RoomAlias, RoomId, UserId } from "@trestle/core";
import fc from "fast-check";
import {
  bareJidOf,
  escapeNode,
  formatJid,
  localOfRoom,
  localOfUser,
  nickCandidate,
  nickFrom,
  parseJid,
  roomOfLocal,
  sameJid,
  unescapeNode,
  userOfLocal,
} from "../dist/address/index.js";

const runs = { seed: 5, numRuns: 2_000 };
/** What servers take in a local part and leave as it is: ASCII without capitals and without what nodeprep prohibits. */
const STABLE = /^[!#a-z0-9.+=_\\^-]{1,1023}$/;

const server = fc.oneof(
  fc.domain(),
  fc.domain().map((domain) => `${domain}:8448`),
  fc.constantFrom("[2001:db8::1]:8448", "127.0.0.1", "EXAMPLE.org", "münchen.example"),
);
const name = fc.oneof(
  fc.stringMatching(/^[a-z0-9._=/+-]{1,40}$/),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.constantFrom(...Array.from("\\ \"&'/:<>@_^#!=+%AZaz09äß😀\u0000\u200b".replace(":", ""))) }),
);
const withoutColon = name.map((text) => text.replaceAll(":", ""));

describe("addresses of Matrix users", () => {
  it.each([
    ["@alice:example.org", "alice_example.org"],
    ["@a.b_c=d-e+f:example.org", "a.b_c=d-e+f_example.org"],
    ["@a/b:example.org", "a\\2fb_example.org"],
    ["@Alice:example.org", "^41lice_example.org"],
    ["@jonas’:example.org", "jonas^e2^80^99_example.org"],
    ["@x:example.org:8448", "x_example.org\\3a8448"],
    ["@x:[::1]", "x_^5b\\3a\\3a1^5d"],
    ["@:example.org", "_example.org"],
    ["@ x \\ :h", "^20x\\20^5c^20_h"],
  ])("writes %s as %s", (user, local) => {
    expect(localOfUser(UserId(user))).toBe(local);
    expect(userOfLocal(local)).toBe(user);
  });

  it("gives every user id an address of its own that servers leave as it is", () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(withoutColon, server, (localpart, host) => {
        const user = UserId(`@${localpart}:${host}`);
        const local = localOfUser(user);
        expect(local).toMatch(STABLE);
        expect(userOfLocal(local)).toBe(user);
        expect(parseJid(`${local}@bridge.test`)?.local).toBe(local);
        expect(seen.get(local) ?? user).toBe(user);
        seen.set(local, user);
      }),
      runs,
    );
  });

  it("writes the longest user id", () => {
    const user = UserId(`@${"😀".repeat(60)}:example.org`);
    expect(Buffer.byteLength(user)).toBeGreaterThan(250);
    expect(localOfUser(user).length).toBeLessThanOrEqual(765);
    expect(userOfLocal(localOfUser(user))).toBe(user);
  });

  it("knows nobody by another spelling", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from("\\^_abc2f05e4cAé#!")) }), (local) => {
        const user = userOfLocal(local);
        if (user !== undefined) expect(localOfUser(user)).toBe(local);
      }),
      runs,
    );
    for (const local of ["alice", "^61lice_h", "a\\5cb_h", "a\\2_h", "^c3_h", "a_", "Alice_h", "a^3ab_h"])
      expect(userOfLocal(local)).toBeUndefined();
  });

  it("refuses what is no user id", () => {
    for (const bad of ["alice", "@alice", "@alice:", "#a:h"])
      expect(() => localOfUser(UserId(bad))).toThrow(RangeError);
  });
});

describe("addresses of Matrix rooms", () => {
  it.each([
    ["#chat:example.org", "#chat#example.org"],
    ["#Big Chat@x:example.org", "#^42ig\\20^43hat\\40x#example.org"],
    ["#a#b:h", "#a^23b#h"],
  ])("writes the alias %s as %s", (alias, local) => {
    expect(localOfRoom(RoomAlias(alias))).toBe(local);
    expect(roomOfLocal(local)).toEqual({ alias });
  });

  it.each([
    ["!abC:example.org", "!ab^43\\3aexample.org"],
    ["!31hneApx-_", "!31hne^41px-_"],
  ])("writes the id %s as %s", (roomId, local) => {
    expect(localOfRoom(RoomId(roomId))).toBe(local);
    expect(roomOfLocal(local)).toEqual({ roomId });
  });

  it("gives every alias and every id an address of its own, which is nobody's", () => {
    fc.assert(
      fc.property(withoutColon, name, server, (localpart, opaque, host) => {
        const alias = RoomAlias(`#${localpart}:${host}`);
        const roomId = RoomId(`!x${opaque}`);
        for (const local of [localOfRoom(alias), localOfRoom(roomId)]) {
          expect(local).toMatch(STABLE);
          expect(userOfLocal(local)).toBeUndefined();
        }
        expect(roomOfLocal(localOfRoom(alias))).toEqual({ alias });
        expect(roomOfLocal(localOfRoom(roomId))).toEqual({ roomId });
      }),
      runs,
    );
    for (const bad of ["", "chat", "#", "#chat", "#chat#", "!", "#^61#h"]) expect(roomOfLocal(bad)).toBeUndefined();
  });
});

describe("XMPP addresses", () => {
  it.each([
    ["a@b.c/d/e@f", { local: "a", domain: "b.c", resource: "d/e@f" }],
    ["Room@Rooms.Example.ORG/Nick Name", { local: "room", domain: "rooms.example.org", resource: "Nick Name" }],
    ["example.org", { domain: "example.org" }],
    ["example.org./r", { domain: "example.org", resource: "r" }],
    ["a@[::1]", { local: "a", domain: "[::1]" }],
    ["ΠΑΎΛΟΣ@example.org", { local: "παύλος", domain: "example.org" }],
  ])("reads %s", (text, jid) => expect(parseJid(text)).toEqual(jid));

  it.each([
    "",
    "@b",
    "a@",
    "a@b@c",
    "/r",
    "a@b/",
    "a b@c",
    "a@b c",
    "a'b@c",
    "a<b@c",
    "a@b/\u0001",
    "a@b/\ud800",
    `${"a".repeat(1024)}@b`,
    "a@/b",
    "a@b\u0000",
  ])("refuses %j", (text) => expect(parseJid(text)).toBeUndefined());

  it("takes a local part that hides another address for what it is", () => {
    // Some libraries read the domain `a` here, or `b@c`.
    expect(parseJid("a/b@c")).toEqual({ domain: "a", resource: "b@c" });
    expect(bareJidOf("a@b@c")).toBeUndefined();
  });

  it("reads what it has written, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const jid = parseJid(text);
        if (jid) expect(parseJid(formatJid(jid))).toEqual(jid);
      }),
      runs,
    );
  });

  it("compares as servers do", () => {
    expect(sameJid("A@B/c", "a@b/c")).toBe(true);
    expect(sameJid("a@b/C", "a@b/c")).toBe(false);
    expect(sameJid("", "")).toBe(false);
  });
});

describe("XEP-0106", () => {
  it.each([
    ["space cadet", "space\\20cadet"],
    ['call me "ishmael"', "call\\20me\\20\\22ishmael\\22"],
    ["at&t guy", "at\\26t\\20guy"],
    ["d'artagnan", "d\\27artagnan"],
    ["/.fanboy", "\\2f.fanboy"],
    ["::foo::", "\\3a\\3afoo\\3a\\3a"],
    ["<foo>", "\\3cfoo\\3e"],
    ["user@host", "user\\40host"],
    ["c:\\net", "c\\3a\\net"],
    ["c:\\\\net", "c\\3a\\\\net"],
    ["c:\\cool stuff", "c\\3a\\cool\\20stuff"],
    ["c:\\5commas", "c\\3a\\5c5commas"],
  ])("writes %s as %s", (text, node) => {
    expect(escapeNode(text)).toBe(node);
    expect(unescapeNode(node)).toBe(text);
  });

  it("gives every text back", () => {
    const unit = fc.constantFrom(...Array.from("\\ \"&'/:<>@25cfe04x7a3"));
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        fc.pre(text === text.trim());
        expect(unescapeNode(escapeNode(text))).toBe(text);
      }),
      runs,
    );
    expect(() => escapeNode(" x")).toThrow(RangeError);
  });
});

describe("nicks", () => {
  const user = UserId("@alice:example.org");

  it.each([
    ["Alice", "Alice"],
    ["  Alice \n Müller ", "Alice Müller"],
    ["Alice 🦊", "Alice"],
    ["ﬁsh", "fish"],
    ["a\u200bb\u202ec\u0001d\u0085", "abcd"],
    ["it's <x>/y@z", "it's <x>/y@z"],
    ["שלום", "שלום"],
    ["☺", "☺"],
  ])("shows %j as %j", (shown, nick) => expect(nickFrom(shown)).toBe(nick));

  it.each(["", " ", "🦊", "\u200b", "שלום x", "שלום 1"])("finds none in %j", (shown) =>
    expect(nickFrom(shown)).toBeUndefined(),
  );

  it("is the same when it is made again, and short", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (shown) => {
        const nick = nickFrom(shown);
        if (nick === undefined) return;
        expect(nickFrom(nick)).toBe(nick);
        expect(Buffer.byteLength(nick)).toBeLessThanOrEqual(200);
        expect(parseJid(`room@rooms.test/${nick}`)?.resource).toBe(nick);
      }),
      runs,
    );
  });

  it("has another one for every attempt, each as good as the first", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), withoutColon, (shown, localpart) => {
        const owner = UserId(`@${localpart}:h`);
        const nicks = [0, 1, 2, 3].map((attempt) => nickCandidate(shown, owner, attempt));
        expect(new Set(nicks).size).toBe(4);
        for (const nick of nicks) expect(nickFrom(nick)).toBe(nick);
      }),
      runs,
    );
    expect([0, 1, 2].map((attempt) => nickCandidate("Alice", user, attempt))).toEqual([
      "Alice",
      "Alice[m]",
      "Alice[m2]",
    ]);
    expect([0, 1].map((attempt) => nickCandidate("שלום", user, attempt))).toEqual(["שלום", "alice[m]"]);
    expect(nickCandidate("🦊", UserId("@🦊:h"), 0)).toMatch(/^matrix-[0-9a-f]{8}$/);
  });
});
