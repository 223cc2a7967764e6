import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { type Capability, IrcServer, IrcTestClient, type LoggedMessage } from "@trestle/testkit";
import fc from "fast-check";
import { DurableProcess, type OutgoingMessage } from "./support/durable-process.js";
import { plain } from "./support/fake-core.js";
import { networkOn } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";

jest.setTimeout(120_000);

const CYCLES = Number(process.env["TRESTLE_CRASH_CYCLES"] ?? 8);
const MESSAGES = CYCLES * 40;
const channels = ["net/#one", "net/#two", "net/#three"];

const servers: readonly { readonly name: string; readonly without: readonly Capability[]; readonly msgid: boolean }[] =
  [
    { name: "a server that offers everything", without: [], msgid: true },
    { name: "a server without labels", without: ["labeled-response", "batch"], msgid: true },
    { name: "a server without echoes", without: ["labeled-response", "batch", "echo-message"], msgid: false },
    {
      name: "a server that knows no capabilities of use",
      without: [
        "labeled-response",
        "batch",
        "echo-message",
        "message-tags",
        "server-time",
        "cap-notify",
        "chghost",
        "account-tag",
      ],
      msgid: false,
    },
  ];

/** The tenth message of a channel, and every tenth after it, is a reaction to the one before it. */
function outgoingOf(index: number): OutgoingMessage {
  const who = index % 5;
  const isReaction = Math.floor(index / channels.length) % 10 === 9;
  return {
    id: `e${index}`,
    channel: channels[index % channels.length]!,
    user: `@user${who}:example.org`,
    name: `User${who}`,
    text: `out ${index}`,
    ...(isReaction && { reactsTo: `e${index - channels.length}` }),
  };
}

/** The ids on IRC of the messages that were reacted to, where they have ids. */
function targetsIn(log: readonly LoggedMessage[], own: readonly OutgoingMessage[]): string[] {
  const texts = own.flatMap(({ reactsTo }) => own.find(({ id }) => id === reactsTo)?.text ?? []);
  return texts.flatMap((text) => log.find((message) => message.text === text)?.tags["msgid"] ?? []);
}

/** The texts of a channel's messages, in the order they were written down. */
function textsOf(events: readonly unknown[], channel: string): string[] {
  return events.flatMap((event) => {
    if (typeof event !== "object" || event === null || !("kind" in event) || event.kind !== "message") return [];
    if (!("channel" in event) || event.channel !== channel || !("content" in event)) return [];
    return [plain((event.content as { body: Parameters<typeof plain>[0] }).body)];
  });
}

describe.each(servers)("killed again and again, against $name, the bridge", ({ without, msgid }) => {
  let server: IrcServer;
  let person: IrcTestClient;
  let bridge: DurableProcess;

  afterEach(async () => {
    await bridge.stop();
    person.close();
    await server.stop();
    await bridge.remove();
  });

  it("loses nothing, repeats nothing and keeps the order, both ways", async () => {
    server = await IrcServer.start({ without, msgid });
    person = await IrcTestClient.connect({ port: server.port, nick: "carol" });
    for (const channel of channels) await person.join(channel.replace("net/", ""));
    const outgoing = Array.from({ length: MESSAGES }, (_, index) => outgoingOf(index));
    bridge = new DurableProcess({ networks: [networkOn(server.port)], grace: 60, onStop: "quit" }, channels, outgoing);
    bridge.start();
    // Whoever speaks before the bot is there for the first time speaks to nobody.
    const isThere = () =>
      channels.every((channel) => server.channel(channel.replace("net/", "")).members.includes("trestle"));
    await server.waitFor(isThere, { timeoutMs: patiently(30_000) });
    let said = 0;
    const speaker = setInterval(() => {
      if (said < MESSAGES) person.say(`#${["one", "two", "three"][said % 3]!}`, `in ${said++}`);
    }, 4);
    const pauses = fc.sample(fc.integer({ min: 40, max: 700 }), { numRuns: CYCLES, seed: 42 });
    for (const pause of pauses) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      await bridge.kill();
      bridge.start();
    }
    const all = await finished(bridge, person, () => said);
    clearInterval(speaker);

    for (const [index, channel] of channels.entries()) {
      const own = outgoing.filter((message) => message.channel === channel);
      const expectedOwn = own.filter(({ reactsTo }) => msgid || reactsTo === undefined).map(({ text }) => text);
      const log = server.channel(channel.replace("net/", "")).log.filter(({ from }) => from !== "carol");
      expect(log.map(({ text, tags }) => tags["+draft/react"] ?? text)).toEqual(expectedOwn);
      expect(log.flatMap(({ tags }) => tags["+draft/reply"] ?? [])).toEqual(targetsIn(log, own));
      const heard = textsOf(all, channel);
      const expected = Array.from({ length: MESSAGES }, (_, number) => number).filter((number) => number % 3 === index);
      expect(heard).toEqual(expected.map((number) => `in ${number}`));
    }
    // Nobody was seen to come and go: the connections lived on.
    expect(person.lines.filter((line) => / QUIT /.test(line))).toEqual([]);
    expect(bridge.read("failures").filter((failure) => (failure as { failed: string }).failed === "permanent")).toEqual(
      [],
    );
  });
});

async function finished(bridge: DurableProcess, person: IrcTestClient, said: () => number): Promise<unknown[]> {
  const deadline = Date.now() + patiently(60_000);
  for (;;) {
    const received = bridge.read("received");
    const heard = channels.flatMap((channel) => textsOf(received, channel));
    const isHeard = [0, 1, 2].every((offset) => heard.includes(`in ${MESSAGES - 1 - offset}`));
    if (said() === MESSAGES && isHeard && bridge.read("done").length === MESSAGES) return received;
    if (Date.now() > deadline)
      throw new Error(
        `not finished: ${bridge.read("done").length} of ${MESSAGES} sent, ${heard.length} heard; ${person.lines.at(-1)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
