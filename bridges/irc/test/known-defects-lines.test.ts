import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { ChannelId, EffectId, EventId, RoomId, type TextContent, UserId } from "@trestle/core";
import { richTextOf, toMatrixHtml, toPlainText } from "@trestle/rich-text";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { parseFormatted } from "../dist/format/parse.js";
import { withNickMentions } from "../dist/network/outward/nick-mentions.js";
import { KeptPasswords } from "../dist/import/passwords.js";
import { realnameOf } from "../dist/session/realname.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { freePort, patiently, until } from "../../../test/support/bounded.js";

jest.setTimeout(90_000);

const room = ChannelId("net/#room");

/** What matrix-appservice-irc does wrong with lines and connections, and must not happen here. */
describe("defects of matrix-appservice-irc", () => {
  let server: IrcServer;
  let person: IrcTestClient;
  let bridge: RunningBridge;
  let isRunning = false;

  async function start(more: Parameters<typeof networkOn>[1] = {}): Promise<void> {
    server = await IrcServer.start({ port: await freePort(), without: ["draft/multiline"] });
    person = await IrcTestClient.connect({ port: server.port, nick: "Carol", caps: ["message-tags"] });
    await person.join("#room");
    bridge = await RunningBridge.start({
      networks: [networkOn(server.port, more)],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    }).then((each) => each.ready());
    isRunning = true;
  }
  afterEach(async () => {
    if (!isRunning) return;
    isRunning = false;
    await bridge.end();
    person.close();
    await server.stop();
  });
  const said = () =>
    server
      .channel("#room")
      .log.filter(({ from }) => from !== "Carol")
      .map(({ text }) => text);

  it("actions overtake the lines among which they were said, to Matrix", async () => {
    await start();
    const expected: string[] = [];
    for (let number = 0; number < 25; number++) {
      person.say("#room", `line ${number}`);
      person.action("#room", `acts ${number}`);
      expected.push(`line ${number}`, `acts ${number}`);
    }
    await bridge.core.until("all of it", () => bridge.core.texts().length === expected.length);
    expect(bridge.core.texts()).toEqual(expected);
  });

  it("a burst of one user is written at once: flood protection does not protect", async () => {
    await start({ flood: { burst: 2, linesPerSecond: 20 } });
    const before = Date.now();
    for (let number = 0; number < 12; number++) await bridge.say({ channel: room, text: `line ${number}` });
    const times = server
      .channel("#room")
      .log.filter(({ text }) => text.startsWith("line "))
      .map(({ tags }) => Date.parse(tags["time"]!));
    expect(said()).toHaveLength(12);
    // JOIN has used one of the two: ten lines at 20 a second need half a second at least, whatever the machine does.
    expect(times.at(-1)! - before).toBeGreaterThanOrEqual(450);
  });

  it("what is said while the IRC server is down is lost", async () => {
    await start();
    await bridge.say({ channel: room, text: "before" });
    await server.stop();
    const once = { attempts: 1, timeoutMs: 300 };
    await until(20_000, "nobody to be connected", async () => {
      const [probed] = await bridge.say({ channel: room, text: "is anybody there" }, once);
      return (probed && "reason" in probed && probed.reason.startsWith("not connected to net")) || undefined;
    });
    const saying = { channel: room, text: "while it is down", id: "m-down" };
    // Neither taken for said nor given up.
    expect(await bridge.say(saying, once)).toMatchObject([{ failed: "retry" }]);
    const outcome = bridge.say(saying, { attempts: 200 });
    await server.start();
    expect((await outcome).some((each) => each && "failed" in each)).toBe(false);
    expect(said().filter((text) => text === "while it is down")).toHaveLength(1);
  });

  it("an edit that changes nothing (a link's preview) is sent again", async () => {
    await start();
    const text: TextContent = { type: "text", style: "text", body: richTextOf("https://example.org") };
    const correction = { before: text, content: text };
    expect(await bridge.say({ channel: room, text: "* https://example.org", correction })).toEqual([]);
    expect(said()).toEqual([]);
  });

  it("a reason for leaving is not passed on to IRC", async () => {
    await start();
    await bridge.say({ channel: room, text: "hello", user: "@alice:example.org", name: "Alice" });
    await bridge.say({ channel: room, text: "hello", user: "@bob:example.org", name: "Bob" });
    const left = (user: string, reason?: string) =>
      bridge.handlers.membership?.({
        effect: EffectId(`leave ${user}`),
        attempt: 1,
        maybeSent: false,
        channel: room,
        room: RoomId("!room"),
        event: EventId(`$leave-${user}`),
        at: Date.now(),
        signal: AbortSignal.timeout(patiently(20_000)),
        author: { userId: UserId(user), name: user },
        who: { userId: UserId(user), name: user },
        change: "leave",
        ...(reason !== undefined && { reason }),
      });
    await left("@alice:example.org", "off to the $& lake");
    expect(await person.waitForLine(/:Alice\S* (?:PART|QUIT) /)).toContain("off to the $& lake");
    await left("@bob:example.org");
    expect(await person.waitForLine(/:Bob\S* (?:PART|QUIT) /)).toContain("Left the room on Matrix");
    await bridge.handlers.unlinked?.({ ...bridge.core.links[0]! });
    const line = await person.waitForLine(
      ({ command, source }) => command === "PART" && source?.startsWith("trestle!") === true,
    );
    expect(line).toMatch(/PART #room :\S+/i);
  });

  it("a long line is cut by the server, without anybody knowing", async () => {
    await start();
    const text = "ä".repeat(1_500);
    await bridge.say({ channel: room, text, name: "Somebody with a long name" });
    expect(said().join("")).toBe(text);
  });

  it("strike-through, hexadecimal and high colours stay in the text as characters", () => {
    const html = toMatrixHtml(parseFormatted("\x1estruck\x1e \x04ff8800hex\x04 \x0352high\x03"));
    expect(html).toContain("<del>struck</del>");
    expect(html).toContain("#ff8800");
    expect(toPlainText(parseFormatted("\x04ff8800hex\x04 \x0352high\x03"), { marks: "none" }).trim()).toBe("hex high");
  });

  it("reverse video leaves an empty font tag", () => {
    const html = toMatrixHtml(parseFormatted("\x16reverse\x16 back"));
    expect(html).toMatch(/^<span data-mx-color="#ffffff" data-mx-bg-color="#000000">reverse<\/span> back$/);
    expect(html).not.toMatch(/<font/);
  });

  it("a replacement pattern in a name corrupts the text", () => {
    const body = withNickMentions(richTextOf("nick1_: $& $1 $$ stays"), () => ({
      kind: "matrixUser",
      userId: "@$&:example.org",
    }));
    expect(toPlainText(body)).toContain("$& $1 $$ stays");
    const person = { kind: "puppet", network: "net", user: "@$&:example.org", name: "$& $1 $$" } as const;
    const templates = { realname: "Bot", puppetRealname: "{name} of {user}" };
    expect(realnameOf(templates, person)).toBe("$& $1 $$ of @$&:example.org");
  });

  it("a password is cut at its first space", async () => {
    const { constants, generateKeyPairSync, publicEncrypt } = await import("node:crypto");
    const { mkdtempSync, rmSync, writeFileSync } = await import("node:fs");
    const { tmpdir } = await import("node:os");
    const directory = mkdtempSync(`${tmpdir()}/trestle-key-`);
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(`${directory}/key.pem`, privateKey.export({ type: "pkcs8", format: "pem" }));
    const key = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING };
    const encrypted = publicEncrypt(key, Buffer.from("c2FsdA== several words of it")).toString("base64");
    expect(KeptPasswords.open(`${directory}/key.pem`).decrypt(encrypted)).toBe("several words of it");
    rmSync(directory, { recursive: true, force: true });
  });
});
