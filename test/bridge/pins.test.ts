import { afterEach, describe, expect, it } from "@jest/globals";
import { refused, RemoteMessageId, retry, type Outcome, type PinEffect } from "@trestle/core";
import { Stage } from "../faults/stage.js";
import { eventually, happens, Recorder } from "./recorder.js";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

/** A network in which messages can be pinned. */
class PinningNetwork {
  readonly calls: string[] = [];
  /** What comes of pinning a message, where it is not done. */
  readonly answers = new Map<string, (Outcome | Promise<Outcome>)[]>();
  readonly recorder = new Recorder({
    pin: (pin) => this.#take("pin", pin),
    unpin: (pin) => this.#take("unpin", pin),
  });

  #take(kind: string, { target }: PinEffect): Promise<Outcome> {
    this.calls.push(`${kind} ${target}`);
    return Promise.resolve<Outcome>(this.answers.get(target)?.shift());
  }
}

async function open(network: PinningNetwork): Promise<Stage> {
  stage = await Stage.open({ places: 1, network: { handlers: network.recorder.handlers } });
  for (const id of ["m1", "m2", "m3"]) await stage.network.say("channel0", "bob", id, id);
  await eventually(() => stage!.homeserver.room(stage!.room()).messages().length === 3, "all is said");
  return stage;
}

const pinned = (opened: Stage): string[] => {
  const content = opened.homeserver.room(opened.room()).state("m.room.pinned_events")?.content;
  return (content as { pinned?: string[] } | undefined)?.pinned ?? [];
};

/** The event of a message of the network. */
function eventOf(opened: Stage, id: string): string {
  const found = opened.homeserver
    .room(opened.room())
    .messages()
    .find(({ content }) => (content as { body?: unknown }).body === id);
  return found?.["event_id"] as string;
}

const pinOnMatrix = (opened: Stage, ...ids: readonly string[]): Promise<string> =>
  opened.alice.setState(opened.room(), "m.room.pinned_events", { pinned: ids.map((id) => eventOf(opened, id)) });

const changed = (message: string, is: boolean) =>
  happens({ kind: "channel", pin: { message: RemoteMessageId(message), pinned: is } });

describe("a message that is pinned on the network", () => {
  it("is pinned in the room, beside what is pinned there, until it is no longer", async () => {
    const network = new PinningNetwork();
    const opened = await open(network);
    await pinOnMatrix(opened, "m3");
    await opened.network.port.receive(changed("m1", true));
    await opened.network.port.receive(changed("unheard of", true));
    await opened.network.port.receive(changed("m2", true));
    await eventually(() => pinned(opened).length === 3, "all are pinned");
    expect(pinned(opened)).toEqual(["m3", "m1", "m2"].map((id) => eventOf(opened, id)));
    await opened.network.port.receive(changed("m1", false));
    await opened.network.port.receive(changed("m1", false));
    await eventually(() => pinned(opened).length === 2, "it is no longer");
    expect(pinned(opened)).toEqual(["m3", "m2"].map((id) => eventOf(opened, id)));
    // What came from the network does not go back there.
    expect(network.calls).toEqual(["pin m3"]);
  });

  it("is pinned once however the homeserver fails meanwhile", async () => {
    const opened = await open(new PinningNetwork());
    const route = "/state/";
    opened.homeserver.faults.answer({ status: 503 }, { route, fromAppService: true, probability: 0.5 });
    opened.homeserver.faults.drop("after", { route, fromAppService: true, times: 2 });
    for (const id of ["m1", "m2", "m3"]) await opened.network.port.receive(changed(id, true));
    await eventually(() => pinned(opened).length === 3, "all are pinned");
    expect(pinned(opened)).toEqual(["m1", "m2", "m3"].map((id) => eventOf(opened, id)));
  });
});

describe("a message that is pinned on Matrix", () => {
  it("is pinned on the network, and what goes from the list is no longer", async () => {
    const network = new PinningNetwork();
    const opened = await open(network);
    await pinOnMatrix(opened, "m1");
    await pinOnMatrix(opened, "m2", "m1");
    await pinOnMatrix(opened, "m2");
    await opened.alice.setState(opened.room(), "m.room.pinned_events", { pinned: "nonsense" });
    await eventually(() => network.calls.length === 4, "all is told");
    expect(network.calls).toEqual(["pin m1", "pin m2", "unpin m1", "unpin m2"]);
  });

  it("is unpinned there when it was pinned from there", async () => {
    const network = new PinningNetwork();
    const opened = await open(network);
    await opened.network.port.receive(changed("m1", true));
    await eventually(() => pinned(opened).length === 1, "it is pinned");
    await pinOnMatrix(opened);
    await eventually(() => network.calls.length === 1, "it is told");
    expect(network.calls).toEqual(["unpin m1"]);
  });

  it("does not take back what the network pinned after the list was written", async () => {
    const network = new PinningNetwork();
    let answer = (_outcome: Outcome): void => undefined;
    network.answers.set("m3", [new Promise<Outcome>((resolve) => (answer = resolve))]);
    const opened = await open(network);
    await pinOnMatrix(opened, "m3");
    await eventually(() => network.calls.length === 1, "it is tried");
    await opened.network.port.receive(changed("m1", true));
    await eventually(() => pinned(opened).length === 2, "the other one is pinned as well");
    answer(retry("the network is away"));
    await eventually(() => network.calls.length > 1 && network.calls.at(-1) === "pin m3", "it is tried again");
    expect(network.calls).toEqual(["pin m3", "pin m3"]);
    await pinOnMatrix(opened, "m3");
    await eventually(() => network.calls.length > 2, "the other one is taken from the list");
    expect(network.calls.slice(2)).toEqual(["unpin m1"]);
  });

  it("is tried again where the network is away, and does not keep others back that it refuses", async () => {
    const network = new PinningNetwork();
    network.answers.set("m1", [refused("there are too many pins")]);
    network.answers.set("m2", [retry("the network is away")]);
    const opened = await open(network);
    await pinOnMatrix(opened, "m1", "m2", "m3");
    await eventually(() => network.calls.at(-1) === "pin m3", "the last one is told");
    expect(network.calls.filter((call) => call === "pin m2")).toHaveLength(2);
    expect(network.calls.filter((call) => call === "pin m3")).toHaveLength(1);
  });
});
