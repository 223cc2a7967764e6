import { afterEach, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { Recorder } from "../bridge/recorder.js";
import { until } from "../support/bounded.js";
import { fastClock } from "../support/fast-clock.js";
import { Stage } from "./stage.js";

const ours = { fromAppService: true } as const;

describe("a message of which the homeserver did not say which event it became", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  /** Somebody said something on the network: it is in the room, and Trestle does not know yet. */
  async function unanswered(recorder: Recorder) {
    // Pauses are so long that what waits is seen to wait, however busy the machine is.
    stage = await Stage.open({ places: 1, network: { handlers: recorder.handlers }, clock: fastClock(0.2) });
    // The ghost and all that it needs is there.
    await stage.network.say("channel0", "ann", "before");
    const messages = () => stage.homeserver.room(stage.room()).messages();
    await until(10_000, "the first message", () => messages().length === 1 || undefined);
    const dropped = stage.homeserver.faults.drop("after", { ...ours, route: "/send/" });
    await stage.network.say("channel0", "ann", "hello");
    await until(10_000, "the message", () => (messages().length === 2 && dropped.applied > 0) || undefined);
    return { dropped, event: z.string().parse(messages().at(-1)?.event_id) };
  }

  /** What came about the message waits for it; then the homeserver answers again. */
  async function waitsFor(dropped: { readonly remove: () => void }): Promise<void> {
    const { queue } = stage.trestle.services;
    await until(10_000, "what is about the message to wait", async () => {
      const entries = await queue.list({ direction: "toNetwork", state: "waiting" });
      return entries.length > 0 || undefined;
    });
    dropped.remove();
  }

  it("is taken back on the network where it is redacted before that", async () => {
    const recorder = new Recorder();
    const { dropped, event } = await unanswered(recorder);
    await stage.alice.redact(stage.room(), event);
    await waitsFor(dropped);
    await until(10_000, "the redaction", () => recorder.calls.includes("redact 1") || undefined);
    expect(recorder.calls.filter((call) => call.startsWith("redact"))).toEqual(["redact 1"]);
  });
});
