import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, loadConfig, startTrestle, type RunningTrestle } from "@trestle/core";
import { Homeserver, type TestClient } from "@trestle/testkit";
import { xmppConnector } from "@trestle/xmpp";
import { freePort, until } from "../../../../test/support/bounded.js";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { WireSpy } from "./wire-spy.js";

const serverName = "people.test";
export const bot = `@xmppbot:${serverName}`;

const puppetToken = "as-token-of-the-double-puppets";
const puppetRegistration = {
  id: "double-puppet",
  url: null,
  as_token: puppetToken,
  hs_token: "hs-token-of-the-double-puppets",
  sender_localpart: "trestle-double-puppet",
  rate_limited: false,
  namespaces: { users: [{ exclusive: false, regex: "^@.*:people\\.test$" }], aliases: [], rooms: [] },
};

interface Said {
  readonly id: string;
  readonly sender: string;
  readonly type: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** A homeserver, and Trestle between it and a real XMPP server. */
export class PeopleStage {
  #trestle: RunningTrestle | undefined;

  private constructor(
    readonly homeserver: Homeserver,
    readonly server: XmppServer,
    readonly spy: WireSpy,
    readonly directory: string,
  ) {}

  /** `network` and `bridge` hold what is configured of them beside the usual. */
  static async open(
    server: XmppServer,
    network: Readonly<Record<string, unknown>> = {},
    bridge: Readonly<Record<string, unknown>> = {},
    doublePuppets = false,
    /** Settings of the whole configuration. */
    config: Readonly<Record<string, unknown>> = {},
  ): Promise<PeopleStage> {
    const directory = await mkdtemp(join(tmpdir(), "trestle-people-"));
    const port = await freePort();
    const registration = {
      id: "xmpp",
      url: `http://127.0.0.1:${port}`,
      as_token: "as-token-of-the-xmpp-tests",
      hs_token: "hs-token-of-the-xmpp-tests",
      sender_localpart: "xmppbot",
      rate_limited: false,
      protocols: ["xmpp"],
      receive_ephemeral: true,
      "de.sorunome.msc2409.push_ephemeral": true,
      namespaces: {
        users: [{ exclusive: true, regex: "^@xmpp_.*:people\\.test$" }],
        aliases: [{ exclusive: true, regex: "^#xmpp_.*:people\\.test$" }],
        rooms: [],
      },
    };
    const homeserver = await Homeserver.start({
      serverName,
      registrations: doublePuppets ? [registration, puppetRegistration] : [registration],
      retry: { firstMs: 5, maxMs: 50 },
    });
    const spy = await WireSpy.before(server.componentPort);
    const written = {
      homeserver: {
        url: homeserver.url,
        name: serverName,
        ...(doublePuppets && { doublePuppetToken: puppetToken }),
      },
      listen: { port },
      operations: { port: 0 },
      media: { port: 0, publicUrl: "http://127.0.0.1:1", allowPrivate: ["127.0.0.1"] },
      dataDirectory: "data",
      encryptionKey: "a key for tests that is long enough",
      permissions: { "*": "user" },
      delivery: { retryMin: 5, retryMax: 100, stopTimeout: 2_000 },
      ...config,
      bridges: [
        {
          name: "xmpp",
          connector: "xmpp",
          registration: "registration.yaml",
          ...bridge,
          network: {
            port: spy.port,
            domain: server.component,
            secret: server.secret,
            reconnect: { min: 0.05, max: 0.5 },
            ...network,
          },
        },
      ],
    };
    await writeFile(join(directory, "registration.yaml"), JSON.stringify(registration));
    await writeFile(join(directory, "trestle.yaml"), JSON.stringify(written));
    const stage = new PeopleStage(homeserver, server, spy, directory);
    await stage.start();
    return stage;
  }

  get trestle(): RunningTrestle {
    if (!this.#trestle) throw new Error("Trestle is not running");
    return this.#trestle;
  }

  async start(): Promise<void> {
    const loaded = await loadConfig(join(this.directory, "trestle.yaml"));
    const level = process.env["TRESTLE_TEST_LOG"] === "1" ? "debug" : "silent";
    this.#trestle = await startTrestle(loaded, {
      log: createLogger({ ...loaded.config.log, level }),
      connectors: { xmpp: xmppConnector },
    });
    await this.trestle.greeted;
    await until(20_000, "the component is connected", async () => {
      const { bridges } = await this.trestle.services.status();
      const states = bridges.flatMap(({ connections }) => connections);
      return states.some(({ state }) => state === "connected") ? true : undefined;
    });
  }

  async stop(): Promise<void> {
    const trestle = this.#trestle;
    this.#trestle = undefined;
    await trestle?.close();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.spy.stop();
    await this.homeserver.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The Matrix user that stands for somebody on XMPP. */
  ghostOf(jid: string): string {
    return `@xmpp_${jid.replace("@", "=40")}:${serverName}`;
  }

  /** The address of a Matrix user on XMPP. */
  addressOf(user: TestClient): string {
    return `${user.userId.slice(1).replace(":", "_")}@${this.server.component}`;
  }

  /** Everything of a room, as a person sees it now. */
  timeline(room: string, type = "m.room.message"): Said[] {
    return this.homeserver
      .room(room)
      .timeline()
      .filter((event) => event.type === type)
      .map((event) => ({
        id: typeof event.event_id === "string" ? event.event_id : "",
        sender: typeof event.sender === "string" ? event.sender : "",
        type,
        content: event.content as Readonly<Record<string, unknown>>,
      }));
  }

  bodies(room: string): string[] {
    return this.timeline(room).map(({ content }) => String(content["body"]));
  }

  /** The room that a Matrix user and a person on XMPP have. */
  async directRoom(user: TestClient, jid: string): Promise<string> {
    const channel = `${user.userId} ${jid}`;
    return until(15_000, `a direct room of ${channel}`, async () => {
      const links = await this.trestle.services.list();
      return links.find((link) => link.channel === channel)?.room;
    });
  }

  async sees(room: string, what: string, wanted: (said: Said) => boolean, type = "m.room.message"): Promise<Said> {
    return until(
      15_000,
      `${what} in the room`,
      () => this.timeline(room, type).find(wanted),
      () => JSON.stringify(this.timeline(room, type).map(({ sender, content }) => [sender, content])),
    );
  }

  async hears(room: string, body: string): Promise<Said> {
    return this.sees(room, `"${body}"`, ({ content }) => content["body"] === body);
  }

  /** Writes to the bot in a new room of two. */
  async writeToBot(who: TestClient, text: string): Promise<string> {
    const room = await who.createRoom({ invite: [bot], is_direct: true, preset: "trusted_private_chat" });
    await until(15_000, "the bot accepts the invite", () =>
      this.homeserver.room(room).members()[bot] === "join" ? true : undefined,
    );
    await who.sendText(room, text);
    return room;
  }

  /** What the bot says in a room, once something of it matches. */
  async botSays(room: string, pattern: RegExp): Promise<string> {
    const { content } = await this.sees(
      room,
      `the bot says ${pattern.source}`,
      ({ sender, content: { body } }) => sender === bot && typeof body === "string" && pattern.test(body),
    );
    return String(content["body"]);
  }
}

/** A real server, the stage beside it, and bob, who is on that server. */
export interface StageWithBob {
  readonly server: XmppServer;
  readonly stage: PeopleStage;
  readonly bob: XmppPerson;
  readonly close: () => Promise<void>;
}

/** Starts the server and all that is needed beside it; `network` is as {@link PeopleStage.open} takes it. */
export async function stageWithBob(
  install: SlixmppInstall,
  start: () => Promise<XmppServer>,
  network?: Readonly<Record<string, unknown>>,
): Promise<StageWithBob> {
  const server = await start();
  const stage = await PeopleStage.open(server, network);
  const bob = await XmppPerson.connect(install, server, "bob");
  const close = async (): Promise<void> => {
    await bob.end();
    await stage.close();
    await server.process.stop();
  };
  return { server, stage, bob, close };
}
