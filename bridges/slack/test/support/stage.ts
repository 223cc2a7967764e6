import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, loadConfig, startTrestle, type RunningTrestle } from "@trestle/core";
import { SlackEmulator, type SlackEmulatorOptions } from "@trestle/slack-emulator";
import { Homeserver, type TestClient } from "@trestle/testkit";
import { freePort, until } from "../../../../test/support/bounded.js";
import { slackConnector } from "../../dist/index.js";

export interface StageOptions {
  readonly slack?: SlackEmulatorOptions;
  /** Settings of the `network:` section. */
  readonly network?: Readonly<Record<string, unknown>>;
  readonly mode?: "socket" | "http";
  readonly config?: Readonly<Record<string, unknown>>;
  /** People sign in through Slack's own page, and not with a token. */
  readonly oauth?: boolean;
  /** Trestle may speak for Matrix users who signed in. */
  readonly doublePuppets?: boolean;
  /** Settings of the bridge that take the place of the usual ones. */
  readonly bridge?: (given: {
    readonly slack: SlackEmulator;
    readonly room: string;
  }) => Readonly<Record<string, unknown>>;
  /** Whether the bot goes into the channel, which is waited for; it does where absent. */
  readonly joins?: boolean;
  /** Called when all but Trestle runs. */
  readonly prepare?: (stage: SlackStage) => Promise<void>;
}

const puppetToken = "as-token-of-the-double-puppets";
const puppetRegistration = {
  id: "double-puppet",
  url: null,
  as_token: puppetToken,
  hs_token: "hs-token-of-the-double-puppets",
  sender_localpart: "trestle-double-puppet",
  rate_limited: false,
  namespaces: { users: [{ exclusive: false, regex: "^@.*:slack\\.test$" }], aliases: [], rooms: [] },
};

interface RoomEvent {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly content: Readonly<Record<string, unknown>>;
}

const serverName = "slack.test";
const bot = `@slackbot:${serverName}`;

/** A homeserver, a Slack, and Trestle between them: one room linked to #general of the workspace acme. */
export class SlackStage {
  #trestle: RunningTrestle | undefined;
  #joins = true;

  private constructor(
    readonly homeserver: Homeserver,
    readonly slack: SlackEmulator,
    readonly alice: TestClient,
    readonly room: string,
    readonly directory: string,
  ) {}

  static async open(options: StageOptions = {}): Promise<SlackStage> {
    const directory = await mkdtemp(join(tmpdir(), "trestle-slack-"));
    const port = await freePort();
    const registration = {
      id: "slack",
      url: `http://127.0.0.1:${port}`,
      as_token: "as-token-of-the-slack-tests",
      hs_token: "hs-token-of-the-slack-tests",
      sender_localpart: "slackbot",
      rate_limited: false,
      namespaces: { users: [{ exclusive: true, regex: "^@slack_.*:slack\\.test$" }], aliases: [], rooms: [] },
    };
    const homeserver = await Homeserver.start({
      serverName,
      registrations: options.doublePuppets === true ? [registration, puppetRegistration] : [registration],
      retry: { firstMs: 5, maxMs: 50 },
    });
    const slack = await SlackEmulator.start(options.slack);
    const alice = homeserver.createClient("alice");
    const room = await alice.createRoom({
      invite: [bot],
      power_level_content_override: { users: { [alice.userId]: 100, [bot]: 100 } },
    });
    const app = slack.app();
    const mode = options.mode ?? "socket";
    const httpPort = mode === "http" || options.oauth === true ? await freePort() : 0;
    if (mode === "http") app.setRequestUrl(`http://127.0.0.1:${httpPort}/slack/events`);
    const team = slack.workspace("acme").id;
    const general = slack.workspace("acme").channel("general").id;
    const config = {
      homeserver: {
        url: homeserver.url,
        name: serverName,
        ...(options.doublePuppets === true && { doublePuppetToken: puppetToken }),
      },
      listen: { port },
      operations: { port: 0 },
      media: { port: 0, allowPrivate: ["127.0.0.1"] },
      dataDirectory: "data",
      encryptionKey: "a key for tests that is long enough",
      permissions: { "*": "user", [alice.userId]: "admin" },
      delivery: { retryMin: 5, retryMax: 100, stopTimeout: 2_000 },
      ...options.config,
      bridges: [
        {
          name: "slack",
          connector: "slack",
          registration: "registration.yaml",
          links: [{ room, channel: `${team}/${general}` }],
          network: {
            mode,
            apiUrl: slack.apiUrl,
            workspaces: [{ botToken: app.botToken() }],
            ...(mode === "socket" ? { appToken: app.appToken } : { signingSecret: app.signingSecret }),
            ...(httpPort > 0 && { http: { port: httpPort } }),
            ...(options.oauth === true && {
              oauth: {
                clientId: app.clientId,
                clientSecret: app.clientSecret,
                redirectUrl: `http://127.0.0.1:${httpPort}/slack/oauth_redirect`,
              },
            }),
            ...options.network,
          },
          ...options.bridge?.({ slack, room }),
        },
      ],
    };
    await writeFile(join(directory, "registration.yaml"), JSON.stringify(registration));
    await writeFile(join(directory, "trestle.yaml"), JSON.stringify(config));
    const stage = new SlackStage(homeserver, slack, alice, room, directory);
    stage.#joins = options.joins ?? true;
    await options.prepare?.(stage);
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
      connectors: { slack: slackConnector },
    });
    await this.trestle.greeted;
    if (!this.#joins) return;
    const botUser = this.slack.workspace("acme").channel("general");
    await until(20_000, "the bot is in the channel", () => (botUser.members.length > 2 ? true : undefined));
  }

  async stop(): Promise<void> {
    const trestle = this.#trestle;
    this.#trestle = undefined;
    await trestle?.close();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.slack.stop();
    await this.homeserver.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** What was said in the room, as a person sees it now. */
  events(type = "m.room.message"): RoomEvent[] {
    return this.homeserver
      .room(this.room)
      .timeline()
      .filter((event) => event.type === type)
      .map((event) => ({
        event_id: typeof event.event_id === "string" ? event.event_id : "",
        type,
        sender: typeof event.sender === "string" ? event.sender : "",
        content: event.content as Readonly<Record<string, unknown>>,
      }));
  }

  bodies(): string[] {
    return this.events().map(({ content }) => String(content["body"]));
  }

  async saidOnMatrix(body: string): Promise<RoomEvent> {
    return until(
      8_000,
      `"${body}" in the room`,
      () => this.events().find(({ content }) => content["body"] === body),
      () => this.bodies().join("\n"),
    );
  }

  async saidOnSlack(text: string, channel = "general") {
    const handle = this.slack.workspace("acme").channel(channel);
    return until(
      8_000,
      `"${text}" in Slack`,
      () => handle.messages().find((message) => message.text === text),
      () => handle.texts().join("\n"),
    );
  }

  /** Writes to the bot alone; resolves to the room. */
  async writeToBot(who: TestClient, text: string): Promise<string> {
    const room = await who.createRoom({ invite: [bot], is_direct: true, preset: "trusted_private_chat" });
    await this.eventually(() => this.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
    await who.sendText(room, text);
    return room;
  }

  /** What the bot says in a room, once something of it matches. */
  async botSays(room: string, pattern: RegExp): Promise<string> {
    const bodies = (): string[] =>
      this.homeserver
        .room(room)
        .messages()
        .filter(({ sender }) => sender === bot)
        .map(({ content }) => String((content as { body?: unknown }).body));
    return until(
      8_000,
      `the bot says ${pattern.source}`,
      () => bodies().find((body) => pattern.test(body)),
      () => bodies().join("\n"),
    );
  }

  /** Signs somebody in as somebody of acme, by the token that Slack would give; resolves to their room with the bot. */
  async signIn(who: TestClient, person: string): Promise<string> {
    const room = await this.writeToBot(who, "login");
    await this.botSays(room, /user token/);
    await who.sendText(room, this.slack.app().authorize("acme", person));
    await this.botSays(room, /^Signed in as /);
    return room;
  }

  async eventually(holds: () => boolean, what: string): Promise<void> {
    await until(8_000, what, () => (holds() ? true : undefined));
  }
}
