import { afterEach, describe, expect, it } from "@jest/globals";
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
    await opened.alice.sendText(room, "login");
    await eventually(
      () => said(opened, room).filter((text) => text === "Your password:").length === 2,
      "the bot asks again",
    );
    await opened.alice.sendText(room, secret);
    await eventually(() => said(opened, room).includes("Signed in as ann."), "alice is signed in");
    expect(said(opened, room)).not.toContain(secret);
  });

  it("is not waited for by a bridge that stopped, and its person is told so", async () => {
    const opened = await open();
    const room = await beginLogin(opened);
    await opened.stop();
    expect(said(opened, room).at(-1)).toBe("The login failed: The bridge stopped meanwhile. Begin again with: login");
  });

  it("is one also where it begins like a command", async () => {
    const opened = await open();
    const room = await beginLogin(opened);
    await opened.alice.sendText(room, "status quo ante");
    await eventually(() => said(opened, room).includes("Signed in as nobody."), "it is taken");
    expect(said(opened, room)).not.toContain("status quo ante");
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
