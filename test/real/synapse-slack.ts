import type { ChannelHandle } from "@trestle/slack-emulator";
import { describeDeviations, specValidator } from "@trestle/testkit";
import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import type { Person } from "../support/person.js";
import { asRecord, asText, type SeenEvent } from "../support/seen-event.js";
import type { SynapseInstall } from "../support/servers/synapse-install.js";
import { SLACK_BOT, SlackStage, type Transport } from "./slack-stage.js";
import { patiently } from "../support/bounded.js";

/** What a ghost of the Slack bridge is called begins so. */
const GHOST = /^@slack_t[a-z0-9]+-u[a-z0-9]+:/;
/** The bridge keeps Slack's limits. */
const SLOW = { timeout: patiently(60_000) };
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

/** The tests of a real Synapse with an emulated Slack between which the bridge runs as an operator starts it. */
export function synapseAndSlack(install: SynapseInstall, transport: Transport): void {
  // The waits inside are shorter and say what they waited for.
  jest.setTimeout(240_000);

  let stage: SlackStage;
  let ann: Person;
  /** Signed in as bob. */
  let ben: Person;

  beforeAll(async () => {
    stage = await SlackStage.build(install, transport);
    ann = await stage.matrix.person("ann");
    ben = await stage.matrix.person("ben");
    await stage.signIn(ben, "bob");
  });
  afterAll(async () => stage.close());

  it("links a room by command, and relays formatted text both ways under the name of who speaks", async () => {
    const { room, channel } = await stage.linked(ann, "text");
    const alice = stage.slackPerson("alice");
    alice.post("text", "hello *Matrix*, _this_ is &lt;b&gt; and `code`");
    const heard = await ann.waitForMessage(room, "alice's greeting", ({ body }) => body.startsWith("hello"));
    expect(heard.sender).toMatch(GHOST);
    expect(heard.content).toMatchObject({
      msgtype: "m.text",
      body: "hello **Matrix**, _this_ is <b> and `code`",
      formatted_body: "hello <strong>Matrix</strong>, <em>this</em> is &lt;b&gt; and <code>code</code>",
    });
    expect((await ann.state(room, "m.room.member", heard.sender))?.["displayname"]).toBe("alice");

    await ann.sendHtml(room, "hello Slack <!channel>", "hello <b>Slack</b> &lt;!channel&gt;");
    const posted = await channel.waitForMessage(({ author }) => author === "ann", SLOW);
    expect(posted.text).toBe("hello Slack &lt;!channel&gt;");
    expect(posted.raw["blocks"]).toMatchObject([
      {
        type: "rich_text",
        elements: [
          {
            type: "rich_text_section",
            elements: [
              { type: "text", text: "hello " },
              { type: "text", text: "Slack", style: { bold: true } },
              { type: "text", text: " <!channel>" },
            ],
          },
        ],
      },
    ]);
    await ann.send(room, "m.room.message", {
      msgtype: "m.text",
      body: "and you, Alice",
      format: "org.matrix.custom.html",
      formatted_body: `and you, <a href="https://matrix.to/#/${heard.sender}">Alice</a>`,
      "m.mentions": { user_ids: [heard.sender] },
    });
    await channel.waitForMessage(`and you, <@${alice.id}>`, SLOW);
  });

  it("carries edits, reactions and deletions both ways", async () => {
    const { room, channel } = await stage.linked(ann, "changes");
    const alice = stage.slackPerson("alice");
    const said = alice.post("changes", "helo from Slack");
    const heard = await ann.waitForMessage(room, "a text", ({ body }) => body === "helo from Slack");
    alice.edit(said, "hello from Slack");
    const edit = await ann.waitForMessage(room, "its edit", ({ event }) => replaces(event) === heard.eventId);
    expect(edit.content["m.new_content"]).toMatchObject({ body: "hello from Slack" });
    expect(edit.sender).toBe(heard.sender);
    alice.react(said, "tada");
    const reaction = await ann.waitFor("a reaction", (event) => event.type === "m.reaction" && event.roomId === room);
    expect(reaction).toMatchObject({
      sender: heard.sender,
      content: { "m.relates_to": { event_id: heard.eventId, key: "🎉" } },
    });
    alice.unreact(said, "tada");
    await redacted(ann, room, reaction.eventId);
    alice.delete(said);
    await redacted(ann, room, heard.eventId);

    const event = await ann.sendText(room, "helo from Matrix");
    const { ts } = await channel.waitForMessage("helo from Matrix", SLOW);
    await ann.edit(room, event, "hello from Matrix");
    await channel.waitUntil((seen) => seen.message(ts)?.text === "hello from Matrix", SLOW);
    const thumb = await ann.react(room, event, "👍");
    await channel.waitUntil((seen) => seen.message(ts)?.reactions["+1"] !== undefined, SLOW);
    await ann.redact(room, thumb);
    await channel.waitUntil((seen) => seen.message(ts)?.reactions["+1"] === undefined, SLOW);
    await ann.redact(room, event);
    await channel.waitUntil((seen) => seen.message(ts) === undefined, SLOW);
    // Nothing of what ann did came back.
    alice.post("changes", "the end");
    await ann.waitForMessage(room, "the end", ({ body }) => body === "the end");
    const ghosts = (await ann.history(room)).filter(
      ({ sender, type }) => GHOST.test(sender) && type !== "m.room.member",
    );
    expect(ghosts.map(({ type }) => type)).toEqual([
      "m.room.message",
      "m.room.message",
      "m.reaction",
      "m.room.redaction",
      "m.room.redaction",
      "m.room.message",
    ]);
  });

  it("keeps threads threads", async () => {
    const { room, channel } = await stage.linked(ann, "threads");
    const alice = stage.slackPerson("alice");
    const root = alice.post("threads", "the beginning");
    const begun = await ann.waitForMessage(room, "the root", ({ body }) => body === "the beginning");
    alice.reply(root, "in the thread");
    const answer = await ann.waitForMessage(room, "the answer", ({ body }) => body === "in the thread");
    expect(answer.content["m.relates_to"]).toMatchObject({ rel_type: "m.thread", event_id: begun.eventId });
    await ann.send(room, "m.room.message", {
      msgtype: "m.text",
      body: "from Matrix",
      "m.relates_to": {
        rel_type: "m.thread",
        event_id: begun.eventId,
        is_falling_back: true,
        "m.in_reply_to": { event_id: answer.eventId },
      },
    });
    expect((await channel.waitForMessage("from Matrix", SLOW)).threadTs).toBe(root.ts);
    await ann.reply(room, answer.eventId, "a reply");
    expect((await channel.waitForMessage("a reply", SLOW)).threadTs).toBe(root.ts);

    const own = await ann.sendText(room, "begun on Matrix");
    const { ts } = await channel.waitForMessage("begun on Matrix", SLOW);
    alice.reply({ channel: channel.id, ts }, "answered in Slack");
    const second = await ann.waitForMessage(room, "the answer", ({ body }) => body === "answered in Slack");
    expect(second.content["m.relates_to"]).toMatchObject({ rel_type: "m.thread", event_id: own });
  });

  it("carries files both ways, byte by byte", async () => {
    const { room, channel } = await stage.linked(ann, "files");
    const alice = stage.slackPerson("alice");
    const notes = Buffer.from("the notes\n".repeat(20_000));
    alice.upload(
      "files",
      [
        { name: "dot.png", content: PNG },
        { name: "notes.txt", content: notes },
      ],
      { comment: "two files" },
    );
    await ann.waitForMessage(room, "the comment", ({ body }) => body === "two files");
    const picture = await ann.waitForMessage(room, "the picture", ({ body }) => body === "dot.png");
    expect(picture.content).toMatchObject({ msgtype: "m.image", info: { mimetype: "image/png", size: PNG.length } });
    expect(await downloaded(ann, picture)).toEqual(PNG);
    const text = await ann.waitForMessage(room, "the text", ({ body }) => body === "notes.txt");
    expect(text.content["msgtype"]).toBe("m.file");
    expect((await downloaded(ann, text)).equals(notes)).toBe(true);

    const image = { name: "from-matrix.png", bytes: new Uint8Array(PNG), mimeType: "image/png", width: 1, height: 1 };
    await ann.sendImage(room, image);
    const shown = await channel.waitForMessage("from-matrix.png", SLOW);
    expect(shown.author).toBe("ann");
    expect(stage.workspace.file(fileIn(shown.raw))?.content).toEqual(PNG);
    const url = await ann.upload(new Uint8Array(notes), "text/plain", "more.txt");
    const info = { mimetype: "text/plain", size: notes.length };
    await ann.send(room, "m.room.message", { msgtype: "m.file", body: "more.txt", url, info });
    const linked = await channel.waitForMessage(({ text: said }) => said.includes("|more.txt>"), SLOW);
    const id = /\/(F[A-Z0-9]+)\//.exec(linked.text)?.[1] ?? "";
    expect(stage.workspace.file(id)?.content.equals(notes)).toBe(true);
  });

  it("posts what somebody who signed in says as theirs, and lets them say in Matrix what they say in Slack", async () => {
    const { room, channel } = await stage.linked(ann, "puppets", [ben]);
    const bob = stage.slackPerson("bob");
    const event = await ben.sendText(room, "typed in Matrix");
    const posted = await channel.waitForMessage("typed in Matrix", SLOW);
    expect([posted.userId, posted.author]).toEqual([bob.id, "bob"]);
    await ben.edit(room, event, "mended in Matrix");
    await channel.waitUntil((seen) => seen.message(posted.ts)?.text === "mended in Matrix", SLOW);
    await ben.react(room, event, "👍");
    await channel.waitUntil((seen) => seen.message(posted.ts)?.reactions["+1"]?.includes(bob.id) === true, SLOW);

    const said = bob.post("puppets", "typed in Slack");
    const heard = await ann.waitForMessage(room, "what bob says", ({ body }) => body === "typed in Slack");
    expect(heard.sender).toBe(ben.userId);
    bob.edit(said, "mended in Slack");
    const edit = await ann.waitForMessage(room, "the edit", ({ event: seen }) => replaces(seen) === heard.eventId);
    expect(edit.sender).toBe(ben.userId);
    bob.react({ channel: channel.id, ts: posted.ts }, "tada");
    const reaction = await ann.waitFor("bob's reaction", (seen) => keyOf(seen) === "🎉" && seen.roomId === room);
    expect(reaction.sender).toBe(ben.userId);
    bob.delete(said);
    expect((await redacted(ann, room, heard.eventId)).sender).toBe(ben.userId);
    await ben.redact(room, event);
    await channel.waitUntil((seen) => seen.message(posted.ts) === undefined, SLOW);
    // Each was said once, on both sides; ben's ghost never was needed.
    stage.slackPerson("alice").post("puppets", "the end");
    await ann.waitForMessage(room, "the end", ({ body }) => body === "the end");
    const texts = (await ann.history(room)).filter(({ type }) => type === "m.room.message");
    expect(
      texts.map(({ sender }) => (sender === ben.userId ? "ben" : GHOST.test(sender) ? "alice" : "others")),
    ).toEqual(["others", "others", "ben", "ben", "ben", "ben", "alice"]);
    expect(channel.texts()).toEqual(["the end"]);
  });

  it("brings a direct message of somebody who signed in into a room of their own", async () => {
    const alice = stage.slackPerson("alice");
    const bob = stage.slackPerson("bob");
    alice.post("@bob", "psst");
    const first = await ben.waitFor("the message", ({ content }) => content["body"] === "psst");
    expect(first.sender).toMatch(GHOST);
    const room = first.roomId;
    expect(await ben.state(room, "m.room.name")).toMatchObject({ name: "alice" });
    const direct = bob.openDirect("alice");
    await ben.sendText(room, "what is it?");
    expect((await direct.waitForMessage("what is it?", SLOW)).userId).toBe(bob.id);
    bob.post("@alice", "typed in Slack, alone");
    const own = await ben.waitFor("what bob says", ({ content }) => content["body"] === "typed in Slack, alone");
    expect([own.roomId, own.sender]).toEqual([room, ben.userId]);
    const slip = alice.post("@bob", "a slip");
    const { eventId } = await ben.waitFor("the slip", ({ content }) => content["body"] === "a slip");
    alice.delete(slip);
    await redacted(ben, room, eventId);
    alice.upload("@bob", { name: "secret.txt", content: "for you alone" });
    const file = await ben.waitFor("the file", ({ content }) => content["body"] === "secret.txt");
    expect((await downloaded(ben, file)).toString()).toBe("for you alone");
    expect((await ben.joined(room)).toSorted()).toEqual([ben.userId, first.sender, SLACK_BOT].toSorted());
  });

  it("loses, repeats and reorders nothing when the bridge is killed in mid-flight", async () => {
    const count = 24;
    const kills = new Set([5, 11, 18]);
    const { room, channel } = await stage.linked(ann, "killed", [ben]);
    const ids: string[] = [];
    const exchange = async (index: number): Promise<void> => {
      stage.slackPerson(index % 2 === 0 ? "alice" : "bob").post("killed", `in ${index}`);
      ids.push(await (index % 2 === 0 ? ann : ben).sendText(room, `out ${index}`));
    };
    for (let index = 0; index < count; index++) {
      await exchange(index);
      if (!kills.has(index)) continue;
      await stage.matrix.bridge.kill();
      await exchange(++index);
      await stage.matrix.bridge.start();
    }
    await settled(stage, { ann, room, channel });
    const forgotten = stage.matrix.neverHandedOver(ids);
    process.stderr.write(`Synapse, while the bridge was killed, did not hand over ${forgotten} of ${count} events.\n`);
    const speaker = (index: number): string => (index % 2 === 0 ? "ghost" : "ben");
    expect(await inward(ann, room, ben)).toEqual(numbered("in", count, speaker));
    expect(onMatrix(await ann.history(room), "out").map(({ eventId }) => eventId)).toEqual(ids);
    const came = outward(channel);
    const wanted = numbered("out", count, (index) => (index % 2 === 0 ? "ann" : "bob"));
    expect([...came].toSorted()).toEqual([...wanted].toSorted());
    // Synapse may hand over a transaction that it made while it found the bridge again long after later ones.
    const late = new Set(stage.matrix.handedOverLate(ids).map((index) => wanted[index]));
    if (late.size > 0) process.stderr.write(`Synapse handed over ${[...late].join(", ")} after later events.\n`);
    expect(came.filter((text) => !late.has(text))).toEqual(wanted.filter((text) => !late.has(text)));
    expect(channel.texts().filter((text) => text.startsWith("in "))).toHaveLength(count);
  });

  const specified = specValidator() === undefined ? it.skip : it;
  if (specified === it.skip)
    process.stderr.write(
      "SKIPPED: the traffic is not held against the specification, whose data is not beside the project (../shared).\n",
    );
  specified("kept to the specification in all its requests and answers", () => {
    const { outward: out, inward: into, deviations } = stage.matrix;
    expect(Math.min(out.exchanges, into.exchanges)).toBeGreaterThan(0);
    expect(describeDeviations(deviations)).toBe("");
  });
}

/** Waits until a last message has come through both ways, and until Slack has nothing more to hand over. */
async function settled(
  stage: SlackStage,
  where: { readonly ann: Person; readonly room: string; readonly channel: ChannelHandle },
): Promise<void> {
  const { ann, room, channel } = where;
  const round = async (text: string): Promise<void> => {
    await ann.sendText(room, text);
    stage.slackPerson("alice").post(channel.id, text);
    await channel.waitForMessage(({ author, text: said }) => author === "ann" && said === text, {
      timeout: patiently(120_000),
    });
    await ann.waitForMessage(room, `"${text}"`, ({ body, sender }) => GHOST.test(sender) && body === text, 120_000);
  };
  try {
    await round("last");
    await stage.tryLate();
    await round("very last");
  } catch (error) {
    throw new Error(
      `The last messages did not come through. Status: ${JSON.stringify(await stage.matrix.bridge.status())}\nThe end of the log:\n${stage.matrix.bridge.output.slice(-4_000)}`,
      { cause: error },
    );
  }
}

/** What the channel shows of what was said on Matrix, and as whose. */
function outward(channel: ChannelHandle): readonly string[] {
  return channel
    .messages()
    .filter(({ text }) => text.startsWith("out "))
    .map(({ author, text }) => `${author}: ${text}`);
}

/** What the room shows of what was said in Slack, and as whose. */
async function inward(ann: Person, room: string, ben: Person): Promise<readonly string[]> {
  const who = (sender: string): string => (sender === ben.userId ? "ben" : GHOST.test(sender) ? "ghost" : sender);
  return onMatrix(await ann.history(room), "in").map(
    ({ sender, content }) => `${who(sender)}: ${asText(content["body"])}`,
  );
}

function onMatrix(events: readonly SeenEvent[], word: string): readonly SeenEvent[] {
  return events.filter(
    ({ type, content }) => type === "m.room.message" && asText(content["body"]).startsWith(`${word} `),
  );
}

function numbered(word: string, count: number, speaker: (index: number) => string): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${speaker(index)}: ${word} ${index}`);
}

function relation(event: SeenEvent): Readonly<Record<string, unknown>> {
  return asRecord(event.content["m.relates_to"]);
}

/** The event that this one edits. */
function replaces(event: SeenEvent): string | undefined {
  const { rel_type, event_id } = relation(event);
  return rel_type === "m.replace" ? asText(event_id) : undefined;
}

function keyOf(event: SeenEvent): string | undefined {
  return event.type === "m.reaction" ? asText(relation(event)["key"]) : undefined;
}

async function redacted(person: Person, room: string, eventId: string): Promise<SeenEvent> {
  return person.waitFor(
    `the redaction of ${eventId}`,
    (event) => event.roomId === room && event.type === "m.room.redaction" && event.redacts === eventId,
  );
}

/** The bytes of a message's file, as a client gets them. */
async function downloaded(person: Person, { content }: SeenEvent): Promise<Buffer> {
  const url = person.client.mxcUrlToHttp(asText(content["url"]), undefined, undefined, undefined, false, true, true);
  const answer = await fetch(url ?? "", { headers: { authorization: `Bearer ${person.credentials.accessToken}` } });
  if (!answer.ok) throw new Error(`Synapse answered ${answer.status} to a download of ${String(content["url"])}`);
  return Buffer.from(await answer.arrayBuffer());
}

/** The file that a message's image block shows. */
function fileIn(raw: unknown): string {
  return /"slack_file":\{"id":"(\w+)"/.exec(JSON.stringify(raw))?.[1] ?? "";
}
