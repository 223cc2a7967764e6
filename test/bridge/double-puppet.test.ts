import { afterEach, describe, expect, it } from "@jest/globals";
import { RemoteMessageId, RemoteUserId } from "@trestle/core";
import { Stage } from "../faults/stage.js";
import { eventually, happens, person, Recorder, text } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const bot = "@fakebot:faults.test";
const token = "as-token-of-the-double-puppets";
const puppetRegistration = {
  id: "double-puppet",
  url: null,
  as_token: token,
  hs_token: "hs-token-of-the-double-puppets",
  sender_localpart: "trestle-double-puppet",
  rate_limited: false,
  namespaces: { users: [{ exclusive: false, regex: "^@.*:faults\\.test$" }], aliases: [], rooms: [] },
};
/** Alice signs in as `ann` of the network, through her room with the bot. */
async function signedIn(recorder = new Recorder(), doublePuppetToken = token): Promise<Stage> {
  const opened = await Stage.open({
    places: 1,
    registrations: [puppetRegistration],
    homeserverConfig: { doublePuppetToken },
    config: { permissions: { "*": "user" }, encryptionKey: "a key for tests that is long enough" },
    network: {
      handlers: {
        ...recorder.handlers,
        login: async ({ ask }) => {
          const { name } = await ask([{ id: "name", type: "username", label: "Your name" }]);
          return { name, remoteUser: RemoteUserId(name), secret: {} };
        },
        logout: () => Promise.resolve(),
      },
    },
  });
  await signIn(opened, opened.alice);
  return opened;
}

/** Resolves to the room in which somebody did so. */
async function signIn(opened: Stage, client: Stage["alice"]): Promise<string> {
  const room = await client.createRoom({ invite: [bot], is_direct: true, preset: "trusted_private_chat" });
  await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
  await client.sendText(room, "login");
  await eventually(() => bodies(opened, room).includes("Your name:"), "the bot asks");
  await client.sendText(room, "ann");
  await eventually(() => bodies(opened, room).includes("Signed in as ann."), "they are signed in");
  return room;
}

const bodies = (opened: Stage, room = opened.room()): string[] =>
  opened.homeserver
    .room(room)
    .messages()
    .map((event) => String((event.content as { body?: unknown }).body));
const senderOf = (opened: Stage, body: string): string | undefined =>
  opened.homeserver
    .room(opened.room())
    .messages()
    .filter((event) => (event.content as { body?: unknown }).body === body)
    .map(({ sender }) => (typeof sender === "string" ? sender : ""))[0];

describe("somebody who signed in on the network", () => {
  it("says in Matrix as themselves what they say there, and nothing of it goes back", async () => {
    const recorder = new Recorder();
    stage = await signedIn(recorder);
    await stage.network.say("channel0", "ann", "mine", "m1");
    await stage.network.say("channel0", "bob", "not mine");
    await eventually(() => bodies(stage!).includes("not mine"), "both arrive");
    expect(senderOf(stage, "mine")).toBe(stage.alice.userId);
    expect(senderOf(stage, "not mine")).toBe("@fake_bob:faults.test");

    const edited = {
      kind: "edit",
      sender: person("ann"),
      target: RemoteMessageId("m1"),
      content: text("mended"),
    } as const;
    await stage.network.port.receive(happens(edited));
    await stage.network.port.receive(
      happens({ kind: "reaction", sender: person("ann"), target: RemoteMessageId("m1"), key: "👍" }),
    );
    await eventually(() => reactions(stage!).length === 1, "the reaction arrives");
    expect(reactions(stage)).toEqual([stage.alice.userId]);
    await stage.network.port.receive(
      happens({ kind: "reactionRemoved", sender: person("ann"), target: RemoteMessageId("m1"), key: "👍" }),
    );
    await stage.network.port.receive(
      happens({ kind: "redaction", sender: person("ann"), target: RemoteMessageId("m1") }),
    );
    await eventually(() => redactors(stage!).length === 2, "both are taken back");
    expect(redactors(stage)).toEqual([stage.alice.userId, stage.alice.userId]);

    await stage.alice.sendText(stage.room(), "typed in Matrix");
    await eventually(() => stage!.network.taken.length > 0, "what she types in Matrix crosses");
    expect(stage.network.taken.map((message) => message.text)).toEqual(["typed in Matrix"]);
    expect(recorder.calls.filter((call) => call.startsWith("edit") || call.startsWith("react"))).toEqual([]);
  });

  it("is spoken for by a ghost where the homeserver refuses", async () => {
    stage = await signedIn(new Recorder(), "not-a-token-of-anybody");
    await stage.network.say("channel0", "ann", "first");
    await stage.network.say("channel0", "ann", "second");
    await eventually(() => bodies(stage!).includes("second"), "nothing is lost");
    expect(bodies(stage)).toEqual(["first", "second"]);
    expect(senderOf(stage, "first")).toBe("@fake_ann:faults.test");
  });

  it("stays themselves when somebody else who signed in as the same person signs out", async () => {
    stage = await signedIn();
    const zoe = stage.homeserver.createClient("zoe");
    const room = await signIn(stage, zoe);
    await zoe.sendText(room, "logout");
    await eventually(() => bodies(stage!, room).some((line) => line.startsWith("Signed out")), "zoe is signed out");
    await stage.network.say("channel0", "ann", "mine");
    await eventually(() => bodies(stage!).includes("mine"), "it arrives");
    expect(senderOf(stage, "mine")).toBe(stage.alice.userId);
  });

  it("crosses what they forward by hand, although it carries the bridge's mark", async () => {
    stage = await signedIn();
    await stage.network.say("channel0", "ann", "hello");
    await eventually(() => bodies(stage!).includes("hello"), "it arrives");
    const [original] = stage.homeserver.room(stage.room()).messages();
    const other = await stage.alice.createRoom({
      invite: [bot],
      power_level_content_override: { users: { [stage.alice.userId]: 100, [bot]: 100 } },
    });
    await eventually(() => stage!.homeserver.room(other).members()[bot] === "join", "the bot accepts the invite");
    await stage.alice.sendText(other, "!fake link channel1");
    await eventually(() => bodies(stage!, other).some((line) => line.includes("now linked")), "the room is linked");
    await stage.alice.send(other, "m.room.message", original!.content as Parameters<Stage["alice"]["send"]>[2]);
    await eventually(() => stage!.network.taken.some(({ channel }) => channel === "channel1"), "it crosses");
  });
});

function reactions(opened: Stage): string[] {
  return eventsOf(opened, "m.reaction");
}

function redactors(opened: Stage): string[] {
  return eventsOf(opened, "m.room.redaction");
}

function eventsOf(opened: Stage, type: string): string[] {
  return opened.homeserver
    .room(opened.room())
    .timeline()
    .filter((event) => event.type === type)
    .map(({ sender }) => (typeof sender === "string" ? sender : ""));
}
