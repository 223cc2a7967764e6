import { randomUUID } from "node:crypto";
import { ChannelId, defineConnector, parseJson, refused, RemoteMessageId, RemoteUserId } from "@trestle/core";
import { retry, textContent, uncertain, type ChannelLink, type Network, type Outcome } from "@trestle/core";
import { toPlainText } from "@trestle/rich-text";
import { connect, ErrorWithReasonCode, type IPublishPacket, type MqttClient } from "mqtt";
import { z } from "zod";

const saidSchema = z.object({
  id: z.string().min(1).max(200).default(randomUUID),
  from: z.string().trim().min(1).max(100),
  text: z.string(),
  style: z.enum(["text", "notice", "emote"]).default("text"),
  at: z.int().nonnegative().default(Date.now),
  via: z.string().optional(),
});

/** What somebody says. `at` is in milliseconds since 1970, `via` names the bridge it came through. */
export type Said = z.output<typeof saidSchema>;

/** Reads a payload. One of another kind is shown as it stands: a sensor's `21.5` is said by nobody in particular. */
export function readSaid(text: string): Said {
  return parseJson(text, saidSchema) ?? saidSchema.parse({ from: "anonymous", text });
}

/** The channel `chat/lobby` is the MQTT topic `chat/lobby`; what is retained under `chat/lobby/topic` is its topic. */
const STATE = "/topic";
/** Not authorized, topic name invalid, payload format invalid (MQTT 5, section 2.4): another try changes nothing. */
const FINAL_REFUSALS = [0x87, 0x90, 0x99];

/** The MQTT bridge. */
export default defineConnector({
  network: "mqtt",
  displayName: "MQTT",
  config: z.strictObject({
    url: z.url({ protocol: /^mqtts?$/ }).describe("The broker: mqtt://host:1883, or mqtts://host:8883 with TLS"),
    username: z.string().exactOptional().describe("The broker's name for the bridge"),
    password: z.string().exactOptional().describe("The password of that name"),
    clientId: z.optional(z.string().regex(/^[\w.-]{1,64}$/)).describe("The session's name: no other bridge may use it"),
  }),
  connect({ config: { url, clientId, ...credentials }, network }) {
    const via = clientId ?? `trestle-${network.bridge.serverName}-${network.bridge.name}`;
    const client = connect(url, {
      ...credentials,
      protocolVersion: 5,
      clientId: via,
      // The broker keeps what comes while the bridge is away, however long.
      clean: false,
      properties: { sessionExpiryInterval: 0xffff_ffff, maximumPacketSize: 65_536 },
      resubscribe: false,
      reconnectOnConnackError: true,
    });
    const broker = listen(client, via, network);

    async function publish(topic: string, said: Said, retain = false): Promise<Outcome> {
      if (!broker.ready) return retry("the broker does not answer");
      try {
        await client.publishAsync(topic, JSON.stringify({ ...said, via }), { qos: 1, retain });
        return { id: RemoteMessageId(said.id) };
      } catch (error) {
        if (!(error instanceof ErrorWithReasonCode)) return uncertain("the broker went away before it confirmed it");
        return FINAL_REFUSALS.includes(error.code) ? refused(error.message) : retry(error.message);
      }
    }

    return {
      message({ channel, content: { body, style }, author, effect, at, signal }) {
        // Only a new connection shows whether the broker took what the core has given up.
        signal.addEventListener("abort", () => client.stream.destroy());
        return publish(channel, { id: effect, from: author.name, text: toPlainText(body), style, at });
      },
      topic({ channel, topic, author, effect, at }) {
        return publish(channel + STATE, { id: effect, from: author.name, text: topic, style: "text", at }, true);
      },
      async findSent({ channel, effect }) {
        if (!broker.ready) throw new Error("the broker does not answer");
        return (await network.storage.get(`sent:${channel}`)) === effect ? { id: RemoteMessageId(effect) } : null;
      },
      linked: (link) => subscribe(client, link),
      async unlinked({ channel }) {
        if (client.connected) await client.unsubscribeAsync([channel, channel + STATE]);
      },
      async resolveChannel(text) {
        if (/^$|[+#\0]|^\$|\/topic$/.test(text)) throw new Error("Type a topic without + and #, such as chat/lobby");
        return Promise.resolve({ id: ChannelId(text), name: text });
      },
      close: () => client.endAsync(),
    };
  },
});

async function subscribe(client: MqttClient, { channel }: ChannelLink): Promise<void> {
  // A retained message is old; a retained topic is news where the subscription is new.
  const topics = { [channel]: { qos: 1, rh: 2 }, [channel + STATE]: { qos: 1, rh: 1 } } as const;
  if (client.connected) await client.subscribeAsync(topics);
}

/** Passes on what the broker has. `ready`: all that it had when the connection began, also of our own, is here. */
function listen(client: MqttClient, via: string, network: Network): { readonly ready: boolean } {
  const broker = { ready: false };
  const fenceTopic = `trestle/${via}/fence`;
  const fences = new Map<string, () => void>();

  async function begin(): Promise<void> {
    const fence = randomUUID();
    const isBack = new Promise<void>((resolve) => fences.set(fence, resolve));
    await client.subscribeAsync(fenceTopic, { qos: 1 });
    for (const link of await network.links()) await subscribe(client, link);
    await client.publishAsync(fenceTopic, fence, { qos: 1 });
    network.report({ connection: "broker", state: "connecting", detail: `takes what was kept, up to ${fenceTopic}` });
    await isBack;
    broker.ready = true;
    network.report({ connection: "broker", state: "connected" });
  }

  async function take({ topic, payload }: IPublishPacket): Promise<void> {
    const isState = topic.endsWith(STATE);
    const channel = ChannelId(isState ? topic.slice(0, -STATE.length) : topic);
    const said = readSaid(payload.toString());
    const sender = { id: RemoteUserId(said.from), name: said.from };
    const cause = { id: RemoteMessageId(said.id), channel, at: said.at };
    const content = textContent(said.text, said.style);
    if (topic === fenceTopic) fences.get(said.text)?.();
    else if (said.via === via) await network.storage.set(`sent:${topic}`, said.id);
    else if (isState) await network.receive({ ...cause, kind: "channel", by: sender, topic: said.text });
    else if (said.text !== "") await network.receive({ ...cause, kind: "message", sender, content });
  }

  function breakOff(err: unknown): void {
    network.log.error({ err }, "The connection to the broker begins anew");
    client.stream.destroy();
  }

  client.handleMessage = (packet, acknowledge) => {
    const { stream } = client;
    // On another connection the broker would take it for another message.
    take(packet).then(() => (stream === client.stream ? acknowledge() : undefined), breakOff);
  };
  client.on("connect", () => void begin().catch(breakOff));
  client.on("close", () => {
    broker.ready = false;
    fences.clear();
    // Nobody knows what became of what was under way: the core asks. Left alone, mqtt.js would send it once more.
    for (const id of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(id));
    network.report({ connection: "broker", state: "waiting" });
  });
  client.on("error", ({ message }) => network.report({ connection: "broker", state: "waiting", detail: message }));
  return broker;
}
