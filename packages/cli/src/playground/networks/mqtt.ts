import { randomUUID } from "node:crypto";
import { connectAsync, type MqttClient } from "mqtt";
import { readSaid } from "@trestle/mqtt";
import type { NetworkSide, NetworkStage, PlaygroundNetwork } from "../network.js";
import { Timeline } from "../timeline.js";
import { Mosquitto } from "./mosquitto.js";

const CHANNEL = "chat/trestle";
const STATE = `${CHANNEL}/topic`;
const PERSON = "bob";

/** MQTT, with a broker from the machine. */
export const mqtt: PlaygroundNetwork = {
  connector: "mqtt",
  name: "MQTT",
  place: "an MQTT topic",
  person: PERSON,
  open,
};

async function open(stage: NetworkStage): Promise<NetworkSide> {
  const broker = await Mosquitto.start(stage.directory);
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const client = await connectAsync(url, { protocolVersion: 5, clientId: PERSON }).catch(async (error: unknown) => {
    await broker.close();
    throw error;
  });
  client.on("error", (error) => process.stderr.write(`The page's MQTT client: ${error.message}\n`));
  const timeline = await listen(client, stage);
  const publish = async (topic: string, said: object, retain = false): Promise<void> => {
    // Named, so that it is shown once also where the bridge is killed before it has acknowledged it.
    await client.publishAsync(topic, JSON.stringify({ id: randomUUID(), from: PERSON, ...said }), { qos: 1, retain });
  };
  await publish(STATE, { text: stage.topic }, true);
  const address = `-h 127.0.0.1 -p ${broker.port} -t ${CHANNEL} -q 1`;
  return {
    channel: CHANNEL,
    link: CHANNEL,
    settings: { url },
    access: [`mosquitto_sub ${address}`, `mosquitto_pub ${address} -m '{"from":"eve","text":"hello"}'`],
    get state() {
      return timeline.state;
    },
    say: (text, { emote } = {}) => publish(CHANNEL, { text, ...(emote === true && { style: "emote" }) }),
    setTopic: (text) => publish(STATE, { text }, true),
    close: async () => {
      await client.endAsync(true);
      await broker.close();
    },
  };
}

async function listen(client: MqttClient, { tell, heard }: NetworkStage): Promise<Timeline> {
  const timeline = new Timeline("network", PERSON, "", tell);
  let count = 0;
  client.on("message", (topic, payload) => {
    const { from, text, style, via, at = Date.now() } = readSaid(payload);
    const id = `message-${(count += 1)}`;
    if (topic === STATE) {
      timeline.setTopic(text);
      timeline.addHappening(id, `${from} set the topic: ${text}`, at);
      return;
    }
    timeline.addMessage({ id, from: { id: from, name: from }, relayed: via !== undefined, style, text, at });
    heard(text);
  });
  await client.subscribeAsync([CHANNEL, STATE], { qos: 1 });
  return timeline;
}
