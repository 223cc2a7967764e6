import type { Express } from "express";
import { Clock } from "./clock.js";
import type { Limits, Services } from "./api/method.js";
import { controlRoutes } from "./control/routes.js";
import { Commands } from "./events/commands.js";
import { Deliverer } from "./events/deliverer.js";
import type { Transport } from "./events/delivery.js";
import { HttpPoster } from "./events/http-post.js";
import { HttpTransport } from "./events/http-transport.js";
import { Publisher } from "./events/publisher.js";
import { EventFaults } from "./faults/event-faults.js";
import { Faults } from "./faults/faults.js";
import { apiRoute } from "./http/api-route.js";
import { type ApiCall, CallLog } from "./http/call-log.js";
import { fileRoutes } from "./http/file-routes.js";
import { RateLimits } from "./http/rate-limits.js";
import { createApplication, listen, type Listening } from "./http/server.js";
import { webhookRoutes } from "./http/webhook-routes.js";
import { authorizePage } from "./oauth/authorize-page.js";
import { Consents } from "./oauth/consent.js";
import { optionsSchema, type AppOptions, type ResolvedOptions, type SlackEmulatorOptions } from "./options.js";
import { AppHandle } from "./people/app-handle.js";
import { waitFor, type WaitOptions } from "./people/wait.js";
import { Workspace } from "./people/workspace.js";
import { SocketHub } from "./socket/hub.js";
import { buildApp, buildWorld, teamOf } from "./state/build.js";
import { World } from "./state/world.js";

const unreachable: Transport = { attempt: () => Promise.resolve({ ok: false, reason: "connection_failed" }) };

/** A Slack to run tests against. */
export class SlackEmulator {
  /** Its time: advance it to let retries, limits and expiries fall due. */
  readonly clock: Clock;
  /** What goes wrong. */
  readonly faults: Faults;
  readonly #options: ResolvedOptions;
  readonly #world: World;
  readonly #sockets: SocketHub;
  readonly #deliverer: Deliverer;
  readonly #publisher: Publisher;
  readonly #calls: CallLog;
  readonly #commands: Commands;
  readonly #poster: HttpPoster;
  readonly #rateLimits: RateLimits;
  readonly #consents = new Consents();
  #listening: Listening | undefined;
  #down: URL | undefined;

  /** @throws ZodError when the options are not as they should be; Error when they name what is not there. */
  constructor(options: SlackEmulatorOptions = {}) {
    this.#options = optionsSchema.parse(options);
    this.clock = new Clock(this.#options.clock);
    this.#world = new World(this.clock);
    this.#world.metadataInEvents = this.#options.metadataInEvents;
    buildWorld(this.#world, this.#options);
    const eventFaults = new EventFaults(this.clock);
    this.faults = new Faults(eventFaults);
    this.#calls = new CallLog(this.#options.remembered);
    const { rateLimits: methods, postsPerSecond, postBurst: burst } = this.#options;
    this.#rateLimits = new RateLimits(
      this.clock,
      methods === undefined ? undefined : { methods, postsPerSecond, burst },
    );
    const loseAck = eventFaults.losesAck.bind(eventFaults);
    const { ackTimeout, leaveTimeout, retryDelays, remembered } = this.#options;
    this.#poster = new HttpPoster(ackTimeout);
    this.#sockets = new SocketHub({ clock: this.clock, ackTimeout, leaveTimeout, loseAck });
    const http = new HttpTransport({ poster: this.#poster, loseAck });
    this.#deliverer = new Deliverer({
      clock: this.clock,
      faults: eventFaults,
      retryDelays,
      remembered,
      transportFor: ({ app }) => {
        if (this.#down !== undefined) return { name: app.socketMode ? "socket" : "http", transport: unreachable };
        if (app.socketMode) return { name: "socket", transport: this.#sockets };
        return app.requestUrl === undefined
          ? { name: "none", transport: undefined }
          : { name: "http", transport: http };
      },
    });
    eventFaults.onDelayed((delivery) => this.#deliverer.send(delivery));
    this.#publisher = new Publisher(this.#world, this.#deliverer, this.#options.eventsPerHour);
    this.#commands = new Commands(this.#world, this.#sockets, this.#poster);
    this.#world.publish = this.#publisher.publish.bind(this.#publisher);
    this.#world.tokensEnded = (tokens) => {
      for (const token of tokens) if (token.kind === "app") this.#sockets.askToLeave(token.appId, "link_disabled");
    };
  }

  /** Makes an emulator and starts it. */
  static async start(options: SlackEmulatorOptions = {}): Promise<SlackEmulator> {
    const emulator = new SlackEmulator(options);
    await emulator.start();
    return emulator;
  }

  /** Starts to listen. */
  async start(): Promise<{ readonly url: string; readonly apiUrl: string }> {
    if (this.#listening !== undefined) throw new Error("The emulator is running already");
    this.#listening = await listen(this.#application(), this.#options.host, this.#options.port);
    this.#sockets.attach(this.#listening.server);
    this.#world.baseUrl = this.#listening.url;
    return { url: this.url, apiUrl: this.apiUrl };
  }

  /** Stops: all connections are cut, and what was still to be delivered is not. */
  async stop(): Promise<void> {
    this.#deliverer.close();
    this.#poster.close();
    await this.#sockets.close();
    this.clock.close();
    await this.#listening?.close();
    this.#listening = undefined;
  }

  /** Slack is down: connections are cut and refused, and nothing is sent, until {@link comeBack}. People go on. */
  async goDown(): Promise<void> {
    const { url } = this;
    this.#down = new URL(url);
    await this.#sockets.closeAll();
    await this.#listening?.close();
  }

  /** Slack is there again, at the same address. Events of the meantime are tried again when their time has come. */
  async comeBack(): Promise<void> {
    if (this.#down === undefined) throw new Error("The emulator is not down: call goDown() first");
    this.#listening = await listen(this.#application(), this.#options.host, Number(this.#down.port));
    this.#sockets.attach(this.#listening.server);
    this.#down = undefined;
  }

  /** Where it listens, without a slash at the end. */
  get url(): string {
    if (this.#listening === undefined) throw new Error("The emulator is not running: call start() first");
    return this.#listening.url;
  }

  /** What clients take for https://slack.com/api/: bolt's `clientOptions.slackApiUrl`. */
  get apiUrl(): string {
    return `${this.url}/api/`;
  }

  /** A workspace by domain or id; the first one when absent. */
  workspace(domain?: string): Workspace {
    const team = domain === undefined ? [...this.#world.teams.values()][0] : teamOf(this.#world, domain);
    if (team === undefined) throw new Error("The emulator has no workspace");
    return new Workspace(this.#world, team, this.#commands);
  }

  /** An app by name or id; the first one when absent. */
  app(name?: string): AppHandle {
    const app = [...this.#world.apps.values()].find(
      (each) => name === undefined || each.name === name || each.id === name,
    );
    if (app === undefined) throw new Error(`The emulator has no app ${name ?? ""}`);
    return new AppHandle(app, {
      world: this.#world,
      sockets: this.#sockets,
      deliverer: this.#deliverer,
      publisher: this.#publisher,
      consents: this.#consents,
      poster: this.#poster,
    });
  }

  /** All workspaces. */
  workspaces(): Workspace[] {
    return [...this.#world.teams.keys()].map((id) => this.workspace(id));
  }

  /** All apps. */
  apps(): AppHandle[] {
    return [...this.#world.apps.keys()].map((id) => this.app(id));
  }

  /** Makes another app. */
  addApp(options: AppOptions): AppHandle {
    return this.app(buildApp(this.#world, options).id);
  }

  /** The calls of the Web API so far, oldest first; those of one method, or all. */
  calls(method?: string): ApiCall[] {
    return this.#calls.list(method);
  }

  /** Forgets the calls so far. */
  clearCalls(): void {
    this.#calls.clear();
  }

  /** Waits for a call that is answered. */
  async waitForCall(
    method: string,
    matches: (call: ApiCall) => boolean = () => true,
    options?: WaitOptions,
  ): Promise<ApiCall> {
    return waitFor(
      `a call of ${method}`,
      () => this.calls(method).find((call) => call.answer !== undefined && matches(call)),
      options,
    );
  }

  /** Resolves when every event was acknowledged or given up. */
  async settled(): Promise<void> {
    await this.#deliverer.settled();
  }

  /** How many events are on their way or wait for another attempt. */
  get undelivered(): number {
    return this.#deliverer.open;
  }

  #application(): Express {
    const application = createApplication(this.#options.fileSize);
    application.all(
      "/api/:method",
      apiRoute({ services: this.#services(), faults: this.faults, calls: this.#calls, rateLimits: this.#rateLimits }),
    );
    authorizePage(application, this.#world, this.#consents);
    webhookRoutes(application, this.#world);
    controlRoutes(application, this);
    fileRoutes(application, { world: this.#world, faults: this.faults, largest: this.#options.fileSize });
    return application;
  }

  #services(): Services {
    const { historyPage, editWindowMinutes, standardEmoji, fileSize } = this.#options;
    const limits: Limits = {
      historyPage,
      editWindowMinutes,
      standardEmoji: standardEmoji === undefined ? undefined : new Set(standardEmoji),
      fileSize,
    };
    return { world: this.#world, sockets: this.#sockets, publisher: this.#publisher, limits };
  }
}
