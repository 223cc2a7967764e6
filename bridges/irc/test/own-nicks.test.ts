import { describe, expect, it } from "@jest/globals";
import { OwnNicks } from "../dist/network/nicks/own-nicks.js";
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

  it("are forgotten when they are given up and the bot has seen them leave, in whatever order", () => {
    const kept = new Map<string, string>();
    const nicks = new OwnNicks(
      (nick) => fold(nick, "ascii"),
      (changes) => {
        for (const [key, value] of changes)
          if (value === undefined) kept.delete(key);
          else kept.set(key, value);
      },
    );
    nicks.claim("Ann", "one");
    nicks.left("ann", []);
    expect(nicks.isOwn("ann", source)).toBe(true);
    nicks.release("Ann", "one");
    expect([nicks.isOwn("ann", source), kept.size]).toEqual([false, 0]);
    nicks.claim("Ann", "two");
    nicks.releaseAll("two");
    // Lines under it may still be on their way to the bot.
    expect(nicks.isOwn("ann", source)).toBe(true);
    const changes: (readonly [string, string | undefined])[] = [];
    nicks.left("ann", changes);
    expect([nicks.isOwn("ann", source), changes]).toEqual([false, [["own:ann", undefined]]]);
    // It left before, and is there again.
    nicks.claim("Ann", "three");
    nicks.left("ann", []);
    nicks.address("ann", "ann@example.org");
    nicks.release("Ann", "three");
    expect(nicks.isOwn("ann", { nick: "Ann", user: "ann", host: "example.org" })).toBe(true);
    nicks.close();
  });
});
