import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, EventId, RemoteMessageId, UserId } from "@trestle/core";
import type { IrcServer, IrcTestClient } from "@trestle/testkit";
import { roomWithCarol } from "./support/room-with-carol.js";
import type { RunningBridge } from "./support/running-bridge.js";

const room = ChannelId("net/#room");

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

afterEach(async () => {
  await bridge.end();
  carol.close();
  await irc.stop();
});

describe("a message in a thread", () => {
  it("says what the thread is about, to people and to clients, and calls nobody", async () => {
    ({ irc, carol, bridge } = await roomWithCarol({ caps: ["message-tags"] }));
    carol.say("#room", "who brings the cake on Saturday, and who the coffee?");
    const root = await bridge.core.until("the question", () => bridge.core.messages()[0]);
    const thread = {
      event: EventId("$root"),
      id: root.id,
      authorName: "carol",
      excerpt: "who brings the cake on Saturday, and who the coffee?",
    };
    await bridge.say({ channel: room, text: "I do", name: "Alice", thread });
    const said = { event: EventId("$said"), id: RemoteMessageId("x"), matrixAuthor: UserId("@alice:example.org") };
    await bridge.say({ channel: room, user: "@bob:x", name: "Bob", text: "you?", thread, replyTo: said });
    await bridge.say({ channel: room, user: "@bob:x", name: "Bob", text: "no", thread: { event: EventId("$root") } });
    const lines = irc.channel("#room").log.slice(1);
    expect(lines.map(({ text }) => text)).toEqual([
      "re “who brings the cake on Saturday, and…”: I do",
      "Alice[m]: you?",
      "no",
    ]);
    expect(lines.map(({ tags }) => tags["+draft/reply"])).toEqual([root.id, "x", undefined]);
  });
});
