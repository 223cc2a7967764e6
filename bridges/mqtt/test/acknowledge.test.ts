import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, it, jest } from "@jest/globals";
import {
  ChannelId,
  EffectId,
  EventId,
  type MessageEffect,
  type Network,
  type NetworkHandlers,
  RoomId,
  type TextContent,
  textContent,
  UserId,
} from "@trestle/core";
import connector from "../dist/index.js";
import { until } from "../../../test/support/bounded.js";
import { quietNetwork } from "../../../test/support/quiet-network.js";
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

  interface Begun {
    readonly handlers: NetworkHandlers;
    readonly isConnected: () => boolean;
  }

  /** A bridge whose core takes events as `receive` does. */
  async function begin(receive: Network["receive"], port = broker.port): Promise<Begun> {
    let connected = false;
    const network: Network = {
      ...quietNetwork("mqtt"),
      receive,
      report: ({ state }) => (connected = state === "connected"),
      links: async () => [{ channel: ChannelId(channel), room: RoomId("!room"), kind: "plumbed" }],
    };
    const config = connector.config.parse({ url: `mqtt://127.0.0.1:${port}` });
    const handlers = await connector.connect({ config, network, signal: new AbortController().signal });
    open.push(handlers);
    return { handlers, isConnected: () => connected };
  }

  /** The same, when it is connected. */
  async function bridge(receive: Network["receive"], port = broker.port): Promise<NetworkHandlers> {
    const { handlers, isConnected } = await begin(receive, port);
    await until(20_000, "the bridge's connection", () => (isConnected() ? true : undefined));
    return handlers;
  }

  const messageOf = (text: string, signal: AbortSignal): MessageEffect<TextContent> => ({
    effect: EffectId("effect"),
    attempt: 1,
    maybeSent: false,
    channel: ChannelId(channel),
    room: RoomId("!room"),
    event: EventId("$event"),
    author: { userId: UserId("@alice:mqtt.test"), name: "alice" },
    at: 1_767_225_600_000,
    signal,
    content: textContent(text),
    part: 0,
    parts: 1,
  });

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

  it("says of what the core gave up whether the broker had taken it", async () => {
    broker = await startMosquitto(install);
    person = await MqttPerson.connect(broker.port, "somebody", "chat/#");
    const line = await Line.to(broker.port);
    const handlers = await bridge(async () => undefined, line.port);
    line.deaf = true;
    const core = new AbortController();
    const message = messageOf("taken, but not confirmed", core.signal);
    const answer = handlers.message(message);
    await person.hear(channel, "taken, but not confirmed");
    core.abort(new Error("no answer in time"));
    line.deaf = false;
    expect(await answer).toMatchObject({ failed: "uncertain" });
    const found = await until(20_000, "the bridge to know what the broker has", () =>
      handlers.findSent?.(message).catch(() => undefined),
    );
    expect(found).toEqual({ id: message.effect });
    expect(await handlers.findSent?.({ ...message, effect: EffectId("never sent") })).toBeNull();
    await line.close();
  });

  it("does not know what the broker has before it has heard all that was kept", async () => {
    broker = await startMosquitto(install, { extra: "max_inflight_messages 5" });
    person = await MqttPerson.connect(broker.port, "somebody", "chat/#");
    const first = await bridge(() => new Promise(() => undefined));
    // More than the broker hands out at once, and behind it what the bridge said last.
    for (let number = 1; number <= 400; number += 1)
      await person.publish(channel, { id: String(number), from: "bob", text: String(number) });
    const core = new AbortController();
    const message = messageOf("sent, and not noted", core.signal);
    const answer = first.message(message);
    await person.hear(channel, "sent, and not noted");
    core.abort(new Error("the process ends"));
    await answer;
    await first.close?.();

    let count = 0;
    let goOn = (): void => undefined;
    const free = new Promise<void>((resolve) => (goOn = resolve));
    const { handlers, isConnected } = await begin(() => (++count < 390 ? Promise.resolve() : free));
    await until(20_000, "most of what was kept", () => (count >= 390 ? true : undefined));
    await expect(handlers.findSent?.(message)).rejects.toThrow("the broker does not answer");
    expect(isConnected()).toBe(false);
    goOn();
    await until(20_000, "the bridge's connection", () => (isConnected() ? true : undefined));
    expect(await handlers.findSent?.(message)).toEqual({ id: message.effect });
  });
});

/** A line to the broker that passes everything on; while it is `deaf`, nothing that the broker says. */
class Line {
  deaf = false;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(brokerPort: number) {
    this.#server = createServer((near) => {
      const far = connect({ host: "127.0.0.1", port: brokerPort });
      near.pipe(far);
      far.on("data", (bytes) => {
        if (!this.deaf) near.write(bytes);
      });
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }

  static async to(brokerPort: number): Promise<Line> {
    const line = new Line(brokerPort);
    await new Promise<void>((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("the line is not open");
    return address.port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
