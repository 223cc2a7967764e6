import { describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { PuppetFilter } from "../dist/holder/filter.js";
import { headOf } from "../dist/holder/line-head.js";
import { channelIdOf, placeOf, queryIdOf } from "../dist/network/ids.js";

/** Whether a puppet called `me` is given a line, on a network with these channels and ranks. */
function isKept(line: string, channels: string, ranks = "@+"): boolean {
  const bytes = Buffer.from(line, "utf8");
  return new PuppetFilter({ nick: "me", channels, ranks }).keeps(bytes, headOf(bytes));
}

describe("what channels begin with (CHANTYPES)", () => {
  it.each([
    ["#", "#room", false],
    ["#", "@#room", false],
    ["#", "&room", true],
    ["#", "+room", true],
    ["#&+!", "+room", false],
    ["#&+!", "!ABCDEroom", false],
    ["#&+!", "@+room", false],
    ["#&+!", "+#room", false],
    [".", ".room", false],
    [".", "#room", true],
    ["é", "érôom", false],
    ["", "#room", true],
    ["#", "me", true],
    ["#", "@", true],
    ["#", "", true],
  ])("is the server's to say: of %p, %p is kept: %p", (channels, target, kept) => {
    expect(isKept(`:carol!c@h PRIVMSG ${target} :hello`, channels)).toBe(kept);
    expect(isKept(`@a=b :carol!c@h TAGMSG ${target}`, channels)).toBe(kept);
    expect(isKept(`:irc.example MODE ${target} +x`, channels)).toBe(kept);
  });

  it.each(["#room", "&room", "+room", "!ABCDEroom", ".room", "%room", "#a/@b:c"])("%p is told from a query", (name) => {
    expect(placeOf(channelIdOf("net", name))).toEqual({ kind: "channel", network: "net", channel: name });
  });

  it.each(["carol", "[x]", "$account", "~x", "{x", "Éva"])("%p is told from a channel", (nick) => {
    const user = "@alice:example.org" as Parameters<typeof queryIdOf>[2];
    expect(placeOf(queryIdOf("net", nick, user))).toEqual({ kind: "query", network: "net", nick, user });
    expect(placeOf(ChannelId(`net/${nick}`))).toBeUndefined();
  });
});
