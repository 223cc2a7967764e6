import { describeDeviations, specValidator } from "@trestle/testkit";
import { afterAll, beforeAll, beforeEach, expect, it, jest } from "@jest/globals";
import type { IrcPerson } from "../support/irc-person.js";
import type { Person } from "../support/person.js";
import type { SeenEvent } from "../support/seen-event.js";
import type { LaunchedServer } from "../support/servers/launched-server.js";
import type { SynapseInstall } from "../support/servers/synapse-install.js";
import { BOT, Stage, puppetOf } from "./stage.js";

/** What a ghost of the IRC bridge is called begins so. */
const GHOST = /^@irc_/;

export interface IrcSide {
  start(): Promise<LaunchedServer>;
  /** Whether the server tells a client what it took of its messages (echo-message). */
  readonly echoes: boolean;
}

const BOLD = "\x02";
const ITALIC = "\x1d";
const PLAIN = "\x0f";

/** The tests of a real Synapse with a real IRC server between which the bridge runs as an operator starts it. */
export function synapseAndIrc(synapse: SynapseInstall, irc: IrcSide): void {
  // The waits inside are shorter and say what they waited for.
  jest.setTimeout(180_000);

  let stage: Stage;
  let ann: Person;
  let channels = 0;
  let channel: string;

  beforeAll(async () => {
    stage = await Stage.build(synapse, await irc.start());
    ann = await stage.person("ann");
  });
  afterAll(async () => stage.close());
  beforeEach(() => {
    channel = `#test${++channels}`;
  });

  it("links a room by command, and relays both ways under the name of who speaks", async () => {
    const carl = await stage.ircPerson("carl1", channel);
    const room = await stage.linkedRoom(ann, channel);
    await carl.waitForLine("the bot", (line) => line.command === "JOIN" && line.nick === "trestle");
    await ann.sendText(room, "hello, IRC");
    expect(await carl.waitForUtterance("ann's greeting", ({ text }) => text === "hello, IRC")).toMatchObject({
      from: puppetOf("ann"),
      kind: "text",
      target: channel,
    });
    carl.say(channel, "hello, Matrix");
    const heard = await ann.waitForMessage(room, "carl's greeting", ({ body }) => body === "hello, Matrix");
    expect(heard.sender).toMatch(GHOST);
    expect(heard.content["msgtype"]).toBe("m.text");
    const member = await ann.state(room, "m.room.member", heard.sender);
    expect(member?.["displayname"]).toBe("carl1");
  });

  it("writes into the room what it is bridged to, where it may", async () => {
    const room = await stage.linkedRoom(ann, channel, { botPower: 50 });
    const key = (await ann.waitFor("m.bridge", (event) => event.roomId === room && event.type === "m.bridge")).stateKey;
    expect(await ann.state(room, "m.bridge", key)).toMatchObject({
      bridgebot: BOT,
      protocol: { id: "irc" },
      channel: { displayname: channel },
    });
  });

  it("keeps actions, notices and formatting, and the order of it all", async () => {
    const carl = await stage.ircPerson("carl2", channel);
    const room = await stage.linkedRoom(ann, channel);
    await ann.sendEmote(room, "waves");
    await ann.sendHtml(room, "bold and slanted", "<b>bold</b> and <i>slanted</i>");
    await ann.sendNotice(room, "take note");
    const said = await carl.waitForCount(3, "utterances of ann", ({ from }) => from === puppetOf("ann"));
    expect(said.map(({ kind, text }) => ({ kind, text }))).toEqual([
      { kind: "action", text: "waves" },
      {
        kind: "text",
        text: expect.stringMatching(`^${BOLD}bold[${BOLD}${PLAIN}] and ${ITALIC}slanted[${ITALIC}${PLAIN}]?$`),
      },
      { kind: "notice", text: "take note" },
    ]);
    carl.action(channel, "waves back");
    carl.say(channel, `${BOLD}bold${BOLD} and <b>plain</b>`);
    carl.notice(channel, "noted");
    const answers = await ann.waitForCount(
      3,
      "messages of carl",
      (event) => event.roomId === room && event.type === "m.room.message" && GHOST.test(event.sender),
    );
    expect(answers.map(({ content }) => [content["msgtype"], content["body"]])).toEqual([
      ["m.emote", "waves back"],
      ["m.text", expect.stringContaining("<b>plain</b>")],
      ["m.notice", "noted"],
    ]);
    expect(answers[1]?.content["formatted_body"]).toMatch(/^<(strong|b)>bold<\/\1> and &lt;b&gt;plain&lt;\/b&gt;$/);
  });

  it("shows an edit as a corrected line, and reactions and redactions only to clients that can show them", async () => {
    const carl = await stage.ircPerson("carl3", channel);
    const room = await stage.linkedRoom(ann, channel);
    const first = await ann.sendText(room, "the first word");
    await ann.react(room, first, "👍");
    await ann.edit(room, first, "the second word");
    const gone = await ann.sendText(room, "said and taken back");
    await ann.redact(room, gone);
    await ann.sendText(room, "the end");
    await carl.waitForUtterance("the end", ({ text }) => text === "the end");
    const said = carl.utterances().filter(({ from }) => from === puppetOf("ann"));
    expect(said.map(({ text, tags }) => tags.get("+draft/react") ?? text)).toEqual([
      "the first word",
      ...(irc.echoes ? ["👍"] : []),
      expect.stringContaining("second word"),
      "said and taken back",
      "the end",
    ]);
  });

  it("gives IRC a link to a file that works, until it is redacted", async () => {
    const carl = await stage.ircPerson("carl4", channel);
    const room = await stage.linkedRoom(ann, channel);
    const bytes = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);
    const image = await ann.sendImage(room, { name: "a dot.png", bytes, mimeType: "image/png", width: 1, height: 1 });
    const line = await carl.waitForUtterance("the link", ({ text }) => text.includes("http://"));
    const link = /http:\/\/\S+/.exec(line.text)?.[0] ?? "";
    const file = await fetch(link);
    expect({
      status: file.status,
      type: file.headers.get("content-type"),
      bytes: new Uint8Array(await file.arrayBuffer()),
    }).toEqual({ status: 200, type: "image/png", bytes });
    await ann.redact(room, image);
    // What follows in the room is relayed after the redaction was dealt with.
    await ann.sendText(room, "it is gone");
    await carl.waitForUtterance("the text behind", ({ text }) => text === "it is gone");
    expect([403, 404, 410]).toContain((await fetch(link)).status);
  });

  it("follows the room to version 12", async () => {
    const carl = await stage.ircPerson("carl5", channel);
    const room = await stage.linkedRoom(ann, channel);
    carl.say(channel, "before");
    const ghost = (await ann.waitForMessage(room, "a message before", ({ body }) => body === "before")).sender;
    const next = await ann.upgrade(room, "12");
    await ann.invite(next, BOT);
    await stage.linkOf(next);
    await ann.sendText(next, "in the new room");
    await carl.waitForUtterance("a message from the new room", ({ text }) => text === "in the new room");
    carl.say(channel, "after");
    const after = await ann.waitForMessage(next, "a message after", ({ body }) => body === "after");
    expect(after.sender).toBe(ghost);
    expect((await ann.history(room)).filter(({ content }) => content["body"] === "after")).toEqual([]);
  });

  it("delivers what is said in the upgraded room before the bridge has followed", async () => {
    const carl = await stage.ircPerson("carl8", channel);
    const room = await stage.linkedRoom(ann, channel);
    const next = await ann.upgrade(room, "12");
    await ann.sendText(next, "is anybody here?");
    await ann.invite(next, BOT);
    await stage.linkOf(next);
    await ann.sendText(next, "there you are");
    await carl.waitForUtterance("the message after", ({ text }) => text === "there you are");
    expect(outward(carl, "ann")).toEqual(["is anybody here?", "there you are"]);
  });

  it("loses and repeats nothing when Synapse restarts and counts its transactions from 1 again", async () => {
    const carl = await stage.ircPerson("carl6", channel);
    const room = await stage.linkedRoom(ann, channel);
    const { transactions } = stage.delivered;
    let said = 0;
    // It goes on counting where it stopped with a transaction under way.
    for (let restarts = 0; restarts < 6; restarts++) {
      for (const end = said + 5; said < end; said++) {
        await ann.sendText(room, `out ${said}`);
        carl.say(channel, `in ${said}`);
      }
      await carl.waitForUtterance("what ann said", ({ text }) => text === `out ${said - 1}`);
      await ann.waitForMessage(room, "what carl said", ({ body }) => body === `in ${said - 1}`);
      const before = transactions.length;
      await stage.synapse.shutdown();
      carl.say(channel, `in ${said}`);
      await carl.barrier();
      await stage.synapse.start();
      ann.reconnect();
      await ann.sendText(room, `out ${said++}`);
      await carl.waitForUtterance("what ann said after the restart", ({ text }) => text === `out ${said - 1}`);
      if (transactions.slice(before).includes("1")) break;
    }
    await settled(stage, { ann, carl, room, channel });
    expect(outward(carl, "ann")).toEqual(numbered("out", said));
    expect(await inward(ann, room)).toEqual(numbered("in", said));
    if (transactions.filter((id) => id === "1").length < 2)
      process.stderr.write("Synapse went on counting its transactions: this run has shown less than its title says.\n");
  });

  it("loses, repeats and reorders nothing when Synapse is killed in mid-flight", async () => {
    const count = 90;
    const carl = await stage.ircPerson("carl7", channel);
    const room = await stage.linkedRoom(ann, channel);
    const kills = new Set([20, 50, 70]);
    let revival: Promise<void> = Promise.resolve();
    const ids: string[] = [];
    for (let index = 0; index < count; index++) {
      carl.say(channel, `in ${index}`);
      const sent = ann.send(room, "m.room.message", { msgtype: "m.text", body: `out ${index}` }, 60_000);
      // Killed while this message and its neighbours are on their way in both directions.
      if (kills.has(index)) revival = stage.synapse.kill().then(() => stage.synapse.start());
      ids.push(await sent);
    }
    await revival;
    ann.reconnect();
    await settled(stage, { ann, carl, room, channel });
    const forgotten = stage.matrix.neverHandedOver(ids);
    process.stderr.write(`Synapse, killed ${kills.size} times, never handed over ${forgotten} of ${count} events.\n`);
    expect(outward(carl, "ann")).toEqual(numbered("out", count));
    expect(await inward(ann, room)).toEqual(numbered("in", count));
  });

  it("loses, repeats and reorders nothing when the bridge is killed in mid-flight", async () => {
    const count = 60;
    const kills = new Set([15, 30, 45]);
    const carl = await stage.ircPerson("carl9", channel);
    const room = await stage.linkedRoom(ann, channel);
    const ids: string[] = [];
    for (let index = 0; index < count; index++) {
      carl.say(channel, `in ${index}`);
      ids.push(await ann.sendText(room, `out ${index}`));
      if (!kills.has(index)) continue;
      await stage.bridge.kill();
      carl.say(channel, `in ${++index}`);
      ids.push(await ann.sendText(room, `out ${index}`));
      await stage.bridge.start();
    }
    await settled(stage, { ann, carl, room, channel });
    const forgotten = stage.matrix.neverHandedOver(ids);
    process.stderr.write(`Synapse, while the bridge was killed, did not hand over ${forgotten} of ${count} events.\n`);
    expect(await inward(ann, room)).toEqual(numbered("in", count));
    // What the bot had to say in the puppet's place would look lost.
    const others = carl.utterances().filter(({ from, text }) => from !== puppetOf("ann") && /out \d/.test(text));
    expect(others.map(({ from, text }) => `${from}: ${text}`)).toEqual([]);
    const came = outward(carl, "ann");
    // An IRC server that does not say what it took leaves the one message in doubt that was on its way.
    expect(came.length - count).toBeLessThanOrEqual(irc.echoes ? 0 : kills.size);
    const once = came.filter((text, index) => text !== came[index - 1]);
    expect([...once].sort()).toEqual([...numbered("out", count)].sort());
    // Synapse may hand over a transaction that it made while it found the bridge again long after later ones.
    const late = new Set(stage.matrix.handedOverLate(ids).map((index) => `out ${index}`));
    if (late.size > 0) process.stderr.write(`Synapse handed over ${[...late].join(", ")} after later events.\n`);
    expect(once.filter((text) => !late.has(text))).toEqual(numbered("out", count).filter((text) => !late.has(text)));
  });

  const specified = specValidator() === undefined ? it.skip : it;
  if (specified === it.skip)
    process.stderr.write(
      "SKIPPED: the traffic is not held against the specification, whose data is not beside the project (../shared).\n",
    );
  specified("kept to the specification in all its requests and answers", () => {
    expect(Math.min(stage.matrix.outward.exchanges, stage.matrix.inward.exchanges)).toBeGreaterThan(0);
    expect(describeDeviations(stage.matrix.deviations)).toBe("");
  });
}

/** Waits until a last message has come through both ways; nothing of before can come after it. */
async function settled(
  stage: Stage,
  where: { readonly ann: Person; readonly carl: IrcPerson; readonly room: string; readonly channel: string },
): Promise<void> {
  const { ann, carl, room, channel } = where;
  await ann.sendText(room, "last");
  carl.say(channel, "last");
  try {
    await carl.waitForUtterance("the last message", ({ text }) => text === "last", 60_000);
    await ann.waitForMessage(room, "the last message", ({ body }) => body === "last", 60_000);
  } catch (error) {
    throw new Error(
      `The last messages did not come through. Status: ${JSON.stringify(await stage.bridge.status())}\nThe end of the log:\n${stage.bridge.output.slice(-4_000)}`,
      { cause: error },
    );
  }
}

/** What came to IRC from a person on Matrix, without what ends the test. */
function outward(carl: IrcPerson, name: string): readonly string[] {
  return carl
    .utterances()
    .filter(({ from, text }) => from === puppetOf(name) && text !== "last")
    .map(({ text }) => text);
}

/** What came to Matrix from IRC, as the homeserver keeps it. */
async function inward(ann: Person, room: string): Promise<readonly unknown[]> {
  const isFromIrc = (event: SeenEvent) =>
    event.type === "m.room.message" && GHOST.test(event.sender) && event.content["body"] !== "last";
  return (await ann.history(room)).filter(isFromIrc).map(({ content }) => content["body"]);
}

function numbered(word: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${word} ${index}`);
}
