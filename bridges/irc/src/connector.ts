import { readFileSync } from "node:fs";
import {
  type ChannelId,
  type ChannelInfo,
  type ChannelLink,
  type ConnectContext,
  defineConnector,
  type EffectBase,
  type MessageEffect,
  type NetworkHandlers,
  type Outcome,
  refused,
  RemoteMessageId,
  type RemoteUser,
  type RemoteUserId,
  retry,
  type Sent,
  type UserId,
} from "@trestle/core";
import { configSchema, type IrcConfig } from "./config.js";
import { HolderClient } from "./holder-client/holder-client.js";
import type { Welcome } from "./holder-client/link.js";
import { holderPaths } from "./holder-client/paths.js";
import { setMembership, setTopic } from "./network/channel-effects.js";
import { IrcNetwork } from "./network/irc-network.js";
import { channelIdOf, personOf, type Place, placeOf, queryIdOf, remoteUserIdOf } from "./network/ids.js";
import { say } from "./network/speech.js";
import type { Connection } from "./session/connection.js";
import { decodeVerdict, type Verdict } from "./session/deliveries.js";
import { BASE_KEY, decodeState } from "./session/state.js";
import { caseMappingOf } from "./wire/casemapping.js";
import { isChannelName } from "./wire/sanitise.js";
import { richLines } from "./network/rich-lines.js";

/** Under which the holder that was met last is stored. */
const HOLDER_KEY = "holder";

/** The IRC bridge. */
export default defineConnector({
  network: "irc",
  displayName: "IRC",
  config: configSchema,
  connect: async (context) => {
    const bridge = new IrcBridge(context);
    await bridge.start();
    return bridge.handlers();
  },
});

class IrcBridge {
  readonly #networks = new Map<string, IrcNetwork>();
  readonly #connections = new Map<string, Connection>();
  readonly #holder: HolderClient;
  #stopped = false;
  /** Counts sessions with the holder. */
  #session = 0;
  /** How many messages may be on IRC twice. */
  #repetitions = 0;
  /** When another holder was met than before, in milliseconds since 1970. */
  #holderChangedAt = 0;

  constructor(private readonly context: ConnectContext<IrcConfig>) {
    const { config, network } = context;
    this.#holder = new HolderClient({
      paths: holderPaths(network.bridge.dataDirectory, network.bridge.name),
      graceMs: config.grace * 1000,
      quit: config.quitMessage,
      log: network.log,
      events: {
        welcome: (welcome) => this.#welcome(welcome),
        opened: (connection) => this.#connections.get(connection)?.opened(),
        lines: (connection, first, lines) => this.#connections.get(connection)?.lines(first, lines),
        closed: (connection, reason) => this.#connections.get(connection)?.closed(reason),
        lost: (reason, final) => this.#lost(reason, final),
      },
    });
  }

  async start(): Promise<void> {
    const { config, network } = this.context;
    for (const each of config.networks) {
      const stored = await network.storage.get(`casemapping:${each.name}`);
      this.#networks.set(
        each.name,
        new IrcNetwork({
          config: each,
          ca: each.ca === undefined ? undefined : readCertificates(each.name, each.ca),
          core: network,
          holder: this.#holder,
          quitMessage: config.quitMessage,
          caseMapping: caseMappingOf(stored),
          connections: this.#connections,
        }),
      );
    }
    this.#holder.start();
  }

  handlers(): NetworkHandlers {
    return {
      limits: {},
      split: (message) => {
        const place = placeOf(message.channel);
        const network = this.#networks.get(place?.network ?? "");
        return place && network ? richLines(network, place, message) : [];
      },
      message: (effect) => this.#message(effect),
      topic: (effect) => this.#channelEffect(effect, setTopic),
      membership: (effect) => this.#channelEffect(effect, setMembership),
      findSent: (effect) => this.#findSent(effect),
      linked: (link) => this.#whereLinked(link, (network, channel) => network.channels.link(channel)),
      unlinked: (link) => this.#whereLinked(link, (network, channel) => network.unlink(channel)),
      resolveChannel: (text) => soon(() => this.#resolveChannel(text)),
      resolveUser: (text) => soon(() => this.#resolveUser(text)),
      directChannel: (user, remote) => soon(() => this.#directChannel(user, remote)),
      close: () => this.#close(),
    };
  }

  async #message(effect: MessageEffect): Promise<Outcome> {
    const place = placeOf(effect.channel);
    const network = this.#networks.get(place?.network ?? "");
    if (!place || !network) return refused(`${effect.channel} is on a network that is not configured`);
    if (!this.#holder.attached) return retry("the connection holder is being started", { afterMs: 500 });
    return await say(network, place, effect);
  }

  async #channelEffect<Effect extends EffectBase>(
    effect: Effect,
    apply: (network: IrcNetwork, place: Extract<Place, { kind: "channel" }>, effect: Effect) => Promise<Outcome>,
  ): Promise<Outcome> {
    const place = placeOf(effect.channel);
    const network = this.#networks.get(place?.network ?? "");
    // A query has neither topic nor members.
    return network && place?.kind === "channel" ? await apply(network, place, effect) : undefined;
  }

  /**
   * Exact as long as the connection lives: the holder knows what was written, the server what it did with it. Where a
   * connection broke in between and nobody saw what became of its last lines, they may be repeated, which is counted.
   */
  async #findSent(effect: MessageEffect): Promise<Sent | null> {
    const { outcome, connection, open, result } = await this.#holder.ask(effect.effect);
    if (outcome === "gone") return null;
    if (outcome === "unknown") {
      // A holder that was there all the time knows that nothing was written; another does not know what the first wrote.
      if (this.#holderChangedAt > effect.at) this.#mayRepeat(effect);
      return null;
    }
    const verdict = result === undefined ? await this.#verdictOf(connection, effect) : decodeVerdict(result);
    if (verdict?.verdict === "sent") return verdict.id === undefined ? {} : { id: RemoteMessageId(verdict.id) };
    if (verdict?.verdict === "refused" || verdict?.verdict === "absent") return null;
    if (open || this.#connections.has(connection))
      throw new Error("the server has not said yet what became of the message");
    this.#mayRepeat(effect);
    return null;
  }

  #mayRepeat({ effect, channel }: MessageEffect): void {
    this.#repetitions++;
    const { log } = this.context.network;
    log.warn(
      { effect, channel, soFar: this.#repetitions },
      "a connection ended while a message was on its way: it may be repeated",
    );
  }

  async #verdictOf(connection: string, { effect, signal }: MessageEffect): Promise<Verdict | undefined> {
    for (const network of this.#networks.values()) {
      const verdict = network.verdictOf(connection, effect);
      if (verdict) return await Promise.race([verdict, aborted(signal)]);
    }
    return undefined;
  }

  #resolveChannel(text: string): ChannelInfo | null {
    const typed = text.trim().replace(/^ircs?:\/\/([^/]+)\/+/, (_, host: string) => `${this.#networkOfHost(host)}/`);
    const slash = typed.indexOf("/");
    const named = slash > 0 ? this.#networks.get(typed.slice(0, slash)) : undefined;
    const only = this.#networks.size === 1 ? [...this.#networks.values()][0] : undefined;
    const network = named ?? only;
    const channel = named ? typed.slice(slash + 1) : typed;
    if (!network) {
      const names = [...this.#networks.keys()];
      throw new Error(`Which network? Type one of: ${names.map((name) => `${name}/#channel`).join(", ")}`);
    }
    if (!isChannelName(channel, network.isupport.channelPrefixes)) {
      throw new Error(`"${channel}" is no IRC channel. Type something like ${network.name}/#channel`);
    }
    return {
      id: channelIdOf(network.name, network.fold(channel)),
      name: this.#networks.size === 1 ? channel : `${network.name}/${channel}`,
    };
  }

  #resolveUser(text: string): RemoteUser | null {
    const person = personOf(text);
    const network = this.#networks.get(person?.network ?? "");
    if (!person || !network) return null;
    const folded = network.fold(person.nick);
    return { id: remoteUserIdOf(network.name, folded), name: network.members.nickOf(folded) ?? person.nick };
  }

  #directChannel(user: UserId, remote: RemoteUserId): ChannelId {
    const person = personOf(remote);
    if (!person || !this.#networks.has(person.network))
      throw new Error(`${remote} is nobody on a network of this bridge`);
    return queryIdOf(person.network, person.nick, user);
  }

  #whereLinked(link: ChannelLink, apply: (network: IrcNetwork, channel: string) => void): Promise<void> {
    const place = placeOf(link.channel);
    const network = this.#networks.get(place?.network ?? "");
    if (network && place?.kind === "channel") apply(network, place.channel);
    return Promise.resolve();
  }

  #networkOfHost(host: string): string {
    const bare = host.replace(/:\d+$/, "");
    return this.context.config.networks.find((network) => network.host === bare)?.name ?? bare;
  }

  async #welcome(welcome: Welcome): Promise<void> {
    const session = ++this.#session;
    const { storage } = this.context.network;
    const [links, before] = await Promise.all([this.context.network.links(), storage.get(HOLDER_KEY)]);
    if (!this.#isSession(session)) return;
    if (before !== welcome.instance) {
      if (before !== undefined) this.#holderChangedAt = Date.now();
      await storage.set(HOLDER_KEY, welcome.instance);
      // The session may have ended meanwhile: then another welcome follows.
      if (!this.#isSession(session)) return;
    }
    const known = new Set<string>();
    for (const network of this.#networks.values()) {
      const held = welcome.held.filter(
        (frame) => networkOf(frame.state.find(([key]) => key === BASE_KEY)?.[1]) === network.name,
      );
      for (const { connection } of held) known.add(connection);
      network.welcome(held, welcome.pending, links);
    }
    for (const { connection } of welcome.held) {
      if (known.has(connection)) continue;
      this.#holder.close(connection, "QUIT");
      this.#holder.forget(connection);
    }
  }

  #isSession(session: number): boolean {
    return !this.#stopped && session === this.#session;
  }

  #lost(reason: string, final: boolean): void {
    this.#session++;
    this.context.network.log.error({ reason }, "the connection holder is lost");
    for (const network of this.#networks.values()) network.lost();
    this.#connections.clear();
    if (final) this.context.network.report({ connection: "holder", state: "failed", detail: reason });
  }

  async #close(): Promise<void> {
    this.#stopped = true;
    const quits = this.context.config.onStop === "quit";
    for (const network of this.#networks.values()) {
      if (quits) network.quit();
      else network.detach();
    }
    await this.#holder.stop(quits ? "quit" : "detach");
    this.#connections.clear();
  }
}

function readCertificates(network: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`The file of the option ca of the network ${network} cannot be read: ${String(error)}`, {
      cause: error,
    });
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new Error("nobody has said in time what became of the message"));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/** What is thrown rejects. */
function soon<T>(answer: () => T): Promise<T> {
  return new Promise((resolve) => resolve(answer()));
}

function networkOf(base: string | undefined): string | undefined {
  return base === undefined ? undefined : decodeState(base)?.role.network;
}
