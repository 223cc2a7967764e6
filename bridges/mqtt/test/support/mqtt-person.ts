import { connect, type MqttClient } from "mqtt";
import { Inbox } from "../../../../test/support/inbox.js";
import { until } from "../../../../test/support/bounded.js";

export interface Heard {
  readonly topic: string;
  readonly payload: string;
  /** The JSON of the payload, where it is an object. */
  readonly said: Readonly<Record<string, unknown>>;
  readonly retained: boolean;
}

/** Somebody with an MQTT client, who hears everything; their session lives through restarts of the broker. */
export class MqttPerson {
  readonly inbox = new Inbox<Heard>("somebody on MQTT", ({ topic, payload }) => `${topic}: ${payload}`);
  readonly #client: MqttClient;

  private constructor(url: string, clientId: string) {
    this.#client = connect(url, {
      protocolVersion: 5,
      clientId,
      clean: false,
      properties: { sessionExpiryInterval: 3_600 },
      reconnectPeriod: 100,
    });
    this.#client.on("message", (topic, payload, { retain, dup }) => {
      const text = payload.toString();
      // The broker repeats what it had not heard to have arrived (MQTT 5, section 3.3.1.1): that is no second message.
      if (dup && this.inbox.items.some((heard) => heard.topic === topic && heard.payload === text)) return;
      this.inbox.push({ topic, payload: text, said: objectOf(text), retained: retain });
    });
    // It connects again by itself.
    this.#client.on("error", () => undefined);
  }

  /** `name` names the session as well: who comes back under it gets what came meanwhile. */
  static async connect(port: number, name: string, ...topics: readonly string[]): Promise<MqttPerson> {
    const person = new MqttPerson(`mqtt://127.0.0.1:${port}`, name);
    await until(15_000, "the broker to take somebody", () => (person.#client.connected ? true : undefined));
    await person.#client.subscribeAsync([...topics], { qos: 1 });
    return person;
  }

  /** Resolves when the broker has it, be it after a restart. */
  async publish(topic: string, payload: string | Readonly<Record<string, unknown>>, retain = false): Promise<void> {
    await this.#client.publishAsync(topic, typeof payload === "string" ? payload : JSON.stringify(payload), {
      qos: 1,
      retain,
    });
  }

  /** The texts that came to a topic, in order. */
  texts(topic: string): unknown[] {
    return this.inbox.items.filter((heard) => heard.topic === topic).map(({ said }) => said["text"]);
  }

  async hear(topic: string, text: string): Promise<Heard> {
    return this.inbox.take(
      `"${text}" in ${topic}`,
      30_000,
      (heard) => heard.topic === topic && heard.said["text"] === text,
    );
  }

  /** Goes away; the broker keeps what comes. */
  async close(): Promise<void> {
    await this.#client.endAsync();
  }
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  } catch {
    return {};
  }
}
