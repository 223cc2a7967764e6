import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, loadConfig, startTrestle, type RunningTrestle } from "@trestle/core";
import { Homeserver, type TestClient } from "@trestle/testkit";
import { xmppConnector } from "@trestle/xmpp";
import { freePort, until } from "../../../../../test/support/bounded.js";
import type { XmppServer } from "../../../../../test/support/servers/xmpp-server.js";

const serverName = "example.org";
export const BOT = `@xmppbot:${serverName}`;

/** Trestle with the gateway, between a homeserver in this process and a real XMPP server. */
export class WholeBridge {
  #trestle: RunningTrestle | undefined;

  private constructor(
    readonly homeserver: Homeserver,
    readonly alice: TestClient,
    private readonly directory: string,
  ) {}

  static async start(server: XmppServer, gateway: Readonly<Record<string, unknown>> = {}): Promise<WholeBridge> {
    const directory = await mkdtemp(join(tmpdir(), "trestle-gateway-"));
    const port = await freePort();
    const registration = {
      id: "xmpp",
      url: `http://127.0.0.1:${port}`,
      as_token: "as-token-of-the-gateway-tests",
      hs_token: "hs-token-of-the-gateway-tests",
      sender_localpart: "xmppbot",
      rate_limited: false,
      receive_ephemeral: true,
      "de.sorunome.msc2409.push_ephemeral": true,
      namespaces: { users: [{ exclusive: true, regex: "^@xmpp_.*:example\\.org$" }], aliases: [], rooms: [] },
    };
    const homeserver = await Homeserver.start({
      serverName,
      registrations: [registration],
      retry: { firstMs: 5, maxMs: 50 },
    });
    const alice = homeserver.createClient("alice");
    const network = { port: server.componentPort, domain: server.component, secret: server.secret };
    const config = {
      homeserver: { url: homeserver.url, name: serverName },
      listen: { port },
      operations: { port: 0 },
      media: { port: 0 },
      permissions: { "*": "user" },
      dataDirectory: join(directory, "data"),
      delivery: { retryMin: 5, retryMax: 100, stopTimeout: 2_000 },
      bridges: [
        {
          name: "xmpp",
          connector: "xmpp",
          registration: "registration.yaml",
          network: { ...network, gateway: { enabled: true, ...gateway }, reconnect: { min: 0.05, max: 1 } },
        },
      ],
    };
    await writeFile(join(directory, "registration.yaml"), JSON.stringify(registration));
    await writeFile(join(directory, "trestle.yaml"), JSON.stringify(config));
    const whole = new WholeBridge(homeserver, alice, directory);
    await whole.startTrestle();
    return whole;
  }

  async startTrestle(): Promise<void> {
    const loaded = await loadConfig(join(this.directory, "trestle.yaml"));
    const level = process.env["TRESTLE_TEST_LOG"] === "1" ? "debug" : "silent";
    const log = createLogger({ ...loaded.config.log, level });
    this.#trestle = await startTrestle(loaded, { log, connectors: { xmpp: xmppConnector } });
    await this.#trestle.greeted;
  }

  async stopTrestle(): Promise<void> {
    await this.#trestle?.close();
    this.#trestle = undefined;
  }

  /** Waits until somebody said something in a room on Matrix; who it was. */
  saidOnMatrix(room: string, body: string | RegExp): Promise<string> {
    const matches = (text: unknown): boolean =>
      typeof text === "string" && (typeof body === "string" ? text === body : body.test(text));
    return until(15_000, `${String(body)} on Matrix`, () => {
      const messages = this.homeserver.room(room).messages();
      const found = messages.find(({ content }) => matches((content as { body?: unknown }).body))?.sender;
      return typeof found === "string" ? found : undefined;
    });
  }

  async isIn(room: string, user: string, membership: string): Promise<void> {
    await until(15_000, `${user}: ${membership}`, () => {
      const content = this.homeserver.room(room).state("m.room.member", user)?.content;
      return (content as { membership?: unknown } | undefined)?.membership === membership ? true : undefined;
    });
  }

  async close(): Promise<void> {
    await this.stopTrestle();
    await this.homeserver.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
