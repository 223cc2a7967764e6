import { describe, expect, it } from "@jest/globals";
import { OwnNicks } from "../dist/network/own-nicks.js";
import { fold, type CaseMapping } from "../dist/wire/casemapping.js";

const source = { nick: "Carol[m]", user: "carol", host: "example.org" };

describe("the nicks of our own clients", () => {
  it("are known when a server spells them by other rules than were assumed", () => {
    let mapping: CaseMapping = "rfc1459";
    const kept = new Map<string, string>();
    const nicks = new OwnNicks(
      (nick) => fold(nick, mapping),
      (changes) => {
        for (const [key, value] of changes)
          if (value === undefined) kept.delete(key);
          else kept.set(key, value);
      },
    );
    nicks.claim("Carol[m]", "puppet");
    mapping = "ascii";
    nicks.refold();
    expect(nicks.isOwn(fold("Carol[m]", mapping), source)).toBe(true);
    nicks.close();

    const next = new OwnNicks(
      (nick) => fold(nick, mapping),
      () => undefined,
    );
    next.restore([...kept]);
    expect(next.isOwn(fold("CAROL[M]", mapping), source)).toBe(true);
    expect(next.isOwn(fold("Carol{m}", mapping), source)).toBe(false);
    next.close();
  });
});
