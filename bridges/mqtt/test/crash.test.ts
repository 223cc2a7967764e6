import { afterEach, expect, it, jest } from "@jest/globals";
import { until } from "../../../test/support/bounded.js";
import { realServer } from "../../../test/support/servers/index.js";
import { MqttPerson } from "./support/mqtt-person.js";
import { channel, Stage } from "./support/stage.js";

const mosquitto = await realServer("mosquitto");
const CYCLES = Number(process.env["TRESTLE_CRASH_CYCLES"] ?? 5);
/** How many messages each side says between two accidents. */
const BETWEEN = 40;

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

  it("loses, repeats and reorders nothing when the broker is restarted", async () => {
    stage = await Stage.open(install);
    await underLoad(() => stage.broker.restart());
  });

  /**
   * Mosquitto confirms a message before it is on its disk. Killed, it forgets what was not, and hands out the rest in
   * another order (a bare subscriber sees the same). What it still has for one who was away it has not forgotten.
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
    let sent = 0;
    const sayOnMatrix = async (): Promise<void> => {
      for (let number = 1; number <= total; number += 1) {
        const content = { msgtype: "m.text", body: `m${number}`, "m.mentions": {} };
        await stage.alice.send(stage.room, "m.room.message", content);
        sent = number;
      }
    };
    const sayOnMqtt = async (): Promise<void> => {
      for (let number = 1; number <= total; number += 1)
        await stage.person.publish(channel, { id: `p${number}`, from: "bob", text: `p${number}` });
    };
    const haveAccidents = async (): Promise<void> => {
      for (let cycle = 0; cycle < CYCLES; cycle += 1) {
        const moment = cycle * BETWEEN + 5 + ((cycle * 17) % (BETWEEN - 10));
        await until(120_000, `message ${moment}`, () => (sent >= moment ? true : undefined));
        await accident();
      }
    };
    await Promise.all([sayOnMatrix(), sayOnMqtt(), haveAccidents()]);
    const heard = (): string[] =>
      stage.person
        .texts(channel)
        .map(String)
        .filter((text) => /^m\d+$/.test(text));
    const where = (): string =>
      `heard on MQTT: ${heard().length}, shown on Matrix: ${stage.said().length} of ${total}\n${stage.bridge.output.slice(-6_000)}`;
    const both = (): true | undefined =>
      heard().includes(`m${total}`) && stage.said().includes(`p${total}`) ? true : undefined;
    await until(120_000, "the last message of each side", both, where);
    return { total, fromMatrix: heard(), fromMqtt: stage.said() };
  }
});
