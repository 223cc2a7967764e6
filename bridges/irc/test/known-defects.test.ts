import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { banMasks } from "../dist/network/channels/ban-masks.js";
import { isKey } from "../dist/network/channels/channel-keys.js";
import { channelIdOf, personIdOf, placeOf } from "../dist/network/ids.js";
import { NickMaker } from "../dist/network/nicks/nick-maker.js";
import { plain } from "../dist/session/sasl/mechanism.js";
import { fold } from "../dist/wire/casemapping.js";
import { Isupport } from "../dist/wire/isupport.js";
import { isNick } from "../dist/wire/sanitise.js";
import { modeChanges } from "../dist/wire/mode-changes.js";

/** What was measured or read of matrix-appservice-irc that concerns people, accounts, nicks and channels. */
describe("defects of matrix-appservice-irc that this bridge does not have", () => {
  it("a password is kept whole, also behind a space and beyond 190 bytes", () => {
    const password = fc.string({ unit: "grapheme", maxLength: 400 }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(password, (text) => {
        const blob = plain("alice", text).respond(Buffer.alloc(0));
        expect((blob as Buffer).toString("utf8")).toBe(`alice\0alice\0${Buffer.from(text).toString()}`);
      }),
      { seed: 6 },
    );
  });

  it("a nick has one ghost, however it is written", () => {
    const ids = ["Foo[m]", "FOO{M}", "foo[M]"].map((nick) => personIdOf("net", fold(nick, "rfc1459"), undefined));
    expect(new Set(ids).size).toBe(1);
  });

  it("a change of nick makes no second ghost of somebody with an account", () => {
    expect(personIdOf("net", "carol", "carol")).toBe(personIdOf("net", "caroline", "carol"));
    expect(isNick("$carol")).toBe(false);
  });

  it("everybody gets a nick, whatever their name", () => {
    const name = fc.string({ unit: "binary", maxLength: 60 });
    fc.assert(
      fc.property(name, fc.integer({ min: 5, max: 30 }), (text, length) => {
        const nicks = new NickMaker("{name}[m]", `@${text}:example.org`, text, () => length);
        for (const nick of [nicks.first(), nicks.next(false), nicks.next(true), nicks.next(true)]) {
          expect(nick).toMatch(/^[A-Za-z[\]\\`_^{|}][A-Za-z0-9[\]\\`_^{|}-]*$/);
          expect(Buffer.byteLength(nick ?? "")).toBeLessThanOrEqual(length < 9 ? 9 : length);
        }
      }),
      { seed: 6 },
    );
  });

  it("channels of every prefix are channels", () => {
    for (const channel of ["#a", "&a", "+a", "!ABCDEa", "##a/@b:c"])
      expect(placeOf(channelIdOf("net", channel))).toEqual({ kind: "channel", network: "net", channel });
  });

  it("which modes take a parameter says the server", () => {
    const isupport = new Isupport([
      ["CHANMODES", "be,k,lX,imnst"],
      ["PREFIX", "(Yqaohv)!~&@%+"],
    ]);
    const changes = modeChanges(isupport, ["+Yk-l+Xi-k", "oper", "key", "5", "key"]);
    expect(changes.map(({ on, letter, parameter }) => [on ? "+" : "-", letter, parameter ?? ""].join(""))).toEqual([
      "+Yoper",
      "+kkey",
      "-l",
      "+X5",
      "+i",
      "-kkey",
    ]);
  });

  it.each([
    ["$,ajrxz", undefined, "$a:carol"],
    ["~,acfr", undefined, "~a:carol"],
    [",ARUz", undefined, "R:carol"],
    ["~,q", "account", "~account:carol"],
    ["$,jr", undefined, "Carol!*@*"],
  ])("a ban names the account where a server with EXTBAN=%s can ban one", (extban, named, mask) => {
    const isupport = new Isupport([
      ["EXTBAN", extban],
      ...(named === undefined ? [] : [["ACCOUNTEXTBAN", named] as const]),
    ]);
    expect(banMasks(isupport, "carol", ["Carol"])).toEqual([mask]);
    expect(banMasks(isupport, undefined, ["Carol"])).toEqual(["Carol!*@*"]);
  });

  it("a key that would be read as something else is none", () => {
    for (const key of ["", "a b", "a,b", ":a", "a\r\nQUIT", "a\0", "x".repeat(65)]) expect(isKey(key)).toBe(false);
    expect(isKey("pässwörd:1")).toBe(true);
  });
});
