import { randomUUID } from "node:crypto";
import { ChannelId, defineConnector, refused, RemoteMessageId, RemoteUserId, retry, uncertain } from "@trestle/core";
import type { ChannelInfo, ChannelLink, ConnectContext, Network, Outcome, Sent } from "@trestle/core";
import type { MessageEffect, NetworkHandlers, TextContent, TextOnly, TopicEffect } from "@trestle/core";
import { richTextOf, toPlainText } from "@trestle/rich-text";
import { connect, ErrorWithReasonCode, type IPublishPacket, type MqttClient } from "mqtt";
import { configSchema, type MqttConfig } from "./config.js";
import { readSaid, type Said } from "./payload.js";

/** The channel `chat/lobby` is the MQTT topic `chat/lobby`; what is retained under `chat/lobby/topic` is its topic. */
const STATE = "/topic";
/** Not authorized, topic name invalid, payload format invalid (MQTT 5, section 2.4): another try changes nothing. */
const FINAL_REFUSALS = [0x87, 0x90, 0x99];

/** The MQTT bridge. */
export default defineConnector({
  network: "mqtt",
  displayName: "MQTT",
  config: configSchema,
  connect: (context) => new MqttBridge(context),
});

class MqttBridge implements NetworkHandlers<TextOnly> {
  readonly #network: Network;
  readonly #clientId: string;
  readonly #client: MqttClient;
  readonly #fenceTopic: string;
  readonly #fences = new Map<string, () => void>();
  #ready = false;

  constructor({ config, network }: ConnectContext<MqttConfig>) {
    const { url, username, password } = config;
    this.#network = network;
    this.#clientId = config.clientId ?? `trestle-${network.bridge.serverName}-${network.bridge.name}`;
    this.#fenceTopic = `trestle/${this.#clientId}/fence`;
    this.#client = connect(url, {
      protocolVersion: 5,
      clientId: this.#clientId,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      // The broker keeps what comes while the bridge is away, however long.
      clean: false,
      properties: { sessionExpiryInterval: 0xffff_ffff, maximumPacketSize: 65_536 },
      resubscribe: false,
      reconnectOnConnackError: true,
    });
    this.#client.handleMessage = (packet, acknowledge) => this.#handle(packet, acknowledge);
    this.#client.on("connect", () => void this.#connected().catch((error: unknown) => this.#breakOff(error)));
    this.#client.on("close", () => this.#closed());
    this.#client.on("error", (error) => this.#report("waiting", error.message));
  }

  async message({ channel, content, author, effect, at }: MessageEffect<TextContent>): Promise<Outcome> {
    const { body, style } = content;
    return this.#publish(channel, { id: effect, from: author.name, text: toPlainText(body), style, at });
  }

  async topic({ channel, topic, author, effect, at }: TopicEffect): Promise<Outcome> {
    return this.#publish(channel + STATE, { id: effect, from: author.name, text: topic, style: "text", at }, true);
  }

  async #publish(topic: string, said: Said, retain = false): Promise<Outcome> {
    if (!this.#ready) return retry("the broker does not answer");
    try {
      await this.#client.publishAsync(topic, JSON.stringify({ ...said, via: this.#clientId }), { qos: 1, retain });
      return { id: RemoteMessageId(said.id) };
    } catch (error) {
      if (!(error instanceof ErrorWithReasonCode)) return uncertain("the broker went away before it had confirmed it");
      return FINAL_REFUSALS.includes(error.code) ? refused(error.message) : retry(error.message);
    }
  }

  /** The broker gives us what we publish too, in order: what it took before the fence is here when the fence is. */
  async findSent({ channel, effect, signal }: MessageEffect<TextContent>): Promise<Sent | null> {
    if (!this.#ready) throw new Error("the broker does not answer");
    const fence = randomUUID();
    const arrival = new Promise<void>((resolve, reject) => {
      this.#fences.set(fence, resolve);
      signal.addEventListener("abort", () => reject(new Error("the broker did not say in time what it has")));
    });
    const asked = this.#client.publishAsync(this.#fenceTopic, fence, { qos: 1 });
    await Promise.all([asked, arrival]).finally(() => this.#fences.delete(fence));
    return (await this.#network.storage.get(`sent:${channel}`)) === effect ? { id: RemoteMessageId(effect) } : null;
  }

  async linked({ channel }: ChannelLink): Promise<void> {
    // A retained message is old; a retained topic is news where the subscription is new.
    const topics = { [channel]: { qos: 1, rh: 2 }, [channel + STATE]: { qos: 1, rh: 1 } } as const;
    if (this.#client.connected) await this.#client.subscribeAsync(topics);
  }

  async unlinked({ channel }: ChannelLink): Promise<void> {
    if (this.#client.connected) await this.#client.unsubscribeAsync([channel, channel + STATE]);
  }

  async resolveChannel(text: string): Promise<ChannelInfo> {
    if (/^$|[+#\0]|^\$|\/topic$/.test(text)) throw new Error("Type a topic without + and #, such as chat/lobby");
    return Promise.resolve({ id: ChannelId(text), name: text });
  }

  async close(): Promise<void> {
    this.#ready = false;
    await this.#client.endAsync();
  }

  /** Acknowledges what is done with, on the connection it came by; anything else comes again with the next one. */
  #handle(packet: IPublishPacket, acknowledge: () => void): void {
    const { stream } = this.#client;
    const handled = (): void => (stream === this.#client.stream ? acknowledge() : undefined);
    this.#take(packet).then(handled, (error: unknown) => this.#breakOff(error));
  }

  async #take({ topic, payload }: IPublishPacket): Promise<void> {
    if (topic === this.#fenceTopic) return this.#fences.get(payload.toString())?.();
    const isState = topic.endsWith(STATE);
    const channel = ChannelId(isState ? topic.slice(0, -STATE.length) : topic);
    const { id, from, text, style, at, via } = readSaid(payload);
    if (via === this.#clientId) return isState ? undefined : this.#network.storage.set(`sent:${channel}`, id);
    const sender = { id: RemoteUserId(from), name: from };
    const cause = { id: RemoteMessageId(id), channel, ...(at !== undefined && { at }) };
    const content = { type: "text", style, body: richTextOf(text) } as const;
    if (isState) await this.#network.receive({ ...cause, kind: "channel", by: sender, topic: text });
    else if (text !== "") await this.#network.receive({ ...cause, kind: "message", sender, content });
  }

  async #connected(): Promise<void> {
    await this.#client.subscribeAsync(this.#fenceTopic, { qos: 1 });
    for (const link of await this.#network.links()) await this.linked(link);
    this.#ready = true;
    this.#report("connected");
  }

  /** Nobody knows what became of what was under way: the core asks. Left alone, mqtt.js would send it once more. */
  #closed(): void {
    this.#ready = false;
    for (const id of Object.keys(this.#client.outgoing)) this.#client.removeOutgoingMessage(Number(id));
    this.#report("waiting");
  }

  #breakOff(err: unknown): void {
    this.#network.log.error({ err }, "The connection to the broker begins anew");
    this.#client.stream.destroy();
  }

  #report(state: "connected" | "waiting", detail?: string): void {
    this.#network.report({ connection: "broker", state, ...(detail !== undefined && { detail }) });
  }
}
