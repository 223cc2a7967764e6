import { afterEach, describe, expect, it } from "@jest/globals";
import { RemoteUserId, type Login, type LoginSession } from "@trestle/core";
import { Stage } from "../faults/stage.js";
import { eventually } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const bot = "@fakebot:faults.test";

/** A network that signs everybody in at once, or waits for ever. */
async function open(signedIn: Login[], sessions: LoginSession[] = []): Promise<{ opened: Stage; room: string }> {
  const opened = await Stage.open({
    places: 1,
    config: { permissions: { "*": "user" }, encryptionKey: "a key for tests that is long enough" },
    network: {
      handlers: {
        login: async (session) => {
          sessions.push(session);
          await session.say("Open a link.");
          if (sessions.length > 1) await new Promise(() => undefined);
          return { name: "ann", remoteUser: RemoteUserId("ann"), secret: { token: "old" } };
        },
        signedIn: (login) => {
          signedIn.push(login);
          return Promise.resolve();
        },
      },
    },
  });
  const room = await opened.alice.createRoom({ invite: [bot], is_direct: true, preset: "trusted_private_chat" });
  await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
  await opened.alice.sendText(room, "login");
  await eventually(() => said(opened, room).some((text) => text.includes("Signed in as ann")), "alice is signed in");
  return { opened, room };
}

const said = (opened: Stage, room: string): string[] =>
  opened.homeserver
    .room(room)
    .messages()
    .map(({ content }) => String((content as { body?: unknown }).body));

describe("a login that the connector keeps alive", () => {
  it("is told of, gets another secret, and ends with a word to its user", async () => {
    const signedIn: Login[] = [];
    const { opened, room } = await open(signedIn);
    stage = opened;
    const [login] = signedIn;
    expect(login).toMatchObject({ user: opened.alice.userId, account: { name: "ann", secret: { token: "old" } } });
    const { port } = opened.network;
    await port.renewLogin(login!.id, { token: "new" });
    expect((await port.logins())[0]?.account.secret).toEqual({ token: "new" });
    await port.endLogin(login!.id, "the network says so.");
    expect(await port.logins()).toEqual([]);
    await eventually(
      () => said(opened, room).includes("You are no longer signed in as ann: the network says so."),
      "alice is told",
    );
    // What is gone stays gone.
    await port.renewLogin(login!.id, { token: "late" });
    await port.endLogin(login!.id, "again");
    expect(await port.logins()).toEqual([]);
  });

  it("aborts the signal of a login that is given up", async () => {
    const sessions: LoginSession[] = [];
    const { opened, room } = await open([], sessions);
    stage = opened;
    await opened.alice.sendText(room, "logout");
    await eventually(() => said(opened, room).some((text) => text.startsWith("Signed out")), "alice is signed out");
    await opened.alice.sendText(room, "login");
    await eventually(() => sessions.length === 2, "the second login begins");
    expect(sessions[1]?.signal.aborted).toBe(false);
    await opened.alice.sendText(room, "cancel");
    await eventually(() => sessions[1]?.signal.aborted === true, "the login is given up");
  });
});
