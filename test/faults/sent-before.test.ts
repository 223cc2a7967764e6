import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { until } from "../support/bounded.js";
import { expectAllOnceInOrder } from "./settled.js";
import { Stage } from "./stage.js";

jest.setTimeout(120_000);

const sends = { fromAppService: true, route: "/send/" } as const;

/** The homeserver has taken a message, and knows nothing of its transaction any more when it comes again. */
describe("a message that the homeserver took, did not confirm, and forgot", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  it("is found by the next process, although more than a thousand events followed in the room", async () => {
    stage = await Stage.open({ places: 1 });
    const { homeserver, alice } = stage;
    await stage.sayOnNetwork(2);
    await expectAllOnceInOrder(stage);
    const held = homeserver.faults.hold(sends);
    await stage.sayOnNetwork(1);
    await until(10_000, "it", () => homeserver.room(stage.room()).messages().length === 3 || undefined);
    await homeserver.pause();
    held.remove();
    await stage.stop();
    for (let n = 0; n < 1_100; n++)
      homeserver.sendEvent(stage.room(), { sender: alice.userId, type: "org.example.noise", content: { n } });
    await homeserver.start({ forgetTransactions: true });
    await stage.start();
    await stage.sayOnNetwork(2);
    await expectAllOnceInOrder(stage);
  });

  it("is looked for before it is sent again over another connection", async () => {
    stage = await Stage.open({ places: 1 });
    const { faults } = stage.homeserver;
    await stage.sayOnNetwork(2);
    await expectAllOnceInOrder(stage);
    // By the time it comes again the homeserver has forgotten it.
    faults.clientTransactionSweepMs = 1;
    faults.delay(5, sends);
    const dropped = faults.drop("after", { ...sends, times: 1 });
    await stage.sayOnNetwork(2);
    await expectAllOnceInOrder(stage);
    expect(dropped.applied).toBe(1);
  });

  it("is not sent again where it has several parts, and only one that follows was refused", async () => {
    stage = await Stage.open({ places: 1 });
    const { homeserver, network } = stage;
    const { faults } = homeserver;
    const messages = () => homeserver.room(stage.room()).messages();
    const held = faults.hold({ ...sends, times: 1 });
    await network.say("channel0", "ann", "part ".repeat(30_000));
    await until(10_000, "the first part", () => messages().length === 1 || undefined);
    faults.clientTransactionSweepMs = 1;
    faults.delay(5, sends);
    const refused = faults.answer({ status: 429, retryAfterMs: 5 }, { ...sends, times: 1 });
    held.remove();
    await network.say("channel0", "ann", "the end");
    const isEnd = (): boolean => JSON.stringify(messages().at(-1)?.content).includes('"the end"');
    await until(10_000, "what follows", () => isEnd() || undefined);
    expect(refused.applied).toBe(1);
    const effects = messages().map(
      ({ content }) => /"dev.trestle.effect":"([^"]+)"/.exec(JSON.stringify(content))?.[1],
    );
    expect(effects.length).toBeGreaterThan(3);
    expect(new Set(effects).size).toBe(effects.length);
  });
});
