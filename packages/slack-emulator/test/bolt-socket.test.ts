import { afterEach, describe, expect, it } from "@jest/globals";
import { SlackEmulator } from "@trestle/slack-emulator";
import { type BoltApp, socketApp } from "./support/bolt.js";
import { patiently } from "../../../test/support/bounded.js";

let slack: SlackEmulator | undefined;
let bolt: BoltApp | undefined;

afterEach(async () => {
  await bolt?.stop();
  bolt = undefined;
  await slack?.stop();
});

async function start(
  options: ConstructorParameters<typeof SlackEmulator>[0] = {},
): Promise<{ slack: SlackEmulator; bolt: BoltApp }> {
  slack = await SlackEmulator.start(options);
  bolt = socketApp(slack);
  return { slack, bolt };
}

describe("unmodified bolt in Socket Mode", () => {
  it("gets what a person posts, acknowledges it and answers", async () => {
    const { slack, bolt } = await start();
    bolt.message("hello", async ({ message, say }) => {
      await say({ text: `hi, got ${message.ts}`, thread_ts: message.ts });
    });
    await bolt.start();
    const said = slack.workspace().person("alice").post("general", "hello");
    const answer = await slack.workspace().channel("general").waitForMessage(`hi, got ${said.ts}`);
    expect([answer.threadTs, answer.author]).toEqual([said.ts, "Test App"]);
    await slack.settled();
    expect(
      new Set(
        slack
          .app()
          .deliveries()
          .map((delivery) => delivery.state),
      ),
    ).toEqual(new Set(["delivered"]));
    expect(slack.calls("chat.postMessage")).toHaveLength(1);
  });

  it("hears of everything people do", async () => {
    const { slack, bolt } = await start();
    const heard: string[] = [];
    bolt.use(async ({ body, next }) => {
      const { event } = body as { event?: { type: string; subtype?: string } };
      if (event !== undefined) heard.push(event.subtype === undefined ? event.type : `${event.type}/${event.subtype}`);
      await next();
    });
    await bolt.start();
    const alice = slack.workspace().person("alice");
    const bob = slack.workspace().person("bob");
    const said = alice.post("general", "hello");
    bob.reply(said, "reply");
    bob.reply(said, "for all", { broadcast: true });
    alice.edit(said, "hello all");
    bob.react(said, "tada");
    bob.unreact(said, "tada");
    alice.upload("general", { name: "a.txt", content: "a" });
    alice.delete(said);
    bob.leave("random");
    bob.join("random");
    await slack.settled();
    expect(heard).toEqual([
      "message",
      "message",
      "message/message_replied",
      "message/thread_broadcast",
      "message/message_replied",
      "message/message_changed",
      "reaction_added",
      "reaction_removed",
      "file_shared",
      "message/file_share",
      // The parent of a thread leaves a tombstone.
      "message/message_changed",
      "member_left_channel",
      "message/channel_leave",
      "member_joined_channel",
      "message/channel_join",
    ]);
  });

  it("gets the second event of a link: a change that is no edit", async () => {
    const { slack, bolt } = await start();
    slack.workspace().setUnfurl("https://example.org/", { title: "An example", fallback: "An example" });
    const changes: unknown[] = [];
    bolt.event("message", async ({ event }) => {
      if (event.subtype === "message_changed") changes.push(event.message);
    });
    await bolt.start();
    slack.workspace().person("alice").post("general", "see <https://example.org/x>");
    await slack
      .workspace()
      .channel("general")
      .waitForMessage((message) => message.raw.attachments !== undefined);
    await slack.settled();
    expect(changes).toEqual([
      expect.objectContaining({
        attachments: [expect.objectContaining({ title: "An example", from_url: "https://example.org/x" })],
      }),
    ]);
    expect(changes[0]).not.toHaveProperty("edited");
  });

  it("is told the whole second of an edit alone, which two may have in common", async () => {
    const { slack, bolt } = await start({ clock: "frozen" });
    const edits: { text: string | undefined; edited: string | undefined; at: string }[] = [];
    bolt.event("message", async ({ event }) => {
      if (event.subtype !== "message_changed" || !("edited" in event.message)) return;
      edits.push({ text: event.message.text, edited: event.message.edited.ts, at: event.event_ts });
    });
    await bolt.start();
    const alice = slack.workspace().person("alice");
    const said = alice.post("general", "hello");
    alice.edit(said, "hello you");
    alice.edit(said, "hello all");
    await slack.settled();
    const edited = `${said.ts.slice(0, said.ts.indexOf("."))}.000000`;
    expect(edits.map(({ at: _at, ...edit }) => edit)).toEqual([
      { text: "hello you", edited },
      { text: "hello all", edited },
    ]);
    expect(new Set(edits.map(({ at }) => at)).size).toBe(2);
  });

  it("loses nothing when Slack refreshes its connection, as Slack sends again", async () => {
    const { slack, bolt } = await start();
    const heard = new Set<string>();
    bolt.message(async ({ message }) => {
      if ("text" in message) heard.add(message.text ?? "");
    });
    await bolt.start();
    slack.workspace().person("alice").post("general", "before");
    slack.app().askToLeave("refresh_requested");
    for (let n = 0; n < 5; n++) slack.workspace().person("alice").post("general", `meanwhile ${n}`);
    await until(() => slack.app().connections === 0);
    await slack.app().waitForConnections(1);
    slack.clock.advance(60_000);
    await slack.settled();
    expect([...heard].sort()).toEqual([
      "before",
      "meanwhile 0",
      "meanwhile 1",
      "meanwhile 2",
      "meanwhile 3",
      "meanwhile 4",
    ]);
  });

  it("is given no event for channels its bot is not in, nor without the scope", async () => {
    const { slack, bolt } = await start({
      workspaces: [
        {
          domain: "acme",
          users: [{ name: "alice" }],
          channels: [{ name: "in" }, { name: "out" }, { name: "secret", private: true }],
        },
      ],
      apps: [
        {
          name: "Test App",
          botScopes: ["channels:history", "chat:write", "connections:write"],
          installations: [{ workspace: "acme", channels: ["in", "secret"] }],
        },
      ],
    });
    const heard: (string | undefined)[] = [];
    bolt.message(async ({ message }) => void heard.push("text" in message ? message.text : undefined));
    await bolt.start();
    for (const channel of ["out", "secret", "in"]) slack.workspace().person("alice").post(channel, channel);
    await slack.settled();
    expect(heard).toEqual(["in"]);
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + patiently(10_000); !condition();) {
    if (Date.now() > deadline) throw new Error("Waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
