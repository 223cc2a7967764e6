import { afterEach, describe, expect, it } from "@jest/globals";
import { uncertain } from "@trestle/core";
import type { Reaction } from "../support/fake-connector.js";
import { until } from "../support/bounded.js";
import { Stage } from "./stage.js";

/** As on IRC, where a server that takes several lines as one message may not be there yet after a restart. */
describe("a message of which nobody knows whether it was sent whole, and which would now be cut in two", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  /** What the network was given of a message whose first attempt, in one piece, becomes `first`. */
  async function given(first: Reaction): Promise<readonly string[]> {
    let cuts = 0;
    stage = await Stage.open({
      places: 1,
      network: { handlers: { split: () => Promise.resolve(cuts++ === 0 ? ["whole"] : ["one half", "the other"]) } },
    });
    const { network, alice } = stage;
    const told: string[] = [];
    let attempts = 0;
    network.react = ({ wire }, text) => {
      const reaction = attempts++ === 0 ? first : "take";
      if (text === "two lines" && typeof reaction === "string") told.push(String(wire));
      return reaction;
    };
    await alice.sendText(stage.room(), "two lines");
    await alice.sendText(stage.room(), "what follows");
    await until(10_000, "what follows", () => network.taken.some(({ text }) => text === "what follows") || undefined);
    return told;
  }

  it("is not said again in parts where it was", async () => {
    expect(await given("takeAndFail")).toEqual(["whole"]);
  });

  it("is said in parts where it was not", async () => {
    expect(await given({ answer: uncertain("the connection broke off") })).toEqual(["one half", "the other"]);
  });
});
