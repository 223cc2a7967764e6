import {
  defineConnector,
  type ChannelId,
  type ConnectContext,
  type EffectBase,
  type NameEffect,
  type NetworkHandlers,
  type Outcome,
} from "@trestle/core";
import { z } from "zod";
import { Channels } from "./channels/channels.js";
import { LinkedChannels } from "./channels/linked-channels.js";
import { Managing } from "./channels/managing.js";
import { PinSync } from "./channels/pin-sync.js";
import { Presence } from "./channels/presence.js";
import { RememberedChannels } from "./channels/remembered.js";
import { WorkspaceSpaces } from "./channels/workspace-spaces.js";
import { responder } from "./commands/respond.js";
import { SlashCommands } from "./commands/slash-commands.js";
import { configSchema, type SlackConfig } from "./config.js";
import { WorkspaceEmoji } from "./emoji/index.js";
import { examineSlack } from "./doctor/doctor.js";
import { Files } from "./files/files.js";
import { channelIdOf } from "./ids.js";
import { matrixAppserviceSlack } from "./import/matrix-appservice-slack.js";
import { Inward } from "./inward/inward.js";
import { channelOf, SlackLink, type LinkTuning, type Making, type Route } from "./link/index.js";
import { SlackMetrics } from "./metrics.js";
import { whileEntering } from "./outward/entering.js";
import { Outward } from "./outward/outward.js";
import { OwnChanges } from "./outward/own-changes.js";
import { Accounts, Authorization, SignIn } from "./people/accounts/index.js";
import { DirectChannels } from "./people/direct-channels.js";
import { People } from "./people/people.js";
import { connectWebhooks } from "./webhook/connect.js";

const eventSchema = z.looseObject({ type: z.string() });

/** The Slack bridge, as `connector: slack` of a configuration names it. */
export const slackConnector = defineConnector({
  network: "slack",
  displayName: "Slack",
  config: configSchema,
  doctor: examineSlack,
  importers: { "matrix-appservice-slack": matrixAppserviceSlack },
  async connect(context: TunedContext) {
    if (context.config.mode === "webhook") return connectWebhooks(context);
    const connection = new SlackConnection(context, new LinkedChannels(await context.network.links()));
    await connection.start();
    return connection.handlers();
  },
});

/** What the core gives, and what a test adds to it. */
type TunedContext = ConnectContext<SlackConfig> & { readonly tuning?: LinkTuning };

/** One bridge's parts, put together. */
class SlackConnection {
  readonly #context: TunedContext;
  readonly #linked: LinkedChannels;
  readonly #metrics: SlackMetrics;
  readonly #link: SlackLink;
  readonly #people: People;
  readonly #channels: Channels;
  readonly #spaces: WorkspaceSpaces;
  readonly #remembered: RememberedChannels;
  readonly #managing: Managing;
  readonly #pins: PinSync;
  readonly #emoji: WorkspaceEmoji;
  readonly #presence: Presence;
  readonly #files: Files;
  readonly #accounts: Accounts;
  readonly #authorization: Authorization | undefined;
  readonly #signIn: SignIn;
  readonly #directs: DirectChannels;
  readonly #own: OwnChanges;
  readonly #inward: Inward;
  readonly #outward: Outward;
  readonly #commands: SlashCommands;

  constructor(context: TunedContext, linked: LinkedChannels) {
    const { config, network } = context;
    this.#context = context;
    this.#linked = linked;
    this.#metrics = new SlackMetrics(network.metrics);
    const link = this.#makeLink();
    const { installations, api } = link;
    this.#link = link;
    this.#people = new People(network.log);
    this.#channels = new Channels(installations, config);
    this.#spaces = new WorkspaceSpaces(installations);
    this.#accounts = new Accounts({ network, api, installations, ...(config.oauth && { credentials: config.oauth }) });
    this.#files = new Files(installations, link.transport, config.apiUrl, this.#accounts);
    this.#directs = new DirectChannels({ storage: network.storage, accounts: this.#accounts, people: this.#people });
    this.#authorization =
      config.oauth && new Authorization({ api, ...config.oauth, authorizeUrl: authorizeUrlOf(config.apiUrl) });
    this.#emoji = new WorkspaceEmoji(network);
    this.#pins = new PinSync(network, context.signal);
    this.#remembered = new RememberedChannels(network.storage);
    this.#own = new OwnChanges(network.storage);
    const shared = this.#shared();
    this.#managing = new Managing({ ...shared, log: network.log, isLinked: (channel) => linked.has(channel) });
    this.#signIn = new SignIn({ ...shared, api, authorization: this.#authorization });
    this.#presence = new Presence({
      ...shared,
      mostMembers: config.mostMembers,
      isLinked: (channel) => linked.has(channel),
      entered: (channel) => link.entered(channel),
      signal: context.signal,
    });
    this.#inward = this.#makeInward();
    this.#outward = this.#makeOutward();
    this.#commands = new SlashCommands({
      ...shared,
      config,
      respond: responder(link.transport, network.log),
    });
  }

  async start(): Promise<void> {
    const { network } = this.#context;
    // What comes from now on must be known as somebody's.
    await this.#directs.load();
    await this.#own.load();
    for (const login of await network.logins()) this.#accounts.add(login);
    this.#link.app.use(async ({ context, body, next }) => {
      if ("event" in body) {
        const { making } = context;
        const id = conversationOf(making.team, body.event);
        if (id !== undefined) await this.#directs.note(making.team, id, body);
        await this.#inward.event(this.#seenBy(making, id), body.event);
      }
      await next();
    });
    this.#link.app.event("tokens_revoked", ({ event, context }) =>
      this.#accounts.revoked(context.making.team, event.tokens.oauth ?? []),
    );
    // Whatever the operator called it: an app gets no commands but its own.
    this.#link.app.command(/^\//, ({ payload, context }) => this.#commands.run(context.making, payload));
    await this.#link.follow(this.#linked.all());
    await this.#link.start();
  }

  handlers(): NetworkHandlers {
    const [link, outward] = [this.#link, this.#outward];
    const inside = <Effect extends EffectBase>(act: (effect: Effect) => Promise<Outcome>) =>
      whileEntering((channel) => this.#presence.isEntering(channel), act);
    return {
      limits: { media: true, replies: true },
      split: (message) => outward.split(message),
      message: inside((effect) => outward.message(effect)),
      findSent: (effect) => outward.findSent(effect),
      edit: inside((effect) => outward.edit(effect)),
      redact: inside((effect) => outward.redact(effect)),
      react: inside((effect) => outward.react(effect)),
      unreact: inside((effect) => outward.unreact(effect)),
      topic: inside((effect) => outward.topic(effect)),
      pin: inside((effect) => outward.pin(effect, "pins.add")),
      unpin: inside((effect) => outward.pin(effect, "pins.remove")),
      ...(this.#context.config.rename && { name: (effect: NameEffect) => this.#managing.named(effect) }),
      createChannel: (request) => this.#managing.create(request),
      commands: this.#managing.commands(),
      interpret: (raw) => link.interpret(raw),
      directChannel: (user, remote) => this.#directs.open(user, remote),
      catchUp: (channel) => link.catchUp(channel),
      resolveChannel: (text) => this.#channels.resolve(text),
      spaceOf: (channel) => this.#spaces.of(channel),
      openMedia: (reference) => this.#files.open(reference),
      linked: async (found) => {
        this.#linked.add(found.channel);
        await link.linked(found);
        // Slack may take its time; until the bot is in, nothing comes from there.
        if (found.kind !== "direct") this.#enter(found.channel);
      },
      unlinked: async (gone) => {
        this.#linked.remove(gone.channel);
        await link.unlinked(gone);
        await Promise.all([this.#remembered.forget(gone.channel), this.#pins.forget(gone.channel)]);
      },
      login: (session) => this.#signIn.login(session),
      signedIn: (login) => {
        this.#accounts.add(login, Date.now());
        return Promise.resolve();
      },
      logout: (login) => this.#signIn.logout(login),
      suspendUser: ({ user }) => {
        this.#accounts.suspend(user);
        return Promise.resolve(undefined);
      },
      close: () => link.close(),
    };
  }

  /** What many parts need. */
  #shared() {
    return {
      network: this.#context.network,
      installations: this.#link.installations,
      people: this.#people,
      accounts: this.#accounts,
      channels: this.#channels,
      remembered: this.#remembered,
      pins: this.#pins,
      emoji: this.#emoji,
      own: this.#own,
      directs: this.#directs,
    };
  }

  #makeInward(): Inward {
    const { config, network } = this.#context;
    const linked = this.#linked;
    return new Inward({
      ...this.#shared(),
      config,
      log: network.log,
      observe: this.#metrics.event,
      isLinked: (channel) => linked.has(channel),
      isMoving: (channel) => linked.isMoving(channel),
      reopened: (team, channel) => this.#enter(channelIdOf({ team, channel })),
      anyChannel: (team) => linked.anyOf(team),
      teamChanged: (team) => {
        this.#spaces.forget(team);
        network.spacesChanged();
      },
    });
  }

  #makeOutward(): Outward {
    const { config } = this.#context;
    return new Outward({
      ...this.#shared(),
      link: this.#link,
      config,
      files: this.#files,
      write: {
        config,
        slackUserOf: (userId, team) => this.#accounts.ofMatrixUser(team, userId)?.user,
        hasEmoji: (team, name) => this.#emoji.has(team, name),
      },
    });
  }

  #makeLink(): SlackLink {
    const routes: Record<string, Route> = {
      "POST /slack/oauth_confirm": async (...request) => this.#authorization?.confirmed(...request),
    };
    const { tuning } = this.#context;
    return new SlackLink(this.#context, {
      ...(tuning && { tuning }),
      onApiCall: this.#metrics.onApiCall,
      onRepair: this.#metrics.onRepair,
      onTaken: this.#metrics.onTaken,
      onSocket: this.#metrics.onSocket,
      wants: (team, channel, event) => {
        this.#linked.note(team, event);
        if (channel === undefined || this.#linked.has(channelIdOf({ team, channel }))) return true;
        return this.#directs.concerns(team, event);
      },
      reader: (team, channel) => this.#directs.workspaceOf(channelIdOf({ team, channel })),
      heardSince: (team, channel, envelope) => this.#directs.heardSince(team, channel, envelope),
      listeners: () => this.#directs.listeners(),
      onWorkspace: (team) => {
        this.#context.network.spacesChanged();
        for (const channel of this.#linked.of(team)) if (!this.#directs.has(channel)) this.#enter(channel);
      },
      onRemoved: (team) => {
        this.#accounts.removedFrom(team).catch(this.#failed("Sign-ins could not be ended"));
      },
      returned: (...request) => this.#authorization?.returned(...request) ?? false,
      routes,
    });
  }

  /** What happens in a direct message is seen by whoever takes part in it: the app could ask nothing there. */
  #seenBy(making: Making, channel: ChannelId | undefined): Making {
    if (channel === undefined || !this.#directs.has(channel)) return making;
    return { ...making, workspace: this.#directs.workspaceOf(channel) };
  }

  #enter(channel: ChannelId): void {
    this.#presence.enter(channel).catch(this.#failed("Entering a channel failed"));
  }

  #failed(what: string): (error: unknown) => void {
    return (error) => this.#context.network.log.error({ err: error }, what);
  }
}

/** Bolt's events are of many types; what is looked at is parsed. */
function conversationOf(team: string, event: unknown): ChannelId | undefined {
  const parsed = eventSchema.safeParse(event);
  const channel = parsed.success ? channelOf(parsed.data) : undefined;
  return channel === undefined ? undefined : channelIdOf({ team, channel });
}

/** Slack's page that asks people is beside its API. */
function authorizeUrlOf(apiUrl: string): string {
  return new URL("../oauth/v2/authorize", apiUrl).href;
}
