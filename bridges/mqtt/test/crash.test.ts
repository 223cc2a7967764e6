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

  it("repeats and reorders nothing when the broker is killed, and loses nothing that the broker has not forgotten", async () => {
    stage = await Stage.open(install);
    // Mosquitto confirms a message before it is on its disk. What it still has for one who was away it has not forgotten.
    const witness = await MqttPerson.connect(stage.broker.port, "witness", channel);
    await witness.close();
    await underLoad(
      async () => {
        await stage.broker.kill();
        await stage.broker.start();
      },
      async (total) => {
        const back = await MqttPerson.connect(stage.broker.port, "witness", channel);
        await until(30_000, "the last that the broker kept", () =>
          back.texts(channel).includes(`p${total}`) ? true : undefined,
        );
        await back.close();
        return new Set(back.texts(channel));
      },
    );
  });

  /** Both sides talk all the time; accidents happen in the middle. Then everything must have arrived, once and in order. */
  async function underLoad(
    accident: () => Promise<void>,
    keptByBroker?: (total: number) => Promise<ReadonlySet<unknown>>,
  ): Promise<void> {
    const total = CYCLES * BETWEEN;
    const numbers = Array.from({ length: total }, (_, index) => index + 1);
    let sent = 0;
    const talk = Promise.all([
      (async () => {
        for (const number of numbers) {
          await stage.alice.send(stage.room, "m.room.message", {
            msgtype: "m.text",
            body: `m${number}`,
            "m.mentions": {},
          });
          sent = number;
        }
      })(),
      (async () => {
        for (const number of numbers)
          await stage.person.publish(channel, { id: `p${number}`, from: "bob", text: `p${number}` });
      })(),
    ]);
    const accidents = (async () => {
      for (let cycle = 0; cycle < CYCLES; cycle += 1) {
        const moment = cycle * BETWEEN + 5 + ((cycle * 17) % (BETWEEN - 10));
        await until(120_000, `message ${moment}`, () => (sent >= moment ? true : undefined));
        await accident();
      }
    })();
    await Promise.all([talk, accidents]);
    const fromMatrix = (): unknown[] => stage.person.texts(channel).filter((text) => /^m\d+$/.test(String(text)));
    const fromMqtt = (): string[] => stage.said();
    const last = (): string =>
      `heard on MQTT: ${fromMatrix().length}, shown on Matrix: ${fromMqtt().length} of ${total}\n${stage.bridge.output.slice(-6_000)}`;
    await until(
      120_000,
      "the last message of Matrix",
      () => (fromMatrix().includes(`m${total}`) ? true : undefined),
      last,
    );
    await until(120_000, "the last message of MQTT", () => (fromMqtt().includes(`p${total}`) ? true : undefined), last);
    const kept = await keptByBroker?.(total);
    const shown = new Set(fromMqtt());
    const forgotten = (text: string): boolean => kept !== undefined && !kept.has(text) && !shown.has(text);
    expect(fromMatrix()).toEqual(numbers.map((number) => `m${number}`));
    expect(fromMqtt()).toEqual(numbers.map((number) => `p${number}`).filter((text) => !forgotten(text)));
  }
});
