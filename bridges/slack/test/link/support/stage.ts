import { ChannelId, RemoteMessageId, RemoteUserId, type NetworkEvent } from "@trestle/core";
import { richTextOf, toPlainText } from "@trestle/rich-text";
import { SlackEmulator, type SlackEmulatorOptions } from "@trestle/slack-emulator";
import { outcomeOf } from "../../../dist/content/index.js";
import { SlackLink, type LinkOptions, type LinkTuning } from "../../../dist/link/index.js";
import { configSchema } from "../../../dist/config.js";
import { channelIdOf } from "../../../dist/ids.js";
import { patiently, until } from "../../../../../test/support/bounded.js";
import { FakeCore } from "./fake-core.js";

export { until };

export interface StageOptions {
  readonly slack?: SlackEmulatorOptions;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly link?: LinkOptions;
  readonly tuning?: LinkTuning;
}

/** The emulator, the link, and a core in memory between which the link stands. */
export class Stage {
  link: SlackLink;
  readonly channel: string;

  private constructor(
    readonly slack: SlackEmulator,
    readonly core: FakeCore,
    private readonly options: StageOptions,
  ) {
    this.link = this.#makeLink();
    this.channel = channelIdOf({ team: this.team, channel: this.general.id });
  }

  static async open(options: StageOptions = {}): Promise<Stage> {
    const slack = await SlackEmulator.start({
      retryDelays: [0, 20, 20],
      ackTimeout: patiently(1_000),
      ...options.slack,
    });
    const stage = new Stage(slack, new FakeCore(), options);
    return stage;
  }

  /** Starts the link with its channel linked. */
  async start(): Promise<void> {
    this.core.interpret = (raw) => this.link.interpret(raw);
    this.core.onConnected = () => void this.link.catchUp(this.channel);
    await this.link.linked({ channel: ChannelId(this.channel) });
    await this.link.start();
    const { mode, sockets } = configSchema.parse(this.#config());
    if (mode === "socket") await this.slack.app().waitForConnections(sockets);
    else this.slack.app().setRequestUrl(`${this.link.address ?? ""}/slack/events`);
  }

  /** The process ends in good order, and another one begins. */
  async restart(meanwhile: () => void | Promise<void> = () => undefined): Promise<void> {
    await this.link.close();
    await meanwhile();
    this.link = this.#makeLink();
    await this.start();
  }

  async close(): Promise<void> {
    this.core.close();
    await this.link.close();
    await this.slack.stop();
  }

  get team(): string {
    return this.slack.workspace().id;
  }

  get alice() {
    return this.slack.workspace().person("alice");
  }

  get general() {
    return this.slack.workspace().channel("general");
  }

  get workspace() {
    const found = this.link.installations.get(this.team);
    if (!found) throw new Error("The workspace is not known yet");
    return found;
  }

  /** What reached the core, in words and in order. */
  heard(channel = this.channel): string[] {
    return this.core.events.filter((event) => event.channel === channel).map(inWords);
  }

  async hears(...texts: readonly string[]): Promise<void> {
    await until(
      10_000,
      texts.join(", "),
      () => (texts.every((text) => this.heard().includes(text)) ? true : undefined),
      () => JSON.stringify(this.heard()),
    );
  }

  #config(): unknown {
    const app = this.slack.app();
    return {
      appToken: app.appToken,
      signingSecret: app.signingSecret,
      ...(this.options.config?.["workspaces"] === undefined && { workspaces: [{ botToken: app.botToken() }] }),
      apiUrl: this.slack.apiUrl,
      http: { port: 0 },
      timeout: 2,
      ...this.options.config,
    };
  }

  #makeLink(): SlackLink {
    const authorizeUrl = `${this.slack.url}/oauth/v2/authorize`;
    const tuning = {
      authorizeUrl,
      staggerMs: 0,
      retryMinMs: 10,
      retryMaxMs: 50,
      pingMs: 1_000,
      lingerMs: 50,
      ...this.options.tuning,
    };
    const link = new SlackLink(
      { config: configSchema.parse(this.#config()), network: this.core.network },
      { ...this.options.link, tuning },
    );
    listen(link);
    return link;
  }
}

/** The smallest connector: says what happened to messages and reactions. */
function listen(link: SlackLink): void {
  link.app.event("message", ({ event, context }) => {
    const { making } = context;
    const channel = ChannelId(channelIdOf({ team: making.team, channel: event.channel }));
    const say = (id: string, text: string): void => making.happened(message(id, channel, text));
    if (event.subtype === "message_changed") edited(event, (key, text) => say(key, `edited: ${text}`));
    else if (event.subtype === "message_deleted") say(`${event.deleted_ts}/deleted`, "deleted");
    else if ((event.subtype === undefined || event.subtype === "thread_broadcast") && "text" in event)
      say(event.ts, event.text ?? "");
    return Promise.resolve();
  });
  for (const type of ["reaction_added", "reaction_removed"] as const)
    link.app.event(type, ({ event, context }) => {
      const { making } = context;
      const channel = ChannelId(channelIdOf({ team: making.team, channel: event.item.channel }));
      making.happened(
        message(`${event.item.ts}/${type}/${event.reaction}/${event.event_ts}`, channel, `${type} ${event.reaction}`),
      );
      return Promise.resolve();
    });
}

/** Tells what the bridge knows an edit by; nothing where it takes a change for none. */
function edited(event: unknown, say: (key: string, text: string) => void): void {
  const outcome = outcomeOf(event);
  if (outcome.outcome === "bridged" && outcome.what.kind === "edit") say(outcome.what.key, outcome.what.message.text);
}

function message(id: string, channel: ChannelId, text: string): NetworkEvent {
  return {
    kind: "message",
    id: RemoteMessageId(id),
    channel,
    sender: { id: RemoteUserId("somebody") },
    content: { type: "text", style: "text", body: richTextOf(text) },
  };
}

function inWords(event: NetworkEvent): string {
  return event.kind === "message" && event.content.type === "text" ? toPlainText(event.content.body) : event.kind;
}
