import { afterEach, expect, it, jest } from "@jest/globals";
import { until } from "../../../test/support/bounded.js";
import { realServer } from "../../../test/support/servers/index.js";
import { MqttPerson } from "./support/mqtt-person.js";
import { channel, Stage } from "./support/stage.js";

const mosquitto = await realServer("mosquitto");
const CYCLES = Number(process.env["TRESTLE_CRASH_CYCLES"] ?? 5);
/** How many messages each side says between two accidents. */
const BETWEEN = 40;

/** Resolves when a count has stood still for a second: the last message need not be the last that arrives. */
async function settled(count: () => number): Promise<void> {
  let [known, since] = [count(), performance.now()];
  await until(60_000, "nothing more to arrive", () => {
    if (count() !== known) [known, since] = [count(), performance.now()];
    return performance.now() - since > 1_000 ? true : undefined;
  });
}

mosquitto.describe("under load in both directions, the MQTT bridge", (install) => {
  jest.setTimeout(240_000);
  let stage: Stage;

  afterEach(async () => {
    await stage.close();
  });

  it("loses, repeats and reorders nothing when it is killed again and again", async () => {
    stage = await Stage.open(install);
    await underLoad(async () => {
      await stage.bridge.kill();
      await stage.bridge.start({ ready: false });
    });
  });

  /** Mosquitto 2.0 hands out what it kept over its own restart among what is new: a bare subscriber sees the same. */
  it("loses and repeats nothing when the broker is restarted", async () => {
    stage = await Stage.open(install);
    const { total, fromMatrix, fromMqtt } = await talk(() => stage.broker.restart());
    const numbers = Array.from({ length: total }, (_, index) => index + 1);
    expect(fromMatrix.toSorted()).toEqual(numbers.map((number) => `m${number}`).toSorted());
    expect(fromMqtt.toSorted()).toEqual(numbers.map((number) => `p${number}`).toSorted());
  });

  /**
   * Mosquitto confirms a message before it is on its disk. Killed, it forgets what was not. What it still has for one who
   * was away it has not forgotten.
   */
  it("loses nothing that a broker that is killed has not forgotten, and shows nothing twice", async () => {
    stage = await Stage.open(install);
    const witness = await MqttPerson.connect(stage.broker.port, "witness", channel);
    await witness.close();
    const { total, fromMatrix, fromMqtt } = await talk(async () => {
      await stage.broker.kill();
      await stage.broker.start();
    });
    const back = await MqttPerson.connect(stage.broker.port, "witness", channel);
    await until(30_000, "the last that the broker kept", () =>
      back.texts(channel).includes(`p${total}`) ? true : undefined,
    );
    await back.close();
    const kept = back.texts(channel).map(String);
    expect(fromMqtt).toEqual(expect.arrayContaining(kept.filter((text) => /^p\d+$/.test(text))));
    expect(fromMqtt).toHaveLength(new Set(fromMqtt).size);
    expect(fromMatrix).toEqual(expect.arrayContaining(kept.filter((text) => /^m\d+$/.test(text))));
    // What the broker took, passed on and forgot before it had confirmed it is sent again: one message a kill at most.
    expect(fromMatrix.length - new Set(fromMatrix).size).toBeLessThanOrEqual(CYCLES);
  });

  /** Everything must have arrived, once and in order. */
  async function underLoad(accident: () => Promise<void>): Promise<void> {
    const { total, fromMatrix, fromMqtt } = await talk(accident);
    const numbers = Array.from({ length: total }, (_, index) => index + 1);
    expect(fromMatrix).toEqual(numbers.map((number) => `m${number}`));
    expect(fromMqtt).toEqual(numbers.map((number) => `p${number}`));
  }

  interface Talk {
    /** How many messages each side said: `m1`, `m2`, … and `p1`, `p2`, … */
    readonly total: number;
    /** What was heard on MQTT of those. */
    readonly fromMatrix: readonly string[];
    /** What was shown on Matrix of those. */
    readonly fromMqtt: readonly string[];
  }

  /** Both sides talk all the time; accidents happen in the middle. Resolves when the last of each side has arrived. */
  async function talk(accident: () => Promise<void>): Promise<Talk> {
    const total = CYCLES * BETWEEN;
    const sayOnMatrix = async (): Promise<void> => {
      for (let number = 1; number <= total; number += 1) {
        const content = { msgtype: "m.text", body: `m${number}`, "m.mentions": {} };
        await stage.alice.send(stage.room, "m.room.message", content);
      }
    };
    const sayOnMqtt = async (): Promise<void> => {
      for (let number = 1; number <= total; number += 1)
        await stage.person.publish(channel, { id: `p${number}`, from: "bob", text: `p${number}` });
    };
    const heard = (): string[] =>
      stage.person
        .texts(channel)
        .map(String)
        .filter((text) => /^m\d+$/.test(text));
    const arrived = (): number => Math.min(heard().length, stage.said().length);
    const haveAccidents = async (): Promise<void> => {
      for (let cycle = 0; cycle < CYCLES; cycle += 1) {
        const moment = cycle * BETWEEN + 5 + ((cycle * 17) % (BETWEEN - 10));
        // Counted where they arrive: a process that is killed again and again before it gets anywhere is held for guilty.
        await until(120_000, `message ${moment}`, () => (arrived() >= moment ? true : undefined));
        await accident();
      }
    };
    await Promise.all([sayOnMatrix(), sayOnMqtt(), haveAccidents()]);
    const where = (): string =>
      `heard on MQTT: ${heard().length}, shown on Matrix: ${stage.said().length} of ${total}\n${stage.bridge.output.slice(-6_000)}`;
    const both = (): true | undefined =>
      heard().includes(`m${total}`) && stage.said().includes(`p${total}`) ? true : undefined;
    await until(120_000, "the last message of each side", both, where);
    await settled(() => heard().length + stage.said().length);
    return { total, fromMatrix: heard(), fromMqtt: stage.said() };
  }
});
