import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import {
  ChannelId,
  EffectId,
  EventId,
  type MembershipEffect,
  RemoteUserId,
  RoomId,
  type TopicEffect,
  UserId,
} from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";
import { settle } from "../../../test/support/settle.js";

jest.setTimeout(60_000);

const room = ChannelId("net/#room");
const base = {
  effect: EffectId("t1"),
  attempt: 1,
  maybeSent: false,
  channel: room,
  room: RoomId("!room"),
  event: EventId("$t1"),
  author: { userId: UserId("@alice:example.org"), name: "Alice" },
  at: 0,
};
const topic = (text: string): TopicEffect => ({ ...base, topic: text, signal: AbortSignal.timeout(patiently(10_000)) });
const membership = (
  change: MembershipEffect["change"],
  who: MembershipEffect["who"],
  more: Partial<MembershipEffect> = {},
): MembershipEffect => ({
  ...base,
  change,
  who,
  signal: AbortSignal.timeout(patiently(10_000)),
  ...more,
});

let server: IrcServer;
let person: IrcTestClient;
let bridge: RunningBridge;

beforeEach(async () => {
  server = await IrcServer.start({ without: ["draft/multiline"] });
  person = await IrcTestClient.connect({ port: server.port, nick: "Carol", caps: ["message-tags", "server-time"] });
  await person.join("#Room");
  bridge = await start();
});

afterEach(async () => {
  await bridge.end();
  person.close();
  await server.stop();
});

function start(more: Parameters<typeof networkOn>[1] = {}): Promise<RunningBridge> {
  return RunningBridge.start({
    networks: [networkOn(server.port, more)],
    channels: ["net/#room"],
    config: { onStop: "quit" },
  }).then((each) => each.ready());
}

/** Stops the bridge of `beforeEach` and starts another in its place. */
async function restart(more: Parameters<typeof networkOn>[1]): Promise<void> {
  await bridge.end();
  await server.waitFor(() => !server.nicks.includes("trestle"));
  bridge = await start(more);
}

const said = () =>
  server
    .channel("#room")
    .log.filter(({ from }) => from !== "Carol")
    .map(({ from, command, text }) => [from, command, text]);

describe("from IRC", () => {
  it("a line becomes a message, with the server's id and time", async () => {
    person.say("#room", "hello \x02there\x02");
    await bridge.core.until("the message", () => bridge.core.texts().includes("hello there"));
    const logged = server.channel("#room").log.at(-1)!;
    expect(bridge.core.messages()).toEqual([
      {
        kind: "message",
        id: logged.tags["msgid"],
        channel: "net/#room",
        at: Date.parse(logged.tags["time"]!),
        sender: { id: "net/carol", name: "Carol" },
        content: {
          type: "text",
          style: "text",
          body: {
            blocks: [
              {
                type: "paragraph",
                children: [
                  { type: "text", text: "hello " },
                  { type: "bold", children: [{ type: "text", text: "there" }] },
                ],
              },
            ],
          },
        },
      },
    ]);
  });

  it("notices and actions keep their style, also an action without its end", async () => {
    person.notice("#room", "beep");
    person.action("#room", "waves");
    person.raw("PRIVMSG #room :\x01ACTION bows");
    await bridge.core.until("all three", () => bridge.core.messages().length === 3);
    expect(bridge.core.messages().map(({ content }) => content.type === "text" && content.style)).toEqual([
      "notice",
      "emote",
      "emote",
    ]);
    expect(bridge.core.texts()).toEqual(["beep", "waves", "bows"]);
  });

  it("nothing crosses that is not for people: CTCP, empty lines, STATUSMSG", async () => {
    server.setModes("#room", "+o", "Carol");
    person.raw("PRIVMSG #room :\x01VERSION\x01");
    person.raw("PRIVMSG #room :\x02\x02");
    person.raw("PRIVMSG @#room :for operators");
    person.say("#room", "end");
    await bridge.core.until("the end", () => bridge.core.texts().includes("end"));
    expect(bridge.core.texts()).toEqual(["end"]);

    await person.waitForLine("NOTICE Carol :\x01VERSION Trestle");
  });

  it("CTCP requests are answered, but not as fast as they come", async () => {
    for (let count = 0; count < 20; count++) person.raw(`PRIVMSG trestle :\x01PING ${count}\x01`);
    person.raw("PRIVMSG #room :after");
    await bridge.core.until("the line after", () => bridge.core.texts().includes("after"));
    await person.sync();
    expect(person.lines.filter((line) => line.includes("\x01PING")).length).toBeLessThanOrEqual(3);
  });

  it("joins, parts, quits, kicks and changes of nick become memberships", async () => {
    await bridge.core.until("carol", () => bridge.core.membership().length === 1);
    const dave = await IrcTestClient.connect({ port: server.port, nick: "dave" });
    await dave.join("#room");
    await dave.changeNick("David");
    await dave.changeNick("DAVID");
    dave.part("#room", "tea");
    await dave.join("#room");
    server.kick("#room", "DAVID", "out");
    await dave.join("#room");
    await dave.quit("gone");
    await bridge.core.until("all", () => bridge.core.membership().length === 9);
    expect(bridge.core.membership()).toEqual([
      "join net/carol",
      "join net/dave",
      "leave net/dave",
      "join net/david",
      "leave net/david",
      "join net/david",
      "kick net/david",
      "join net/david",
      "leave net/david",
    ]);
    const profile = bridge.core.received.find(({ kind }) => kind === "profile");
    expect(profile).toMatchObject({ user: { id: "net/david", name: "DAVID" } });
    expect(bridge.core.received.find((event) => event.kind === "membership" && event.change === "kick")).toMatchObject({
      reason: "out",
    });
  });

  it("what is for a network that is no longer configured is refused, and not taken for said", async () => {
    expect(await bridge.say({ channel: ChannelId("gone/#room"), text: "hi", name: "Alice" })).toEqual([
      expect.objectContaining({ failed: "permanent", reason: "gone/#room is on a network that is not configured" }),
    ]);
  });

  it("a topic crosses, and the bridge's own does not come back", async () => {
    person.raw("TOPIC #room :from \x02IRC\x02");
    await bridge.core.until("the topic", () =>
      bridge.core.received.some((event) => event.kind === "channel" && event.topic === "from IRC"),
    );
    server.setModes("#room", "+o", "trestle");
    expect(await bridge.handlers.topic?.(topic("from\r\nQUIT :Matrix"))).toEqual({});
    await server.waitFor(() => server.channel("#room").topic === "from QUIT :Matrix");
    person.say("#room", "after");
    await bridge.core.until("the line after", () => bridge.core.texts().includes("after"));
    expect(bridge.core.received.filter((event) => event.kind === "channel" && event.topic !== undefined)).toHaveLength(
      1,
    );
  });

  it("a private message to a puppet becomes a conversation of its person, and the answer goes back", async () => {
    await bridge.say({ channel: room, text: "hi", name: "Alice" });
    person.raw("PRIVMSG Alice[m] :psst");
    const message = await bridge.core.until("the message", () =>
      bridge.core.messages().find(({ directTo }) => directTo !== undefined),
    );
    expect(message).toMatchObject({
      channel: "net/carol/@alice:example.org",
      directTo: "@alice:example.org",
      sender: { id: "net/carol" },
    });
    await bridge.say({ channel: message.channel, text: "yes?", name: "Alice" });
    await person.waitForLine(/^(@\S+ )?:Alice\[m\]!\S+ PRIVMSG Carol :yes\?$/);
    expect(await bridge.handlers.directChannel?.(UserId("@alice:example.org"), RemoteUserId("net/carol"))).toBe(
      message.channel,
    );
  });

  it("messages that the disk refuses come again, in order, and none is lost", async () => {
    let refusals = 3;
    bridge.core.beforeReceive = async () => {
      if (refusals-- > 0) throw new Error("disk full");
    };
    for (let number = 0; number < 50; number++) person.say("#room", `line ${number}`);
    await bridge.core.until("all lines", () => bridge.core.texts().length === 50);
    expect(bridge.core.texts()).toEqual(Array.from({ length: 50 }, (_, number) => `line ${number}`));
  });
});

describe("from Matrix", () => {
  it("a message is said once by a puppet, and does not come back", async () => {
    const [outcome] = await bridge.say({ channel: room, text: "hi carol", name: "Alice" });
    expect(outcome).toEqual({ id: server.channel("#room").log.at(-1)!.tags["msgid"] });
    person.say("#room", "after");
    await bridge.core.until("the line after", () => bridge.core.texts().includes("after"));
    expect(said()).toEqual([["Alice[m]", "PRIVMSG", "hi carol"]]);
    expect(bridge.core.texts()).toEqual(["after"]);
    expect(bridge.core.membership()).toEqual(["join net/carol"]);
  });

  it("notices, emotes and several lines are said as such", async () => {
    await bridge.say({ channel: room, text: "one\n\n  \ntwo", name: "Alice" });
    await bridge.say({ channel: room, text: "beep", name: "Alice", style: "notice" });
    await bridge.say({ channel: room, text: "waves", name: "Alice", style: "emote" });
    expect(said().map(([, command, text]) => [command, text])).toEqual([
      ["PRIVMSG", "one"],
      ["PRIVMSG", "two"],
      ["NOTICE", "beep"],
      ["PRIVMSG", "\x01ACTION waves\x01"],
    ]);
  });

  it("the bot speaks where there are no puppets, in lines that fit with the name", async () => {
    await restart({ puppets: false });
    await bridge.say({ channel: room, text: "hello", name: "Alice" });
    await bridge.say({ channel: room, text: "waves", name: "Alice", style: "emote" });
    await bridge.say({ channel: room, text: "x".repeat(900), name: "A\r\nQUIT :name" });
    expect(said().slice(0, 2)).toEqual([
      ["trestle", "PRIVMSG", "<Alice> hello"],
      ["trestle", "PRIVMSG", "* Alice waves"],
    ]);
    const rest = said()
      .slice(2)
      .map(([, , text]) => text!);
    expect(rest.every((text) => text.startsWith("<A QUIT :name> x"))).toBe(true);
    expect(rest.map((text) => text.replace("<A QUIT :name> ", "")).join("")).toBe("x".repeat(900));
  });

  it("the bot calls nobody on IRC when somebody of their name speaks, and takes no formatting from a name", async () => {
    await restart({ puppets: false });
    await bridge.core.until("carol", () => bridge.core.membership().includes("join net/carol"));
    await bridge.say({ channel: room, text: "hello carol", name: "caROL (away), Caroline" });
    await bridge.say({ channel: room, text: "waves", name: "\x0304,05Carol\x02", style: "emote" });
    await bridge.say({ channel: room, text: "long ".repeat(200).trim(), name: "Carol" });
    expect(said().slice(0, 2)).toEqual([
      ["trestle", "PRIVMSG", "<c\u200baROL (away), Caroline> hello carol"],
      ["trestle", "PRIVMSG", "* 04,05Carol waves"],
    ]);
    const rest = said()
      .slice(2)
      .map(([, , text]) => text!);
    expect(rest.map((text) => text.replace("<C\u200barol> ", "")).join(" ")).toBe("long ".repeat(200).trim());
  });

  it("long text arrives whole, whatever the masks: the server cuts nothing", async () => {
    await restart({ puppetNick: "{name}-on-matrix" });
    const text = Array.from({ length: 400 }, (_, number) => `wörd${number}`).join(" ");
    await bridge.say({ channel: room, text, name: "Alexandra" });
    const lines = said().map(([, , line]) => line!);
    expect(lines.join(" ")).toBe(text);
    server.changeHost("Alexandra-on-matrix", "someuser", `${"h".repeat(59)}.org`);
    // After its echo the bridge knows the new mask.
    await bridge.say({ channel: room, text: "short", name: "Alexandra" });
    await bridge.say({ channel: room, text, name: "Alexandra" });
    expect(
      said()
        .slice(lines.length + 1)
        .map(([, , line]) => line)
        .join(" "),
    ).toBe(text);
    const full = person.lines
      .filter((line) => /PRIVMSG #room :/i.test(line))
      .map((line) => Buffer.byteLength(line.replace(/^@\S+ /, "")) + 2);
    expect(Math.max(...full)).toBeLessThanOrEqual(512);
    // Not by being timid: the lines are used.
    expect(Math.max(...full)).toBeGreaterThan(480);
  });

  it("nobody is refused for their name", async () => {
    server.holdNick("Bob[m]");
    server.holdNick("Bob2[m]");
    const names = ["Bob", "Жанна", "漢字", "123", "a b\r\nc", "", "😀", "[[]]", "x".repeat(200)];
    for (const [index, name] of names.entries()) {
      await bridge.say({ channel: room, text: `from ${index}`, name, user: `@user${index}:example.org` });
    }
    expect(said().map(([, , text]) => text)).toEqual(names.map((_, index) => `from ${index}`));
    expect(
      said()
        .slice(0, 5)
        .map(([from]) => from),
    ).toEqual(["Bob3[m]", "Zhanna[m]", "user2[m]", "_123[m]", "abc[m]"]);
  });

  it("what the server refuses is told, and the bot does not go round a ban", async () => {
    server.setModes("#room", "+b", "Alice*!*@*");
    await expect(bridge.say({ channel: room, text: "no", name: "Alice" })).resolves.toEqual([
      { failed: "permanent", reason: expect.stringContaining("banned") },
    ]);
    server.setModes("#room", "+m");
    await expect(bridge.say({ channel: room, text: "no", name: "Bob", user: "@bob:x" })).resolves.toEqual([
      { failed: "permanent", reason: expect.stringMatching(/refused.*#/) },
    ]);
    expect(said()).toEqual([]);
  });

  it("a message that the server takes and does not show is told as well", async () => {
    await bridge.say({ channel: room, text: "first", name: "Alice" });
    server.judgeMessages(({ text }) => (text.startsWith("spam") ? "drop" : "deliver"));
    const told = [{ failed: "permanent", reason: expect.stringContaining("did not show it") }];
    expect(await bridge.say({ channel: room, text: "spam", name: "Alice" })).toEqual(told);
    server.setCapability("labeled-response", false);
    await bridge.say({ channel: room, text: "after the change", name: "Alice" });
    expect(await bridge.say({ channel: room, text: "spam again", name: "Alice" })).toEqual(told);
  });

  it("the bot speaks for a puppet that is kept out by a mode", async () => {
    server.setModes("#room", "+i");
    await bridge.say({ channel: room, text: "let me in", name: "Alice" });
    expect(said()).toEqual([["trestle", "PRIVMSG", "<Alice> let me in"]]);
  });

  it("who is kicked on Matrix is kicked on IRC, and a refusal is told", async () => {
    const kick = membership("kick", { remote: RemoteUserId("net/carol") }, { reason: "spam\r\nQUIT" });
    expect(await settle(() => bridge.handlers.membership?.(kick))).toMatchObject({ failed: "permanent" });
    server.setModes("#room", "+o", "trestle");
    expect(await bridge.handlers.membership?.({ ...kick, effect: EffectId("t2") })).toEqual({});
    await person.waitForLine(/ KICK #\S+ Carol :Alice: spam QUIT$/);
    expect(bridge.core.membership()).toEqual(["join net/carol"]);
    expect(
      await bridge.handlers.membership?.({
        ...membership("ban", { remote: RemoteUserId("net/carol") }),
        effect: EffectId("t3"),
      }),
    ).toEqual({});
    person.raw("JOIN #room");
    await person.waitForLine(/ 474 /);
    const unban = { ...membership("unban", { remote: RemoteUserId("net/carol") }), effect: EffectId("t4") };
    expect(await bridge.handlers.membership?.(unban)).toEqual({});
    await person.join("#room");
  });

  it("who leaves the room on Matrix leaves IRC, and who is renamed is renamed", async () => {
    await bridge.say({ channel: room, text: "hi", name: "Alice" });
    await bridge.handlers.membership?.(membership("rename", { userId: UserId("@alice:example.org"), name: "Alicia" }));
    await person.waitForLine(/^(@\S+ )?:Alice\[m\]!\S+ NICK :?Alicia\[m\]$/);
    await bridge.say({ channel: room, text: "new name", name: "Alicia" });
    await bridge.handlers.membership?.(membership("leave", { userId: UserId("@alice:example.org"), name: "Alicia" }));
    await person.waitForLine(/:Alicia\[m\]!\S+ QUIT/);
    expect(bridge.core.texts()).toEqual([]);
    expect(bridge.core.membership()).toEqual(["join net/carol"]);
  });

  it("nothing that a person can type breaks out of its line", async () => {
    const evil = "x\r\nQUIT :evil\0\r\nJOIN #evil\u2028";
    await bridge.say({ channel: room, text: evil, name: evil, user: "@evil\r\nQUIT :x:example.org" });
    await bridge.say({ channel: room, body: { blocks: [{ type: "codeBlock", text: evil }] }, name: evil });
    await bridge.handlers.topic?.(topic(evil));
    await bridge.handlers.membership?.({
      ...membership("ban", { remote: RemoteUserId(`net/${evil}`) }, { reason: evil }),
      effect: EffectId("evil"),
    });
    await bridge.handlers.membership?.(
      membership("leave", { userId: UserId("@alice:example.org"), name: evil }, { reason: evil }),
    );
    const lines = [...server.nicks, "trestle"].flatMap((nick) => server.linesFrom(nick));
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.filter((line) => /^(QUIT|JOIN #evil)/.test(line))).toEqual([]);

    expect(lines.some((line) => /[\r\n\0]/.test(line))).toBe(false);
  });
});

describe("a channel", () => {
  it("is found by what a person types", async () => {
    const resolve = async (text: string) => {
      const { settings, ...found } = (await bridge.handlers.resolveChannel!(text)) ?? {};
      // Until its modes are known.
      expect(settings).toEqual({ secret: true });
      return found;
    };
    expect(await resolve("#Room[x]")).toEqual({ id: "net/#room{x}", name: "#Room[x]" });
    expect(await resolve("net/#Room")).toEqual({ id: "net/#room", name: "#Room" });
    expect(await resolve(`irc://127.0.0.1/#Room`)).toEqual({ id: "net/#room", name: "#Room" });
    await expect(resolve("room")).rejects.toThrow(/no IRC channel.*net\/#channel/);
    await expect(resolve("#a,#b")).rejects.toThrow(/no IRC channel/);
  });

  it("is left when its last link goes, by the puppets too", async () => {
    await bridge.say({ channel: room, text: "hi", name: "Alice" });
    await bridge.handlers.unlinked?.(bridge.core.links[0]!);
    await server.waitFor(() => server.channel("#room").members.join() === "Carol");
    person.say("#room", "nobody hears");
    await person.sync();
    await bridge.handlers.linked?.(bridge.core.links[0]!);
    await server.waitFor(() => server.channel("#room").members.includes("trestle"));
    person.say("#room", "somebody hears");
    await bridge.core.until("the message", () => bridge.core.texts().includes("somebody hears"));
    expect(bridge.core.texts()).toEqual(["somebody hears"]);
  });

  it("that the bot is made to leave is come into again", async () => {
    server.remove("#room", "trestle", "requested by op");
    await bridge.core.until("the report", () => bridge.core.statuses.get("net/#room")?.detail?.includes("to leave"));
    await bridge.core.until("its return", () => bridge.core.statuses.get("net/#room")?.state === "connected");
    person.say("#room", "welcome back");
    await bridge.core.until("the message", () => bridge.core.texts().includes("welcome back"));
  });

  it("that bars the bot is reported", async () => {
    server.setModes("#room", "+b", "*!*@*");
    server.kick("#room", "trestle", "bye");
    await bridge.core.until("the report", () => bridge.core.statuses.get("net/#room")?.detail?.includes("kicked"));
  });
});
