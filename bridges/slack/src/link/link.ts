import type {
  ChannelId,
  ChannelLink,
  ConnectContext,
  ConnectionStatus,
  Failure,
  Interpretation,
  Interpreted,
  Network,
  NetworkEvent,
} from "@trestle/core";
import type { App } from "@slack/bolt";
import type { SlackConfig } from "../config.js";
import { placeOf } from "../ids.js";
import { Pacer } from "./api/pacer.js";
import { SlackApi, type ApiExchange } from "./api/slack-api.js";
import { unreachableCode } from "./api/thrown.js";
import { Transport } from "./api/transport.js";
import { BoltApp, type BoltContext } from "./bolt/bolt-app.js";
import { LateEvents } from "./gaps/late.js";
import { Ledger } from "./gaps/ledger.js";
import { MissedEvents } from "./gaps/missed-events.js";
import { notesOf } from "./gaps/notes.js";
import { Openings } from "./gaps/openings.js";
import { Repairs } from "./gaps/repairs.js";
import { eventsRoute } from "./http/events.js";
import { SlackServer, type Route } from "./http/server.js";
import { SignatureCheck } from "./http/signature.js";
import { InstallRoutes } from "./installations/install-routes.js";
import { Installations } from "./installations/installations.js";
import type { SlackEvent } from "./intake/envelope.js";
import { Intake, type Delivery, type SlackWire, type Taken } from "./intake/intake.js";
import { readWire } from "./intake/wire.js";
import type { LinkOptions } from "./link-options.js";
import { Echoes } from "./sending/echoes.js";
import { Poster } from "./sending/poster.js";
import { SocketGateway } from "./socket/gateway.js";

/**
 * Everything between Slack and the connector: what comes is committed before it is acknowledged and given to Bolt's
 * listeners in the order of its channel; what goes keeps Slack's limits and can be looked for; what was missed is made
 * up for.
 *
 * A connector makes one, adds listeners to `app` (each says what happened through `context.making`), answers `interpret`,
 * `linked`, `unlinked` and `catchUp` with the methods of the same names, and calls `start` and `close`.
 */
export class SlackLink {
  readonly api: SlackApi;
  readonly installations: Installations;
  readonly poster: Poster;
  readonly echoes = new Echoes();
  readonly #config: SlackConfig;
  readonly #network: Network;
  readonly #options: LinkOptions;
  /** The connections to Slack. */
  readonly transport: Transport;
  readonly #intake: Intake;
  readonly #bolt: BoltApp;
  readonly #ledger: Ledger;
  readonly #late: LateEvents;
  readonly #repairs: Repairs;
  readonly #missed: MissedEvents;
  readonly #openings: Openings;
  readonly #gateway: SocketGateway | undefined;
  readonly #server: SlackServer | undefined;
  #appId: string | undefined;
  #isReached = true;
  /** Until then no further late event begins another look for what was missed. */
  #quietUntil = 0;
  /** Where the listener is, when there is one. */
  address: string | undefined;

  constructor({ config, network }: Pick<ConnectContext<SlackConfig>, "config" | "network">, options: LinkOptions = {}) {
    this.#config = config;
    this.#network = network;
    this.#options = options;
    this.#appId = config.appId ?? appIdOf(config.appToken);
    const { log, storage } = network;
    this.transport = new Transport({ ...(config.proxy !== undefined && { proxy: config.proxy }) });
    const apiOptions = {
      url: config.apiUrl,
      timeoutMs: config.timeout * 1_000,
      history: config.history,
      pacer: new Pacer({ ...(options.tuning?.speed !== undefined && { speed: options.tuning.speed }) }),
      transport: this.transport,
      log,
      observe: (exchange: ApiExchange) => {
        if (config.mode === "http") this.#reached(exchange.outcome !== unreachableCode);
        options.onApiCall?.(exchange);
      },
    };
    this.api = new SlackApi(apiOptions);
    this.installations = this.#makeInstallations();
    this.poster = new Poster(this.echoes, config.history);
    this.#ledger = new Ledger({ storage, log });
    this.#late = new LateEvents({
      ledger: this.#ledger,
      installations: this.installations,
      profile: config.history,
    });
    this.#intake = this.#makeIntake();
    this.#repairs = this.#makeRepairs();
    this.#openings = new Openings({
      ...{ storage, log, ledger: this.#ledger, repairs: this.#repairs, profile: config.history },
      listeners: () => options.listeners?.() ?? [],
    });
    this.#gateway = config.mode === "socket" ? this.#makeGateway() : undefined;
    this.#server = config.mode === "http" || config.oauth ? this.#makeServer() : undefined;
    this.#bolt = new BoltApp({
      installations: this.installations,
      api: apiOptions,
      start: () => this.#startTransports(),
      stop: () => this.#stopTransports(),
    });
    this.#missed = new MissedEvents({
      repairs: this.#repairs,
      interpret: (raw, wire) => this.#bolt.interpret(raw, wire),
      commit: (id, lane, wire) => this.#intake.commit(id, lane, wire),
      log,
    });
    this.app.event("app_uninstalled", ({ context }) =>
      this.installations.removed(context.making.team, "app_uninstalled"),
    );
    this.app.event("tokens_revoked", ({ event, context }) => {
      const { team } = context.making;
      const own = this.installations.get(team)?.installation.botUser ?? "";
      return event.tokens.bot?.includes(own) === true
        ? this.installations.removed(team, "tokens_revoked")
        : Promise.resolve();
    });
  }

  /** Bolt's app: where listeners are added. It is given an event once it is in the journal and its turn has come. */
  get app(): App<BoltContext> {
    return this.#bolt.app;
  }

  /** Connects; does not wait for Slack. @throws Error where the port of the `http` section is taken */
  async start(): Promise<void> {
    await this.#openings.load();
    await this.installations.start();
    await this.app.start();
  }

  /** Takes nothing more and closes every connection. */
  async close(): Promise<void> {
    await this.app.stop();
    await Promise.all([this.#repairs.close(), this.#openings.close()]);
    await this.installations.close();
    await this.transport.close();
  }

  /** The connector's `interpret`. */
  async interpret(raw: Interpretation): Promise<Interpreted | readonly NetworkEvent[] | Failure> {
    const wire = readWire(raw.wire);
    switch (wire.from) {
      case "command":
        return this.#bolt.interpret(raw, wire);
      case "look":
        return this.#missed.look(raw);
      case "event":
        return this.#happened(raw, wire);
    }
  }

  async #happened(raw: Interpretation, wire: EventWire): Promise<Interpreted | readonly NetworkEvent[] | Failure> {
    const key = raw.channel;
    const { receivedAt, signal } = raw;
    const repeated = (wire.retryNum ?? 0) > 0;
    const judged = await this.#late.judge(key, wire.body.event, { receivedAt, repeated, signal });
    if (!judged.ok) return judged;
    if (judged.isOvertaken) {
      this.#network.log.debug({ event: wire.body.event_id }, "An event came late and was overtaken");
      return [];
    }
    const { first, instead = wire.body.event } = judged;
    const before = first ? await this.#bolt.interpret(raw, { ...wire, body: { ...wire.body, event: first } }) : [];
    if ("failed" in before) return before;
    const made = await this.#bolt.interpret(raw, { ...wire, body: { ...wire.body, event: instead } });
    if ("failed" in made) return made;
    const told = first ? [first, wire.body.event] : [wire.body.event];
    const memory = await this.#ledger.find(key);
    const noting = await this.#ledger.noting(key, notesOf(told, memory?.isWhole === true));
    return { events: [...before, ...made], ...noting };
  }

  /** The connector's `linked`: the channel is followed, so that nothing of it is missed. */
  async linked({ channel }: Pick<ChannelLink, "channel">): Promise<void> {
    const place = placeOf(channel);
    if (place) await this.#repairs.watch(place.team, place.channel);
  }

  /** The connector's `unlinked`. */
  async unlinked({ channel }: Pick<ChannelLink, "channel">): Promise<void> {
    const place = placeOf(channel);
    this.#openings.ended(channel);
    if (place) await this.#repairs.unwatch(place.team, place.channel);
  }

  /** The app came into a channel by itself, perhaps long after it was linked. */
  entered(channel: ChannelId): void {
    this.#repairs.entered(channel);
  }

  /** The connector's `catchUp`: begins to look for what was missed, where something may have been; does not wait. */
  catchUp(channel: string): Promise<void> {
    this.#repairs.want(channel);
    return Promise.resolve();
  }

  /** Follows channels before anything comes from Slack, so that what was missed has its place before that. */
  async follow(channels: readonly ChannelId[]): Promise<void> {
    for (const channel of channels) await this.linked({ channel });
  }

  /** Hands over what Slack sent by a way of the connector's own. */
  take(delivery: Delivery): Promise<Taken> {
    return this.#intake.take(delivery);
  }

  /** Over HTTP nobody says that Slack could not reach us, but where we cannot reach it, it hardly can. */
  #reached(isReached: boolean): void {
    if (isReached === this.#isReached) return;
    this.#isReached = isReached;
    // What comes first afterwards must wait for what was missed.
    this.#outage();
  }

  #outage(): void {
    this.#openings.outage();
    this.#repairs.outage();
  }

  /** What was missed of a conversation that is not linked yet goes before what is heard in it now. */
  #opening(team: string, channel: string, envelope: SlackEvent): Promise<void> | undefined {
    this.#openings.heard();
    const { heardSince } = this.#options;
    return heardSince && this.#openings.open(team, channel, () => heardSince(team, channel, envelope));
  }

  async #startTransports(): Promise<void> {
    this.address = await this.#server?.listen();
    // Over HTTP nobody says when Slack began to reach us: from now on it can.
    if (this.#config.mode === "http") {
      this.#network.report({ connection: "events", state: "connected" });
      this.#repairs.reached();
      this.#openings.listens();
    }
    this.#gateway?.start();
  }

  async #stopTransports(): Promise<void> {
    await Promise.all([this.#gateway?.close(), this.#server?.close()]);
  }

  #makeInstallations(): Installations {
    const { workspaces, oauth } = this.#config;
    const { storage, log } = this.#network;
    const { tuning, onRemoved } = this.#options;
    return new Installations({
      api: this.api,
      storage,
      log,
      report: (status) => this.#network.report(status),
      tokens: workspaces.map(({ botToken }) => botToken),
      ...(oauth && { credentials: { clientId: oauth.clientId, clientSecret: oauth.clientSecret } }),
      ...(onRemoved && { onRemoved }),
      ...(tuning?.retryMinMs !== undefined && { retryMinMs: tuning.retryMinMs }),
      onWorkspace: ({ id }) => {
        this.#repairs.wantAll();
        this.#openings.workspaceKnown();
        this.#options.onWorkspace?.(id);
      },
    });
  }

  #makeIntake(): Intake {
    const { wants, replyTo } = this.#options;
    return new Intake({
      receive: (raws) => this.#network.receiveAll(raws),
      log: this.#network.log,
      appId: () => this.#appId,
      knowsTeam: (team, organisation) => this.installations.knows(team, organisation),
      wants: (team, channel, event) => {
        this.echoes.note(channel, event);
        return wants?.(team, channel, event) ?? true;
      },
      ...(replyTo && { replyTo }),
      opening: (...heard) => this.#opening(...heard),
      ...(this.#config.mode === "socket" && this.#config.sockets > 1 && { gatherMs: gatherOverSocketsMs }),
      onRateLimited: () => this.#outage(),
      onChannel: (channel) => this.#repairs.want(channel),
      onLate: () => {
        if (Date.now() < this.#quietUntil) return;
        this.#quietUntil = Date.now() + lateQuietMs;
        this.#outage();
      },
    });
  }

  #makeRepairs(): Repairs {
    const { history, repair } = this.#config;
    const { tuning, onRepair, reader } = this.#options;
    return new Repairs({
      ...(reader && { reader }),
      ledger: this.#ledger,
      installations: this.installations,
      commit: (id, lane, wire) => this.#intake.commit(id, lane, wire),
      log: this.#network.log,
      profile: history,
      messagesMs: repair.messages * 1_000,
      changesMs: repair.changes * 1_000,
      mostThreads: repair.threads,
      ...(tuning?.holdMs !== undefined && { holdMs: tuning.holdMs }),
      ...(onRepair && { observe: onRepair }),
    });
  }

  async #timed(transport: "socket" | "http", delivery: Delivery): Promise<Taken> {
    const start = performance.now();
    let outcome: Taken["outcome"] | "refused" = "refused";
    try {
      const taken = await this.#intake.take(delivery);
      outcome = taken.outcome;
      return taken;
    } finally {
      this.#options.onTaken?.({ transport, outcome, ms: performance.now() - start });
    }
  }

  #socketIs(status: ConnectionStatus): void {
    if (status.state === "connected") this.#options.onSocket?.("opened");
    else if (status.state === "waiting" || status.state === "failed") this.#options.onSocket?.("failed");
    this.#network.report(status);
  }

  #makeGateway(): SocketGateway {
    const { appToken, sockets } = this.#config;
    const { tuning } = this.#options;
    let wasOpen = false;
    return new SocketGateway({
      api: this.api,
      transport: this.transport,
      appToken: appToken ?? "",
      count: sockets,
      take: (delivery) => this.#timed("socket", delivery),
      report: (status) => this.#socketIs(status),
      log: this.#network.log,
      onBack: () => {
        if (wasOpen) this.#outage();
        else this.#repairs.reached();
        wasOpen = true;
        this.#openings.listens();
      },
      onAppId: (appId) => (this.#appId ??= appId),
      ...tuning,
    });
  }

  #makeServer(): SlackServer {
    const { mode, oauth, signingSecret, http } = this.#config;
    const { log } = this.#network;
    const routes: Record<string, Route> = {};
    if (mode === "http") {
      const signature = new SignatureCheck({ secret: signingSecret ?? "", skewMs: http.skew * 1_000 });
      const events = eventsRoute({ signature, take: (delivery) => this.#timed("http", delivery), log });
      for (const path of ["/slack/events", "/slack/commands"]) routes[`POST ${path}`] = events;
    }
    if (oauth) {
      const { routes: more, returned, tuning } = this.#options;
      const { authorizeUrl } = tuning ?? {};
      const install = new InstallRoutes({
        api: this.api,
        installations: this.installations,
        log,
        ...oauth,
        // What somebody lets the bridge do for them is asked when they sign in.
        userScopes: [],
        ...(authorizeUrl !== undefined && { authorizeUrl }),
      });
      routes["GET /slack/install"] = install.begin;
      routes["GET /slack/oauth_redirect"] = async (...request) => {
        if (returned?.(...request) !== true) await install.complete(...request);
      };
      Object.assign(routes, more);
    }
    return new SlackServer({ host: http.host, port: http.port, log, routes });
  }
}

type EventWire = Extract<SlackWire, { readonly from: "event" }>;

/** After an outage many events come late; one look for what was missed is for all of them. */
const lateQuietMs = 5 * 60_000;
/** Of two connections of one process one is hardly ever so much behind the other. */
const gatherOverSocketsMs = 15;

/** `xapp-1-A012AB3CD-…` names its app. */
function appIdOf(appToken: string | undefined): string | undefined {
  return appToken === undefined ? undefined : /^xapp-\d+-(A[A-Z0-9]+)-/.exec(appToken)?.[1];
}
