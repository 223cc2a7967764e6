import { afterEach, expect, it, jest } from "@jest/globals";
import { ChannelId, type Network, type NetworkHandlers, RoomId, UserId } from "@trestle/core";
import { pino } from "pino";
import connector from "../dist/index.js";
import { until } from "../../../test/support/bounded.js";
import { realServer } from "../../../test/support/servers/index.js";
import type { LaunchedServer } from "../../../test/support/servers/launched-server.js";
import { startMosquitto } from "../../../test/support/servers/mosquitto.js";
import { MqttPerson } from "./support/mqtt-person.js";
import { channel } from "./support/stage.js";

const mosquitto = await realServer("mosquitto");

mosquitto.describe("the MQTT connector with a core that is in trouble", (install) => {
  jest.setTimeout(60_000);
  let broker: LaunchedServer;
  let person: MqttPerson;
  const open: NetworkHandlers[] = [];

  afterEach(async () => {
    for (const handlers of open.splice(0)) await handlers.close?.();
    await person.close();
    await broker.stop();
  });

  /** A bridge whose core takes events as `receive` does. Resolves when it is connected. */
  async function bridge(receive: Network["receive"]): Promise<NetworkHandlers> {
    let connected = false;
    const kept = new Map<string, string>();
    const network: Network = {
      bridge: {
        name: "mqtt",
        bot: UserId("@bot:mqtt.test"),
        serverName: "mqtt.test",
        allMembers: false,
        dataDirectory: "/nonexistent",
      },
      log: pino({ level: "silent" }),
      receive,
      signal: () => undefined,
      report: ({ state }) => (connected = state === "connected"),
      links: async () => [{ channel: ChannelId(channel), room: RoomId("!room"), kind: "plumbed" }],
      openMedia: () => Promise.reject(new Error("not used by this connector")),
      storage: {
        get: async (key) => kept.get(key),
        set: async (key, value) => void kept.set(key, value),
        delete: async (key) => void kept.delete(key),
        keys: async () => [...kept.keys()],
      },
      logins: async () => [],
      renewLogin: () => Promise.resolve(),
      endLogin: () => Promise.resolve(),
      requestLink: () => Promise.resolve("asked"),
      removeLinks: () => Promise.resolve([]),
      moveChannel: () => Promise.resolve([]),
      ghostsIn: () => Promise.resolve({ inAll: new Set(), inAny: new Set() }),
    };
    const config = connector.config.parse({ url: `mqtt://127.0.0.1:${broker.port}` });
    const handlers = await connector.connect({ config, network, signal: new AbortController().signal });
    open.push(handlers);
    await until(20_000, "the bridge's connection", () => (connected ? true : undefined));
    return handlers;
  }

  const textOf = (event: Parameters<Network["receive"]>[0]): string =>
    event.kind === "message" && event.content.type === "text" ? JSON.stringify(event.content.body) : event.kind;

  it("acknowledges nothing that is not on disk: the next process gets it again", async () => {
    broker = await startMosquitto(install);
    person = await MqttPerson.connect(broker.port, "somebody", "chat/#");
    const begun: string[] = [];
    const first = await bridge((event) => {
      begun.push(textOf(event));
      return new Promise(() => undefined);
    });
    await person.publish(channel, { id: "1", from: "bob", text: "not on disk" });
    await until(20_000, "the message at the first process", () => (begun.length > 0 ? true : undefined));
    await first.close?.();
    const received: string[] = [];
    await bridge(async (event) => void received.push(textOf(event)));
    await until(20_000, "the message at the second process", () => (received.length > 0 ? true : undefined));
    expect(received).toEqual([expect.stringContaining("not on disk")]);
  });

  it("gets again, in order, what the disk refused", async () => {
    broker = await startMosquitto(install);
    person = await MqttPerson.connect(broker.port, "somebody", "chat/#");
    const received: string[] = [];
    let refusals = 2;
    await bridge(async (event) => {
      if (refusals > 0) {
        refusals -= 1;
        throw new Error("the disk is full");
      }
      received.push(textOf(event));
    });
    for (const text of ["one", "two", "three"]) await person.publish(channel, { id: text, from: "bob", text });
    await until(20_000, "the last message", () => (received.at(-1)?.includes("three") === true ? true : undefined));
    expect(received).toEqual(["one", "two", "three"].map((text) => expect.stringContaining(text)));
  });
});
