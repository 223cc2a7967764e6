import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, type ChannelRequest, type CommandCall } from "@trestle/core";
import { Stage, type StageOptions } from "../faults/stage.js";
import { eventually, Recorder } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const bot = "@fakebot:faults.test";

/** A network that makes channels and knows two commands: `archive`, and `nick`, which is for everybody. */
class Managed {
  readonly made: ChannelRequest[] = [];
  readonly archived: CommandCall[] = [];
  readonly named: CommandCall[] = [];
  refusal: string | undefined;

  readonly recorder = new Recorder({
    createChannel: (request) => {
      this.made.push(request);
      if (this.refusal !== undefined) return Promise.reject(new Error(this.refusal));
      return Promise.resolve({ id: ChannelId(`made ${request.name}`), name: `#${request.name}` });
    },
    commands: {
      archive: {
        usage: "[why]",
        summary: "archives the channel",
        run: (call) => {
          this.archived.push(call);
          return this.refusal === undefined ? Promise.resolve("Archived.") : Promise.reject(new Error(this.refusal));
        },
      },
      nick: {
        usage: "<name>",
        summary: "changes what you are called",
        forEverybody: true,
        run: (call) => {
          this.named.push(call);
          return Promise.resolve(`You are called ${call.argument}.`);
        },
      },
    },
  });
}

function open(network: Managed, options: StageOptions = {}): Promise<Stage> {
  return Stage.open({
    places: 1,
    network: { handlers: network.recorder.handlers },
    config: { permissions: { "faults.test": "user" } },
    bridge: { createChannels: "user" },
    ...options,
  });
}

function answers(opened: Stage, room: string): string[] {
  const said = opened.homeserver.room(room).messages();
  return said.filter(({ sender }) => sender === bot).map(({ content }) => String((content as { body?: unknown }).body));
}

async function command(opened: Stage, room: string, line: string, who = opened.alice): Promise<string> {
  const before = answers(opened, room).length;
  await who.sendText(room, line);
  await eventually(() => answers(opened, room).length > before, `an answer to ${line}`);
  return answers(opened, room).at(-1) ?? "";
}

/** A room that is linked to nothing, with the bot in it. */
async function freshRoom(opened: Stage, request: Readonly<Record<string, string>> = {}): Promise<string> {
  const room = await opened.alice.createRoom({ invite: [bot], ...request });
  await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
  return room;
}

describe("a channel made from Matrix", () => {
  it("is made for who asks for it, and linked to their room", async () => {
    const network = new Managed();
    stage = await open(network);
    const room = await freshRoom(stage);
    expect(await command(stage, room, "!fake create")).toMatch(/^Say which channel/);
    expect(await command(stage, room, "!fake create tea time private")).toBe(
      "#tea time was made, and this room is linked to it.",
    );
    expect(network.made).toEqual([
      expect.objectContaining({ name: "tea time", isPrivate: true, effect: expect.any(String) as unknown }),
    ]);
    expect(network.made[0]?.author.userId).toBe(stage.alice.userId);
    await stage.alice.sendText(room, "hello");
    await eventually(() => stage!.network.taken.some(({ channel }) => channel === "made tea time"), "it is bridged");
    expect(await command(stage, room, "!fake create another")).toBe("The room is linked to #tea time already.");
    expect(network.made).toHaveLength(1);
  });

  it("is refused in the network's words", async () => {
    const network = new Managed();
    stage = await open(network);
    network.refusal = "There is a channel #tea already.";
    expect(await command(stage, await freshRoom(stage), "!fake create tea")).toBe("There is a channel #tea already.");
  });

  it("is for those alone whom the operator lets, in rooms that they may link", async () => {
    const network = new Managed();
    stage = await open(network, { bridge: {} });
    expect(await command(stage, await freshRoom(stage), "!fake create tea")).toMatch(/needs the level “admin”/);
    await stage.close();
    stage = await open(network);
    const room = await freshRoom(stage, { preset: "public_chat" });
    const eve = stage.homeserver.createClient("eve");
    await eve.join(room);
    expect(await command(stage, room, "!fake create tea", eve)).toMatch(/^You need power level 50/);
    await stage.close();
    stage = await open(network, { bridge: { createChannels: "nobody" } });
    expect(await command(stage, await freshRoom(stage), "!fake create tea")).toMatch(/^There is no command create/);
    expect(network.made).toEqual([]);
  });

  it("is made once, however often the answer cannot be given", async () => {
    const network = new Managed();
    stage = await open(network);
    const room = await freshRoom(stage);
    stage.homeserver.faults.answer({ status: 503 }, { route: "/send/", fromAppService: true, times: 3 });
    expect(await command(stage, room, "!fake create tea")).toBe("#tea was made, and this room is linked to it.");
    expect(network.made).toHaveLength(1);
  });
});

describe("a command of the network's own", () => {
  it("stands in the help, and is run for the linked channel", async () => {
    const network = new Managed();
    stage = await open(network);
    expect(await command(stage, stage.room(), "!fake help")).toContain("!fake archive [why] – archives the channel");
    expect(await command(stage, stage.room(), "!fake archive no longer needed")).toBe("Archived.");
    expect(network.archived).toEqual([expect.objectContaining({ channel: "channel0", argument: "no longer needed" })]);
    network.refusal = "The app may not archive it.";
    expect(await command(stage, stage.room(), "!fake archive")).toBe("The app may not archive it.");
  });

  it("is refused where the room is not linked, to several channels, or to who may not link it", async () => {
    const network = new Managed();
    stage = await open(network);
    expect(await command(stage, await freshRoom(stage), "!fake archive")).toBe("The room is not linked to anything.");
    await stage.trestle.services.link("fake", stage.room(), "channel7", "operator");
    expect(await command(stage, stage.room(), "!fake archive")).toMatch(/linked to several channels/);
    await stage.trestle.services.unlink("fake", stage.room(), "channel7", "operator");
    const eve = stage.homeserver.createClient("eve");
    await stage.alice.invite(stage.room(), eve.userId);
    await eve.join(stage.room());
    expect(await command(stage, stage.room(), "!fake archive", eve)).toMatch(/^You need power level/);
    expect(network.archived).toEqual([]);
  });

  it("is for whoever may use the bridge where it is about nobody but themselves, and for nobody else", async () => {
    const network = new Managed();
    stage = await open(network, {
      config: { permissions: { "faults.test": "user", "@mallory:faults.test": "relay" } },
    });
    const [eve, mallory] = ["eve", "mallory"].map((name) => stage!.homeserver.createClient(name));
    for (const guest of [eve!, mallory!]) {
      await stage.alice.invite(stage.room(), guest.userId);
      await guest.join(stage.room());
    }
    expect(await command(stage, stage.room(), "!fake nick evie", eve)).toBe("You are called evie.");
    expect(network.named.map(({ author, channel, argument }) => [author.userId, channel, argument])).toEqual([
      [eve!.userId, "channel0", "evie"],
    ]);
    expect(await command(stage, stage.room(), "!fake archive", eve)).toMatch(/^You need power level/);
    expect(await command(stage, stage.room(), "!fake nick mal", mallory)).toMatch(/needs the level “user”/);
    expect([network.named.length, network.archived.length]).toEqual([1, 0]);
  });
});
