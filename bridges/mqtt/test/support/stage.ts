import { Homeserver, type TestClient } from "@trestle/testkit";
import { load } from "js-yaml";
import { freePort, patiently, until } from "../../../../test/support/bounded.js";
import { Bridge } from "../../../../test/support/bridge.js";
import type { LaunchedServer } from "../../../../test/support/servers/launched-server.js";
import { type MosquittoInstall, startMosquitto } from "../../../../test/support/servers/mosquitto.js";
import { MqttPerson } from "./mqtt-person.js";

export const channel = "chat/lobby";

/** A homeserver with Alice in a room, a real broker with somebody in a channel, and the bridge between them in a process of its own. */
export class Stage {
  private constructor(
    readonly homeserver: Homeserver,
    readonly broker: LaunchedServer,
    readonly bridge: Bridge,
    readonly alice: TestClient,
    readonly room: string,
    readonly person: MqttPerson,
  ) {}

  static async open(install: MosquittoInstall, network: Readonly<Record<string, unknown>> = {}): Promise<Stage> {
    const broker = await startMosquitto(install);
    const homeserver = await Homeserver.start({ serverName: "mqtt.test", retry: { firstMs: 20, maxMs: 200 } });
    const alice = homeserver.createClient("alice");
    const room = await alice.createRoom({ name: "Lobby" });
    const ports = { listen: await freePort(), operations: await freePort(), media: await freePort() };
    const bridge = await Bridge.prepare({
      serverName: "mqtt.test",
      homeserverUrl: homeserver.url,
      ports,
      connector: "mqtt",
      network: { url: `mqtt://127.0.0.1:${broker.port}`, ...network },
      links: [{ room, channel }],
    });
    const registration = await bridge.generateRegistration(`http://127.0.0.1:${ports.listen}`);
    const { sender_localpart: bot } = homeserver.addAppService(load(registration));
    await alice.invite(room, `@${bot}:mqtt.test`);
    await alice.setPower(room, `@${bot}:mqtt.test`, 100);
    const person = await MqttPerson.connect(broker.port, "somebody", "chat/#");
    const stage = new Stage(homeserver, broker, bridge, alice, room, person);
    await bridge.start();
    await stage.linked();
    return stage;
  }

  /** Resolves when the bridge listens to the channel: what was published before nobody would have kept. */
  async linked(): Promise<void> {
    let probe = 0;
    await until(
      60_000,
      "the bridge to listen to its channel",
      async () => {
        probe += 1;
        await this.person.publish(channel, { id: `probe-${probe}`, from: "prober", text: `probe-${probe}` });
        await new Promise((resolve) => setTimeout(resolve, 200));
        return this.#shown().some((body) => body.startsWith("probe-")) ? true : undefined;
      },
      () => this.bridge.output.slice(-4_000),
    );
  }

  /** Resolves when the room shows a message; to the event. */
  async shown(body: string): Promise<Readonly<Record<string, unknown>>> {
    const event = await this.homeserver.waitFor(({ content }) => bodyOf(content) === body, {
      roomId: this.room,
      timeoutMs: patiently(60_000),
      what: `"${body}" in the room`,
    });
    return event;
  }

  /** What people of MQTT said in the room, in order; what looked for the bridge left out. */
  said(): string[] {
    return this.#shown().filter((body) => !body.startsWith("probe-"));
  }

  async close(): Promise<void> {
    await this.bridge.stop();
    await this.person.close();
    await this.broker.stop();
    await this.homeserver.stop();
  }

  #shown(): string[] {
    return this.homeserver
      .room(this.room)
      .messages()
      .filter(({ sender }) => typeof sender === "string" && sender.startsWith("@mqtt_"))
      .map(({ content }) => bodyOf(content));
  }
}

export function bodyOf(content: unknown): string {
  return typeof content === "object" && content !== null && "body" in content ? String(content.body) : "";
}
