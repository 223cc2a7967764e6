import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import Database from "better-sqlite3";
import { Stage } from "../faults/stage.js";
import { eventually } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const bot = "@fakebot:faults.test";
const secret = "correct horse battery staple";

async function open(): Promise<Stage> {
  return (stage = await Stage.open({
    places: 1,
    config: { permissions: { "*": "user" }, encryptionKey: "a key for tests that is long enough" },
    network: {
      handlers: {
        login: async ({ ask }) => {
          const { password } = await ask([{ id: "password", type: "password", label: "Your password" }]);
          return { name: password === secret ? "ann" : "nobody", secret: { password } };
        },
      },
    },
  }));
}

const said = (opened: Stage, room: string): string[] =>
  opened.homeserver
    .room(room)
    .messages()
    .map(({ content }) => String((content as { body?: unknown }).body));

/** A room of Alice's with the bot, in which she is asked for her password. */
async function beginLogin(opened: Stage): Promise<string> {
  const room = await opened.alice.createRoom({
    invite: [bot],
    is_direct: true,
    preset: "trusted_private_chat",
    power_level_content_override: { users: { [opened.alice.userId]: 100, [bot]: 100 } },
  });
  await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
  await opened.alice.sendText(room, "login");
  await eventually(() => said(opened, room).includes("Your password:"), "the bot asks");
  return room;
}

/** She begins a second time, and signs in. */
async function beginAgain(opened: Stage, room: string): Promise<void> {
  await opened.alice.sendText(room, "login");
  await eventually(
    () => said(opened, room).filter((text) => text === "Your password:").length === 2,
    "the bot asks again",
  );
  await opened.alice.sendText(room, secret);
  await eventually(() => said(opened, room).includes("Signed in as ann."), "alice is signed in");
}

/** The logins under way are on disk afterwards, as a process that was killed leaves them. */
async function stopAsIfKilled(opened: Stage): Promise<void> {
  const file = join(opened.directory, "data", "trestle.db");
  const running = new Database(file, { readonly: true });
  const begun = running.prepare<[], [string, number, string, string]>("SELECT * FROM login_begun").raw().all();
  running.close();
  await opened.stop();
  const left = new Database(file);
  expect(left.prepare("SELECT * FROM login_begun").all()).toEqual([]);
  const add = left.prepare("INSERT INTO login_begun VALUES (?, ?, ?, ?)");
  for (const row of begun) add.run(...row);
  left.close();
}

describe("a password that is typed into a login", () => {
  it("is not asked for in a room that is linked, where the network would hear it", async () => {
    const opened = await open();
    await opened.alice.sendText(opened.room(), "!fake login");
    await eventually(
      () => said(opened, opened.room()).some((text) => text.includes("start a direct chat with")),
      "alice is told where to sign in",
    );
    await opened.alice.sendText(opened.room(), "is anybody there?");
    await eventually(() => opened.network.taken.length === 1, "the network hears what she says");
  });

  it("is not told to the network where its room is linked meanwhile", async () => {
    const opened = await open();
    const room = await beginLogin(opened);
    await opened.alice.sendText(room, "!fake link #elsewhere");
    await eventually(() => said(opened, room).some((text) => text.startsWith("This room is now linked")), "the link");
    await opened.alice.sendText(room, secret);
    await eventually(() => said(opened, room).includes("Signed in as ann."), "alice is signed in");
    await opened.alice.sendText(room, "hello");
    await eventually(() => opened.network.taken.length > 0, "the network hears what she says");
    expect(opened.network.taken.map(({ text }) => text)).toEqual(["hello"]);
  });

  it("is taken and removed where the login was begun twice", async () => {
    const opened = await open();
    const room = await beginLogin(opened);
    await beginAgain(opened, room);
    expect(said(opened, room)).not.toContain(secret);
  });

  it("is not waited for by a bridge that stopped, and its person is told so", async () => {
    const opened = await open();
    const room = await beginLogin(opened);
    await opened.stop();
    expect(said(opened, room).at(-1)).toBe("The login failed: The bridge stopped meanwhile. Begin again with: login");
  });

  it("is removed also by the bridge that starts after a crash, which tells its person", async () => {
    const opened = await open();
    const room = await beginLogin(opened);
    await stopAsIfKilled(opened);
    const ended = "The login failed: The bridge stopped meanwhile. Begin again with: login";
    const told = () => said(opened, room).filter((text) => text === ended).length;
    const before = told();
    await opened.start();
    await eventually(() => told() === before + 1, "alice is told");
    await opened.alice.sendText(room, secret);
    await eventually(
      () => said(opened, room).some((text) => text.startsWith("The login ended when the bridge stopped.")),
      "the bot answers",
    );
    expect(said(opened, room)).not.toContain(secret);
    await opened.alice.sendText(room, "status");
    await eventually(
      () => said(opened, room).some((text) => text.includes("connected")),
      "commands are commands again",
    );
    await beginAgain(opened, room);
    await opened.stop();
    await opened.start();
    await opened.alice.sendText(room, "logins");
    await eventually(() => said(opened, room).some((text) => text.startsWith("ann – sign out")), "the bot answers");
    expect(told()).toBe(before + 1);
  });

  it("is one also where it begins like a command", async () => {
    const opened = await open();
    const room = await beginLogin(opened);
    await opened.alice.sendText(room, "status quo ante");
    await eventually(() => said(opened, room).includes("Signed in as nobody."), "it is taken");
    expect(said(opened, room)).not.toContain("status quo ante");
  });

  it("is removed also where it is an edit: of what was typed before, and of the answer when the login is over", async () => {
    const opened = await open();
    const room = await beginLogin(opened);
    const { alice } = opened;
    await alice.edit(room, await alice.sendText(room, "help"), secret);
    await eventually(
      () => said(opened, room).some((text) => text.startsWith("An edit is not read, and I removed it")),
      "it is removed",
    );
    const answer = await alice.sendText(room, "correct hrose");
    await eventually(() => said(opened, room).includes("Signed in as nobody."), "the login is over");
    await alice.edit(room, answer, secret);
    await eventually(
      () => said(opened, room).filter((text) => text.startsWith("An edit is not read, and I removed it")).length === 2,
      "it is removed",
    );
    expect(JSON.stringify(opened.homeserver.room(room).timeline())).not.toContain(secret);
  });

  it("is not repeated by the bot where no login waits for it any more", async () => {
    const opened = await open();
    const room = await beginLogin(opened);
    await opened.alice.sendText(room, "cancel");
    await opened.alice.sendText(room, secret);
    await eventually(
      () => said(opened, room).some((text) => text.startsWith("That is no command.")),
      "the bot answers",
    );
    expect(said(opened, room).filter((text) => text.includes("correct"))).toEqual([secret]);
  });
});

describe("a command", () => {
  it("that makes one of a message, or another one of a command, is neither carried out nor told to the network", async () => {
    const opened = await open();
    const { alice } = opened;
    const room = opened.room();
    const typed = await alice.sendText(room, "!fake hlep");
    const hello = await alice.sendText(room, "hello");
    for (const target of [typed, hello]) await alice.edit(room, target, "!fake help");
    await eventually(
      () => said(opened, room).filter((text) => text.startsWith("An edit is not read.")).length === 2,
      "the bot answers",
    );
    expect(said(opened, room).some((text) => text.startsWith("This is the bridge"))).toBe(false);
    await alice.sendText(room, "behind it");
    await eventually(
      () => opened.network.taken.some(({ text }) => text === "behind it"),
      "the network hears what she says",
    );
    expect(opened.network.taken.map(({ text }) => text)).toEqual(["hello", "behind it"]);
  });

  it("is one also in an answer before which the client repeats what is answered", async () => {
    const opened = await open();
    const room = opened.room();
    await opened.alice.sendText(room, "> <@bob:faults.test> what can it do?\n\n!fake help");
    await eventually(() => said(opened, room).some((text) => text.startsWith("This is the bridge")), "the bot answers");
    expect(opened.network.taken).toEqual([]);
  });
});
