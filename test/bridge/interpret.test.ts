import { afterEach, describe, expect, it } from "@jest/globals";
import {
  ChannelId,
  RemoteMessageId,
  RemoteUserId,
  refused,
  retry,
  type Failure,
  type Interpretation,
  type Interpreted,
  type NetworkEvent,
} from "@trestle/core";
import { richTextOf } from "@trestle/rich-text";
import { Stage } from "../faults/stage.js";
import { until } from "../support/bounded.js";
import { eventually } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

type Interpret = (raw: Interpretation) => Promise<Interpreted | readonly NetworkEvent[] | Failure>;

const open = async (interpret: Interpret, places = 1): Promise<Stage> => {
  stage = await Stage.open({ places, network: { handlers: { interpret } }, delivery: { attempts: 3 } });
  return stage;
};

function message(raw: Interpretation, text: string, index = 0, channel: string = raw.channel): NetworkEvent {
  return {
    kind: "message",
    id: RemoteMessageId(`${raw.id}.${index}`),
    channel: ChannelId(channel),
    sender: { id: RemoteUserId("carol"), name: "Carol" },
    content: { type: "text", style: "text", body: richTextOf(text) },
  };
}

const says = (raw: Interpretation): Promise<readonly NetworkEvent[]> =>
  Promise.resolve([message(raw, String(raw.wire))]);

function receive(on: Stage, id: string, wire: unknown, channel = "channel0"): Promise<void> {
  return on.network.port.receive({ kind: "raw", id, channel: ChannelId(channel), wire });
}

function heard(on: Stage, place = 0): string[] {
  return on.homeserver
    .room(on.room(place))
    .messages()
    .map(({ content }) => String((content as { body?: unknown }).body));
}

describe("what is received raw", () => {
  it("comes in order into the room of a conversation that begins with it, while more of it comes", async () => {
    const on = await open((raw) => {
      const event = message(raw, String(raw.wire), 0, "alone");
      return Promise.resolve([{ ...event, directTo: stage?.alice.userId } as NetworkEvent]);
    });
    const texts = Array.from({ length: 40 }, (_, index) => `line ${index}`);
    for (const text of texts) await receive(on, text, text, "alone");
    const room = await until(8_000, "the room of the conversation", async () => {
      const links = await on.trestle.services.list();
      return links.find(({ kind }) => kind === "direct")?.room;
    });
    const said = () =>
      on.homeserver
        .room(room)
        .messages()
        .map(({ content }) => String((content as { body?: unknown }).body));
    await eventually(() => said().length >= texts.length, "all of it arrives");
    expect(said()).toEqual(texts);
  });

  it("is acknowledged before it is interpreted, and makes none, one or several events in order", async () => {
    let open_ = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open_ = resolve));
    const on = await open(async (raw) => {
      await gate;
      return (raw.wire as string[]).map((text, index) => message(raw, text, index));
    });
    await receive(on, "1", ["a", "b"]);
    await receive(on, "2", []);
    await receive(on, "3", ["c"]);
    expect(heard(on)).toEqual([]);
    open_();
    await eventually(() => heard(on).length === 3, "all of it arrives");
    expect(heard(on)).toEqual(["a", "b", "c"]);
  });

  it("is interpreted one at a time in a channel, side by side in two, and once however often it comes", async () => {
    const running = new Map<string, number>();
    const seen: string[] = [];
    let together = 0;
    let meet = (): void => undefined;
    const met = new Promise<void>((resolve) => (meet = resolve));
    const on = await open(async (raw) => {
      seen.push(`${raw.channel} ${raw.id}`);
      running.set(raw.channel, (running.get(raw.channel) ?? 0) + 1);
      expect(running.get(raw.channel)).toBe(1);
      together += 1;
      if (together === 2) meet();
      await met;
      running.set(raw.channel, (running.get(raw.channel) ?? 0) - 1);
      return says(raw);
    }, 2);
    for (const id of ["1", "2", "1", "3"]) {
      await receive(on, `x${id}`, `x${id}`, "channel0");
      await receive(on, `y${id}`, `y${id}`, "channel1");
    }
    await eventually(() => heard(on, 0).length === 3 && heard(on, 1).length === 3, "all of it arrives");
    expect(heard(on, 0)).toEqual(["x1", "x2", "x3"]);
    expect(heard(on, 1)).toEqual(["y1", "y2", "y3"]);
    expect(seen.filter((each) => each.startsWith("channel0"))).toEqual(["channel0 x1", "channel0 x2", "channel0 x3"]);
  });

  it("is kept for a channel that nobody has linked, and may be about others", async () => {
    const on = await open((raw) => Promise.resolve([message(raw, "hello", 0, "channel0")]));
    await receive(on, "1", {}, "the whole workspace");
    await eventually(() => heard(on).length === 1, "it arrives");
  });

  it("waits for a network that must be asked, however long, and holds up its channel alone", async () => {
    let away = true;
    let asked = 0;
    const on = await open((raw) => {
      if (raw.channel !== "channel0" || !away) return says(raw);
      asked += 1;
      return Promise.resolve(retry("the network is away"));
    }, 2);
    await receive(on, "1", "one");
    await receive(on, "2", "two");
    await receive(on, "3", "other", "channel1");
    await eventually(() => asked > 5 && heard(on, 1).length === 1, "it is asked more often than a failure is tried");
    expect(heard(on, 0)).toEqual([]);
    const { homeserver } = await on.trestle.services.status();
    expect(homeserver.reachable).toBe(true);
    away = false;
    on.network.comeBack();
    await eventually(() => heard(on, 0).length === 2, "both arrive");
    expect(heard(on, 0)).toEqual(["one", "two"]);
  });

  it("becomes a dead letter when it throws too often or can never be understood, and what follows goes on", async () => {
    const on = await open((raw) => {
      if (raw.wire === "poison") return Promise.reject(new Error("no idea what this is"));
      if (raw.wire === "nonsense") return Promise.resolve(refused("nobody can know"));
      if (raw.wire === "mistake") return Promise.resolve([{ ...message(raw, "x"), id: RemoteMessageId("") }]);
      return says(raw);
    });
    for (const wire of ["poison", "nonsense", "mistake", "fine"]) await receive(on, wire, wire);
    await eventually(() => heard(on).length === 1, "what follows arrives");
    expect(heard(on)).toEqual(["fine"]);
    const dead = await on.trestle.services.queue.list({ state: "dead" });
    expect(dead.map(({ source, error }) => [source, error])).toEqual([
      ["raw:poison", expect.stringContaining("no idea what this is")],
      ["raw:nonsense", "nobody can know"],
      ["raw:mistake", expect.stringContaining("no usable id")],
    ]);
  });

  it("is interpreted after a restart where it was not before, and repeats no event of it", async () => {
    let crash = true;
    const on = await open(async (raw) => {
      // The first of three events is taken; the process ends before the others are known.
      const events = ["a", "b", "c"].map((text, index) => message(raw, text, index));
      if (!crash) return events;
      const [first] = events;
      if (first) await on.network.port.receive(first);
      return retry("the connection broke off");
    });
    await receive(on, "1", {});
    await eventually(() => heard(on).length === 1, "the first event arrives");
    await on.stop();
    crash = false;
    await on.start();
    await eventually(() => heard(on).length === 3, "all arrive");
    await receive(on, "1", {});
    await on.network.say("channel0", "carol", "last");
    await eventually(() => heard(on).includes("last"), "what came last arrives");
    expect(heard(on)).toEqual(["a", "b", "c", "last"]);
  });

  it("is refused where it is no JSON, too large, or nobody can interpret it", async () => {
    const on = await open(says);
    await expect(receive(on, "1", undefined)).rejects.toThrow("not JSON");
    await expect(receive(on, "1", "x".repeat(1024 * 1024))).rejects.toThrow("at most 1048576");
    await expect(receive(on, "", "x")).rejects.toThrow("no usable id");
    await on.close();
    stage = await Stage.open({ places: 1 });
    await expect(receive(stage, "1", "x")).rejects.toThrow("no interpret");
  });

  it("is remembered with what was made of it, piece by piece", async () => {
    const asked: number[] = [];
    const kept: number[] = [];
    const on = await open((raw) => {
      const { attempt } = raw;
      asked.push(attempt);
      return Promise.resolve({
        events: [message(raw, `piece ${attempt}`, attempt)],
        remember: () => ({ [`piece ${attempt}`]: "told", ...(attempt === 3 && { "piece 1": null }) }),
        kept: () => void kept.push(attempt),
        more: attempt < 3,
      });
    });
    await receive(on, "1", {});
    await eventually(() => heard(on).length === 3, "all pieces arrive");
    expect(heard(on)).toEqual(["piece 1", "piece 2", "piece 3"]);
    expect(asked).toEqual([1, 2, 3]);
    expect(kept).toEqual([1, 2, 3]);
    expect(await on.network.port.storage.keys("piece")).toEqual(["piece 2", "piece 3"]);
  });

  it("is told and remembered together or not at all", async () => {
    const on = await open((raw) =>
      Promise.resolve({
        events: [message(raw, "never told")],
        remember: () => ({ fine: "remembered", tooLong: "x".repeat(70_000) }),
      }),
    );
    await receive(on, "1", {});
    await until(10_000, "it to be given up", async () => {
      const { bridges } = await on.trestle.services.status();
      return bridges[0]?.toMatrix.dead === 1 || undefined;
    });
    expect(heard(on).filter((text) => text === "never told")).toEqual([]);
    expect(await on.network.port.storage.keys("")).toEqual([]);
  });
});
