import { afterEach, expect, it, jest } from "@jest/globals";
import { ChannelId, EffectId, EventId, RemoteUserId, RoomId, UserId } from "@trestle/core";
import { IrcPerson } from "../../../test/support/irc-person.js";
import { realServer } from "../../../test/support/servers/index.js";
import { startInspircd } from "../../../test/support/servers/inspircd.js";
import type { LaunchedServer } from "../../../test/support/servers/launched-server.js";
import { startNgircd } from "../../../test/support/servers/ngircd.js";
import { DurableProcess, type OutgoingMessage } from "./support/durable-process.js";
import { plain } from "./support/fake-core.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";

jest.setTimeout(120_000);

const inspircd = await realServer("inspircd");
const ngircd = await realServer("ngircd");
const room = ChannelId("net/#room");
const base = {
  attempt: 1,
  maybeSent: false,
  channel: room,
  room: RoomId("!r"),
  event: EventId("$e"),
  author: { userId: UserId("@alice:example.org"), name: "Alice" },
  at: 0,
};

let server: LaunchedServer;
let bridge: RunningBridge | undefined;
let process_: DurableProcess | undefined;
let person: IrcPerson;

afterEach(async () => {
  await bridge?.end();
  await process_?.stop();
  await process_?.remove();
  bridge = undefined;
  process_ = undefined;
  await person.quit();
  await server.stop();
});

async function relays(launch: () => Promise<LaunchedServer>): Promise<void> {
  server = await launch();
  person = await IrcPerson.connect({ port: server.port, nick: "carol" });
  await person.join("#room");
  const running = (bridge = await RunningBridge.start({
    networks: [networkOn(server.port)],
    channels: ["net/#room"],
    config: { onStop: "quit" },
  }));
  await running.ready();
  const { core, handlers } = running;

  person.say("#room", "hello \u0002there\u0002");
  person.action("#room", "waves");
  person.notice("#room", "beep");
  await core.until("all three", () => core.texts().length === 3);
  expect(core.texts()).toEqual(["hello there", "waves", "beep"]);

  const long = Array.from({ length: 300 }, (_, number) => `wörd${number}`).join(" ");
  const outcomes = [
    ...(await running.say({ channel: room, text: "one", name: "Alice" })),
    ...(await running.say({ channel: room, text: "waves", name: "Alice", style: "emote" })),
    ...(await running.say({ channel: room, text: long, name: "Bob", user: "@bob:x" })),
  ];
  expect(outcomes.filter((outcome) => outcome && "failed" in outcome)).toEqual([]);
  await person.barrier();
  const heard = person.utterances().filter(({ target }) => target === "#room");
  expect(heard.slice(0, 2).map(({ kind, from, text }) => [kind, from, text])).toEqual([
    ["text", "Alice[m]", "one"],
    ["action", "Alice[m]", "waves"],
  ]);
  expect(
    heard
      .slice(2)
      .map(({ text }) => text)
      .join(" "),
  ).toBe(long);

  person.say("Alice[m]", "psst");
  const private_ = await core.until("the private message", () =>
    core.messages().find(({ directTo }) => directTo !== undefined),
  );
  await running.say({ channel: private_.channel, text: "yes?", name: "Alice" });
  await person.waitForUtterance("the answer", ({ target, text }) => target === "carol" && text === "yes?");
  const nobody = await running.say({
    channel: ChannelId("net/nobody/@alice:example.org"),
    text: "hello?",
    name: "Alice",
  });
  expect(nobody).toEqual([{ failed: "permanent", reason: expect.stringMatching(/nobody/) }]);

  person.send("MODE #room +o trestle");
  await person.barrier();
  expect(
    await handlers.topic?.({
      ...base,
      effect: EffectId("t1"),
      topic: "a\r\nQUIT :topic",
      signal: AbortSignal.timeout(patiently(10_000)),
    }),
  ).toEqual({});
  await person.waitForLine("the topic", ({ command, params }) => command === "TOPIC" && params[1] === "a QUIT :topic");
  await person.topic("#room", "from IRC");
  await core.until("the topic", () =>
    core.received.some((event) => event.kind === "channel" && event.topic === "from IRC"),
  );
  await person.rename("caroline");
  await core.until("the new nick", () => core.membership().includes("join net/caroline"));
  person.send("MODE #room +m");
  await person.barrier();
  const muted = await running.say({ channel: room, text: "muted", name: "Alice" });
  expect(muted).toEqual([{ failed: "permanent", reason: expect.stringContaining("#room") }]);
  const kick = {
    ...base,
    effect: EffectId("k1"),
    change: "kick" as const,
    who: { remote: RemoteUserId("net/caroline") },
    reason: "bye",
  };
  expect(await handlers.membership?.({ ...kick, signal: AbortSignal.timeout(patiently(10_000)) })).toEqual({});
  await person.waitForLine("the kick", ({ command, params }) => command === "KICK" && params[1] === "caroline");
}

/** Reactions and replies, where the server passes tags on; no line about them where it does not. */
async function reacts(launch: () => Promise<LaunchedServer>, isShown: boolean): Promise<void> {
  server = await launch();
  person = await IrcPerson.connect({ port: server.port, nick: "carol" });
  await person.join("#room");
  const running = (bridge = await RunningBridge.start({
    networks: [networkOn(server.port)],
    channels: ["net/#room"],
    config: { onStop: "quit" },
  }));
  await running.ready();
  const { core, handlers } = running;
  person.say("#room", "a question");
  const question = await core.until("the question", () => core.messages()[0]);
  const answers = await running.say({ channel: room, text: "an answer", name: "Alice", answers: question.id });
  const effect = { ...base, target: question.id, key: "👍 ;", signal: AbortSignal.timeout(patiently(10_000)) };
  expect(await handlers.react?.({ ...effect, effect: EffectId("r1") })).toEqual(
    isShown ? { id: expect.any(String) } : undefined,
  );
  await handlers.unreact?.({ ...effect, effect: EffectId("r2") });
  await handlers.redact?.({ ...effect, effect: EffectId("d1"), target: [question.id] });
  await running.say({ channel: room, text: "end", name: "Alice" });
  await person.waitForUtterance("the end", ({ text }) => text === "end");
  const heard = person.utterances().map(({ kind, from, text, tags }) => {
    const own = [...tags].filter(([name]) => name.startsWith("+")).map((pair) => pair.join("="));
    return [kind, from, text, ...own.sort()].join(" ");
  });
  const reply = `+draft/reply=${question.id}`;
  expect(heard).toEqual(
    isShown
      ? [
          `text Alice[m] an answer ${reply}`,
          `tags Alice[m]  +draft/react=👍 ; ${reply}`,
          `tags Alice[m]  ${reply} +draft/unreact=👍 ;`,
          "text Alice[m] end",
        ]
      : ["text Alice[m] an answer", "text Alice[m] end"],
  );
  if (!isShown) return;
  const [answer] = answers.map((outcome) => outcome && "id" in outcome && outcome.id);
  person.send(`@+draft/reply=${answer};+draft/react=🎉 TAGMSG #room`);
  person.send(`@+draft/reply=${answer} PRIVMSG #room :thanks`);
  const thanks = await core.until("the reply", () => core.messages()[1]);
  expect(thanks.replyTo).toBe(answer);
  expect(core.received.find(({ kind }) => kind === "reaction")).toMatchObject({ target: answer, key: "🎉" });
}

async function comesBack(launch: () => Promise<LaunchedServer>): Promise<void> {
  server = await launch();
  person = await IrcPerson.connect({ port: server.port, nick: "carol" });
  const running = (bridge = await RunningBridge.start({
    networks: [networkOn(server.port)],
    channels: ["net/#room"],
    config: { onStop: "quit" },
  }));
  await running.ready();
  await running.say({ channel: room, text: "one", name: "Alice" });
  await server.kill();
  const late = running.say({ channel: room, text: "two", name: "Alice" }, { attempts: 500 });
  await server.start();
  person = await IrcPerson.connect({ port: server.port, nick: "carol" });
  await person.join("#room");
  const outcomes = await late;
  expect(outcomes.filter((outcome) => outcome && "failed" in outcome)).toEqual([]);
  const names = await running.core.until(
    "everybody",
    () => server.running && running.core.statuses.get("net/#room")?.state === "connected",
  );
  expect(names).toBe(true);
  person.say("#room", "hello again");
  await running.core.until("the message", () => running.core.texts().includes("hello again"));
}

async function survivesKills(launch: () => Promise<LaunchedServer>): Promise<void> {
  server = await launch();
  person = await IrcPerson.connect({ port: server.port, nick: "carol" });
  await person.join("#room");
  const outgoing = Array.from({ length: 150 }, (_, index): OutgoingMessage => {
    return {
      id: `e${index}`,
      channel: room,
      user: `@user${index % 3}:x`,
      name: `User${index % 3}`,
      text: `out ${index}`,
    };
  });
  const child = (process_ = new DurableProcess(
    { networks: [networkOn(server.port)], grace: 60, onStop: "quit" },
    [room],
    outgoing,
  ));
  child.start();
  await person.waitForLine("the bot", ({ command, nick }) => command === "JOIN" && nick === "trestle");
  let said = 0;
  const speaker = setInterval(() => said < 150 && person.say("#room", `in ${said++}`), 15);
  for (const pause of [500, 150, 620, 380, 440, 710]) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    await child.kill();
    child.start();
  }
  const heard = await person.waitForCount(150, "messages of the bridge", ({ text }) => text.startsWith("out "), 60_000);
  const received = () =>
    child.read("received").flatMap((event) => {
      const { kind, content } = event as { kind: string; content?: { body: Parameters<typeof plain>[0] } };
      return kind === "message" && content ? [plain(content.body)] : [];
    });
  const deadline = Date.now() + patiently(30_000);
  while (received().length < 150 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  clearInterval(speaker);
  await person.barrier();
  expect(heard.map(({ text }) => text)).toEqual(outgoing.map(({ text }) => text));
  expect(person.utterances().filter(({ text }) => text.startsWith("out "))).toHaveLength(150);
  expect(received()).toEqual(Array.from({ length: 150 }, (_, number) => `in ${number}`));
}

inspircd.describe("with InspIRCd", (install) => {
  it("relays both ways", () => relays(() => startInspircd(install)));
  it("relays both ways without echoes and labels", () =>
    relays(() => startInspircd(install, { without: ["ircv3_echomessage", "ircv3_labeledresponse", "ircv3_msgid"] })));
  it("carries reactions and replies", () => reacts(() => startInspircd(install), true));
  it("says nothing of reactions where tags are not passed on", () =>
    reacts(
      () => startInspircd(install, { without: ["ircv3_ctctags", "ircv3_echomessage", "ircv3_labeledresponse"] }),
      false,
    ));
  it("is back after the server was killed", () => comesBack(() => startInspircd(install)));
  it("loses and repeats nothing when killed", () => survivesKills(() => startInspircd(install)));
  it("loses and repeats nothing when killed, without echoes", () =>
    survivesKills(() =>
      startInspircd(install, { without: ["ircv3_echomessage", "ircv3_labeledresponse", "ircv3_msgid"] }),
    ));

  it("checks the certificate of the server", async () => {
    server = await startInspircd(install, { tls: true });
    person = await IrcPerson.connect({ port: server.port, nick: "carol" });
    await person.join("#room");
    const tls = server.tls!;
    const untrusted = (bridge = await RunningBridge.start({
      networks: [networkOn(tls.port, { tls: true })],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    }));
    const status = await untrusted.core.until("the refusal", () => {
      const net = untrusted.core.statuses.get("net");
      return net?.state === "waiting" && net;
    });
    expect(status.detail).toMatch(/certificate|SELF_SIGNED|UNABLE_TO/i);
    await untrusted.end();
    const trusted = networkOn(tls.port, { tls: true, ca: tls.certificate.certificateFile, serverName: "localhost" });
    const running = (bridge = await RunningBridge.start({
      networks: [trusted],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    }));
    await running.ready();
    await running.say({ channel: room, text: "over TLS", name: "Alice" });
    await person.waitForUtterance("the message", ({ text }) => text === "over TLS");
  });

  it("keeps to the server's own limits against floods", async () => {
    server = await startInspircd(install, { fakelag: true });
    person = await IrcPerson.connect({ port: server.port, nick: "carol" });
    await person.join("#room");
    const gentle = networkOn(server.port, { flood: { burst: 5, linesPerSecond: 1 } });
    const running = (bridge = await RunningBridge.start({
      networks: [gentle],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    }));
    await running.ready();
    const lines = Array.from({ length: 9 }, (_, number) => `line ${number}`);
    await running.say({ channel: room, text: lines.join("\n"), name: "Alice" });
    await person.barrier();
    expect(person.utterances().map(({ text }) => text)).toEqual(lines);
  });
});

ngircd.describe("with ngIRCd", (install) => {
  it("relays both ways", () => relays(() => startNgircd(install)));
  it("says nothing of reactions", () => reacts(() => startNgircd(install), false));
  it("is back after the server was killed", () => comesBack(() => startNgircd(install)));
  it("loses and repeats nothing when killed", () => survivesKills(() => startNgircd(install)));
});
