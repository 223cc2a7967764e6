import { afterEach, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { RemoteMessageId, type NetworkEvent } from "@trestle/core";
import { happens, person, Recorder, text } from "../bridge/recorder.js";
import { until } from "../support/bounded.js";
import { Stage } from "./stage.js";

const ours = { fromAppService: true } as const;

describe("a message of which the homeserver has not said yet which event it became", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  /** Somebody said something on the network: it is in the room, and Trestle does not know yet. */
  async function unanswered(recorder: Recorder) {
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    // The ghost and all that it needs is there.
    await stage.network.say("channel0", "ann", "before");
    const messages = () => stage.homeserver.room(stage.room()).messages();
    await until(10_000, "the first message", () => messages().length === 1 || undefined);
    const held = stage.homeserver.faults.hold({ ...ours, route: "/send/" });
    await stage.network.say("channel0", "ann", "hello");
    await until(10_000, "the message", () => messages().length === 2 || undefined);
    return { held, event: z.string().parse(messages().at(-1)?.event_id) };
  }

  /** What came about the message waits for it; then the homeserver answers again. */
  async function waitsFor(held: { readonly remove: () => void }): Promise<void> {
    const { queue } = stage.trestle.services;
    await until(10_000, "what is about the message to wait", async () => {
      const entries = await queue.list({ direction: "toNetwork", state: "waiting" });
      return entries.length > 0 || undefined;
    });
    held.remove();
  }

  it("is taken back on the network where it is redacted before that", async () => {
    const recorder = new Recorder();
    const { held, event } = await unanswered(recorder);
    await stage.alice.redact(stage.room(), event);
    await waitsFor(held);
    await until(10_000, "the redaction", () => recorder.calls.includes("redact 1") || undefined);
    expect(recorder.calls.filter((call) => call.startsWith("redact"))).toEqual(["redact 1"]);
  });

  it("gets a reaction on the network that came before that", async () => {
    const recorder = new Recorder();
    const { held, event } = await unanswered(recorder);
    await stage.alice.react(stage.room(), event, "👍");
    await waitsFor(held);
    await until(10_000, "the reaction", () => recorder.calls.includes("react 👍") || undefined);
    expect(recorder.calls.filter((call) => call.startsWith("react"))).toEqual(["react 👍"]);
  });

  it("does not hold up what is about messages that no network knows", async () => {
    const recorder = new Recorder();
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers } });
    const old = await stage.alice.sendText(stage.room(), "hello");
    await until(10_000, "the message", () => stage.network.taken.length === 1 || undefined);
    // A state event is no message of any network's.
    const topic = await stage.alice.setTopic(stage.room(), "about nothing");
    await stage.alice.react(stage.room(), topic, "👎");
    await stage.alice.react(stage.room(), old, "👍");
    await until(10_000, "the reaction", () => recorder.calls.includes("react 👍") || undefined);
    expect(recorder.calls.filter((call) => call.startsWith("react"))).toEqual(["react 👍"]);
  });
});

describe("a message that the network has and has not confirmed", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  /** Alice has said something, and is answered with its event. */
  async function unconfirmed(): Promise<{ readonly event: string; readonly target: RemoteMessageId }> {
    stage = await Stage.open({ places: 1 });
    const { network, alice } = stage;
    network.react = () => {
      network.down = true;
      return "takeAndFail";
    };
    const event = await alice.sendText(stage.room(), "hello");
    await until(10_000, "the message", () => network.taken.length === 1 || undefined);
    return { event, target: RemoteMessageId(network.taken[0]?.effect ?? "") };
  }

  /** What came about the message waits for it; then the network answers again. */
  async function waits(): Promise<void> {
    await until(10_000, "what is about the message to wait", async () => {
      const entries = await stage.trestle.services.queue.list({ direction: "toMatrix", state: "waiting" });
      return entries.length > 0 || undefined;
    });
    stage.network.react = () => "take";
    stage.network.comeBack();
  }

  it.each(["replyTo", "thread"] as const)("is what it is that is said about it before that: %s", async (relation) => {
    const { event, target } = await unconfirmed();
    const content = text("so it is");
    await stage.network.port.receive(happens({ kind: "message", sender: person("ann"), content, [relation]: target }));
    await waits();
    const messages = () => stage.homeserver.room(stage.room()).messages();
    await until(20_000, "the answer", () => messages().length === 2 || undefined);
    const relates = z.looseObject({ "m.relates_to": z.looseObject({ event_id: z.string().optional() }) });
    const { "m.relates_to": found } = relates.parse(messages().at(-1)?.content);
    expect(JSON.stringify(found)).toContain(event);
  });

  it("gets a reaction from the network, and loses it, although both come before that", async () => {
    const { target } = await unconfirmed();
    const { network, homeserver } = stage;
    const about = { target, sender: person("ann"), key: "👍" };
    await network.port.receive(happens({ kind: "reaction", ...about }));
    await network.port.receive(happens({ kind: "reactionRemoved", ...about }));
    await waits();
    const timeline = () => homeserver.room(stage.room()).timeline();
    await until(
      20_000,
      "it to be taken back",
      () => timeline().some(({ type }) => type === "m.room.redaction") || undefined,
    );
    const reactions = timeline().filter(({ type }) => type === "m.reaction");
    expect(reactions).toHaveLength(1);
    expect(timeline().find(({ type }) => type === "m.room.redaction")).toMatchObject({
      redacts: reactions[0]?.event_id,
    });
  });
});

describe("a redaction that the homeserver made and did not confirm", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  const about = { target: RemoteMessageId("m1"), sender: person("ann"), key: "👍" };

  /** `unsaid`: so many times the homeserver cannot say what became of the event. */
  async function isMadeOnce(takenBack: NetworkEvent, unsaid = 0): Promise<void> {
    stage = await Stage.open({ places: 1 });
    await stage.network.say("channel0", "ann", "hello", "m1");
    await stage.network.port.receive(happens({ kind: "reaction", ...about }));
    const room = stage.homeserver.room(stage.room());
    const made = (wanted: string) => room.timeline().filter(({ type }) => type === wanted).length;
    await until(10_000, "the reaction", () => made("m.reaction") === 1 || undefined);
    const dropped = stage.homeserver.faults.drop("after", { ...ours, route: "/redact/" });
    const unsure = stage.homeserver.faults.answer({ status: 502 }, { ...ours, route: "/event/", times: unsaid });
    await stage.network.port.receive(takenBack);
    await until(10_000, "the redaction", () => made("m.room.redaction") > 0 || undefined);
    await stage.homeserver.restart({ forgetTransactions: true });
    dropped.remove();
    // What comes behind it shows that it is done.
    await stage.network.say("channel0", "ann", "after it");
    await until(10_000, "what came behind it", () => room.messages().length === 2 || undefined);
    expect(made("m.room.redaction")).toBe(1);
    expect(unsure.applied).toBe(unsaid);
  }

  it.each([
    { of: "a message", takenBack: happens({ kind: "redaction", target: about.target }) },
    { of: "a reaction", takenBack: happens({ kind: "reactionRemoved", ...about }) },
  ])("of $of is not made again by a homeserver that was restarted meanwhile", ({ takenBack }) => isMadeOnce(takenBack));

  it("waits until the homeserver can say whether it was made", () =>
    isMadeOnce(happens({ kind: "redaction", target: about.target }), 2));
});
