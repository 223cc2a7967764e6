import { randomBytes } from "node:crypto";
import {
  type ChannelId,
  type ChannelInfo,
  type ChannelLink,
  type ConnectContext,
  type ConnectorStorage,
  defineConnector,
  type EffectBase,
  type Login,
  type NetworkHandlers,
  type Outcome,
  refused,
  type RemoteUser,
  type RemoteUserId,
  retry,
  type UserId,
  uncertain,
} from "@trestle/core";
import { configSchema, type IrcConfig } from "./config.js";
import { HolderClient } from "./holder-client/holder-client.js";
import type { Welcome } from "./holder-client/link.js";
import { holderPaths } from "./holder-client/paths.js";
import { IdentServer } from "./ident/ident-server.js";
import { setMembership, setTopic } from "./network/channels/channel-effects.js";
import { invite } from "./network/channels/invitations.js";
import { type Account, readLogin } from "./network/accounts/accounts.js";
import { askForAccount } from "./network/accounts/login.js";
import { matrixAppserviceIrc } from "./import/matrix-appservice-irc.js";
import { IrcNetwork } from "./network/irc-network.js";
import { isKey } from "./network/channels/channel-keys.js";
import { channelIdOf, personOf, type Place, placeOf, queryIdOf, remoteUserIdOf } from "./network/ids.js";
import { nickCommand } from "./network/nicks/nick-command.js";
import { NotKnownYet, PastEffects } from "./network/outward/past-effects.js";
import { setRole, setSettings } from "./network/channels/rank-effects.js";
import { botCredentialsOf } from "./network/bot-credentials.js";
import { readPemFile } from "./network/pem-file.js";
import { react } from "./network/outward/reactions.js";
import { redact } from "./network/outward/redactions.js";
import { say } from "./network/outward/speech.js";
import type { Connection } from "./session/connection.js";
import { stateOf } from "./session/state.js";
import { caseMappingOf } from "./wire/casemapping.js";
import { isChannelName } from "./wire/sanitise.js";
import { richLines } from "./network/outward/rich-lines.js";

/** Under which the holder that was met last is stored. */
const HOLDER_KEY = "holder";
/** Under which the key of puppets' addresses is stored. */
const ADDRESS_KEY = "address-key";
/** How long a message waits for the holder before it is cut. */
const HOLDER_WITHIN_MS = 5_000;

/** The IRC bridge. */
export default defineConnector({
  network: "irc",
  displayName: "IRC",
  config: configSchema,
  importers: { "matrix-appservice-irc": matrixAppserviceIrc },
  connect: async (context) => {
    const bridge = new IrcBridge(context);
    await bridge.start();
    return bridge.handlers();
  },
});

type Apply<Where> = (network: IrcNetwork, place: Where) => Promise<Outcome>;

class IrcBridge {
  readonly #networks = new Map<string, IrcNetwork>();
  readonly #connections = new Map<string, Connection>();
  readonly #holder: HolderClient;
  readonly #past: PastEffects;
  readonly #ident: IdentServer | undefined;
  #stopped = false;
  /** Counts sessions with the holder. */
  #session = 0;

  constructor(private readonly context: ConnectContext<IrcConfig>) {
    const { config, network } = context;
    this.#holder = new HolderClient({
      paths: holderPaths(network.bridge.dataDirectory, network.bridge.name),
      graceMs: config.grace * 1000,
      quit: config.quitMessage,
      log: network.log,
      events: {
        welcome: (welcome) => this.#welcome(welcome),
        dialled: (connection, ends) => {
          this.#connections.get(connection)?.dialled(ends);
          this.#ident?.changed();
        },
        opened: (connection) => this.#connections.get(connection)?.opened(),
        lines: (connection, first, lines) => this.#connections.get(connection)?.lines(first, lines),
        closed: (connection, reason) => {
          this.#connections.get(connection)?.closed(reason);
          this.#ident?.changed();
        },
        lost: (reason, final) => this.#lost(reason, final),
      },
    });
    const { ident } = config;
    this.#ident =
      ident &&
      new IdentServer({
        port: ident.port,
        address: ident.address,
        clients: () => this.#connections.values(),
        log: network.log,
      });
    this.#past = new PastEffects({
      holder: this.#holder,
      verdictOf: (connection, key) => {
        for (const each of this.#networks.values()) {
          const verdict = each.verdictOf(connection, key);
          if (verdict) return verdict;
        }
        return undefined;
      },
      isFollowed: (connection) => this.#connections.has(connection),
      log: network.log,
    });
  }

  async start(): Promise<void> {
    const { config, network } = this.context;
    const addressKey = await readOrMakeAddressKey(network.storage);
    for (const each of config.networks) {
      const stored = await network.storage.get(`casemapping:${each.name}`);
      const made = new IrcNetwork({
        config: each,
        ca: each.ca === undefined ? undefined : readPemFile(each.name, "ca", each.ca),
        botCredentials: botCredentialsOf(each),
        core: network,
        holder: this.#holder,
        quitMessage: config.quitMessage,
        caseMapping: caseMappingOf(stored),
        connections: this.#connections,
        addressKey,
      });
      await made.servers.restore();
      this.#networks.set(each.name, made);
    }
    for (const each of this.#networks.values()) await each.load();
    await this.#ident?.start();
    this.#holder.start();
  }

  handlers(): NetworkHandlers {
    return {
      limits: { replies: true, reactedTo: this.context.config.networks.some(({ asText }) => asText.reactions) },
      split: async (message) => {
        const place = placeOf(message.channel);
        const network = this.#networks.get(place?.network ?? "");
        // Only with the connections of before does whoever may have said it have the room they had then.
        if (message.maybeSent || message.attempt > 1) await this.#holder.whenAttached(HOLDER_WITHIN_MS);
        // Of what has no network one part is made, which is refused: of none nobody would hear.
        return place && network ? richLines(network, place, message, this.context.network.textLink) : [null];
      },
      message: (effect) => this.#apply(effect, (...to) => say(...to, effect)),
      react: (effect) => this.#once(effect, (...to) => react(...to, effect, "react")),
      unreact: (effect) => this.#once(effect, (...to) => react(...to, effect, "unreact")),
      redact: (effect) => this.#apply(effect, (...to) => redact(...to, effect, this.#past)),
      topic: (effect) => this.#channelEffect(effect, (...to) => setTopic(...to, effect)),
      role: (effect) => this.#channelEffect(effect, (...to) => setRole(...to, effect)),
      settings: (effect) => this.#channelEffect(effect, (...to) => setSettings(...to, effect)),
      invite: (effect) =>
        this.#channelEffect(effect, (...to) => invite(...to, effect, this.context.network, this.#past)),
      membership: (effect) => this.#channelEffect(effect, (...to) => setMembership(...to, effect)),
      typing: (signal) => {
        const place = placeOf(signal.channel);
        const network = this.#networks.get(place?.network ?? "");
        if (place && network?.config.typing === true) network.momentary.typing.show(place, signal);
        return Promise.resolve();
      },
      presence: (signal) => {
        for (const network of this.#networks.values()) network.momentary.away.take(signal);
        return Promise.resolve();
      },
      findSent: (effect) => this.#past.find(effect),
      holdBack: (channel) => this.#holdMs(channel),
      linked: (link) => this.#whereLinked(link, (network, channel) => network.link(link, channel)),
      unlinked: (link) => this.#whereLinked(link, (network, channel) => network.unlink(channel)),
      consent: async (request) => {
        const place = placeOf(request.channel);
        const network = this.#networks.get(place?.network ?? "");
        if (network) await this.#holder.whenAttached(HOLDER_WITHIN_MS);
        return network && place?.kind === "channel" ? network.consents.ask(place.channel, request) : "given";
      },
      resolveChannel: (text) => soon(() => this.#resolveChannel(text)),
      resolveUser: (text) => soon(() => this.#resolveUser(text)),
      directChannel: (user, remote) => soon(() => this.#directChannel(user, remote)),
      commands: { nick: nickCommand(this.#networks) },
      accountNetworks: {
        names: [...this.#networks.values()].filter((each) => each.speaksByPuppets).map(({ name }) => name),
        of: (account) => readLogin({ account })?.network,
      },
      login: (session) => askForAccount(session, [...this.#networks.values()]),
      signedIn: (login) => soon(() => this.#withLogin(login, (network, account) => network.accounts.signedIn(account))),
      logout: (login) => soon(() => this.#withLogin(login, (network, { user }) => network.accounts.signedOut(user))),
      suspendUser: ({ user }) => soon(() => this.#suspend(user)),
      close: () => this.#close(),
    };
  }

  /** Does what an effect asks for; what cannot be known yet is asked again. */
  async #apply(effect: EffectBase, apply: Apply<Place>): Promise<Outcome> {
    const place = placeOf(effect.channel);
    const network = this.#networks.get(place?.network ?? "");
    if (!place || !network) return refused(`${effect.channel} is on a network that is not configured`);
    if (!this.#holder.attached) {
      const reason = "the connection holder is being started";
      return effect.maybeSent ? uncertain(reason) : retry(reason, { afterMs: 500 });
    }
    try {
      return await apply(network, place);
    } catch (error) {
      if (error instanceof NotKnownYet) return uncertain(error.message);
      throw error;
    }
  }

  /** The same for what must not be repeated, and of which the core does not ask `findSent`. */
  #once(effect: EffectBase, apply: Apply<Place>): Promise<Outcome> {
    return this.#apply(effect, async (network, place) => {
      return (await this.#past.wasDone(effect)) ? {} : await apply(network, place);
    });
  }

  /** A query has neither topic nor members, and nobody waits for those of a network that is not configured. */
  async #channelEffect(effect: EffectBase, apply: Apply<Extract<Place, { kind: "channel" }>>): Promise<Outcome> {
    const place = placeOf(effect.channel);
    if (place?.kind !== "channel" || !this.#networks.has(place.network)) return undefined;
    return await this.#once(effect, (network) => apply(network, place));
  }

  #resolveChannel(text: string): ChannelInfo | null {
    const typed = text.trim().replace(/^ircs?:\/\/([^/]+)\/+/, (_, host: string) => `${this.#networkOfHost(host)}/`);
    const slash = typed.indexOf("/");
    const named = slash > 0 ? this.#networks.get(typed.slice(0, slash)) : undefined;
    const only = this.#networks.size === 1 ? [...this.#networks.values()][0] : undefined;
    const network = named ?? only;
    const [channel = "", key, ...more] = (named ? typed.slice(slash + 1) : typed).split(/ +/);
    if (!network) {
      const names = [...this.#networks.keys()];
      throw new Error(`Which network? Type one of: ${names.map((name) => `${name}/#channel`).join(", ")}`);
    }
    if (!isChannelName(channel, network.isupport.channelPrefixes)) {
      throw new Error(`"${channel}" is no IRC channel. Type something like ${network.name}/#channel`);
    }
    if (key !== undefined && (more.length > 0 || !isKey(key)))
      throw new Error(`"${[key, ...more].join(" ")}" is no key. Type something like ${network.name}/#channel key`);
    if (key !== undefined) network.keys.set(network.fold(channel), key);
    return {
      id: channelIdOf(network.name, network.fold(channel)),
      name: this.#networks.size === 1 ? channel : `${network.name}/${channel}`,
      // Until its modes are known.
      settings: { secret: true },
    };
  }

  #resolveUser(text: string): RemoteUser | null {
    const person = personOf(text);
    const network = this.#networks.get(person?.network ?? "");
    if (!person || !network) return null;
    const folded = network.fold(person.nick);
    return { id: remoteUserIdOf(network.name, folded), name: network.nickOf(folded) ?? person.nick.replace(/^\$/, "") };
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

  /** For how long what is said in a channel is to wait for those who are to be seen there. */
  #holdMs(channel: ChannelId): number {
    const place = placeOf(channel);
    if (place?.kind !== "channel") return 0;
    return this.#networks.get(place.network)?.readers.awaited.holdMs(place.channel) ?? 0;
  }

  #withLogin(login: Login, apply: (network: IrcNetwork, account: Account) => void): void {
    const { id, user } = login;
    const secret = readLogin(login);
    const network = this.#networks.get(secret?.network ?? "");
    if (network && secret) apply(network, { login: id, user, credentials: secret.credentials });
  }

  /** A policy list bans them: also who talks in private, or has signed in, is connected no longer. */
  #suspend(user: UserId): Outcome {
    // Those who were connected before are known when it is.
    if (!this.#holder.attached) return retry("the connection holder is being started", { afterMs: 500 });
    for (const network of this.#networks.values()) {
      network.accounts.known.delete(user);
      const puppet = network.puppets.get(user);
      if (puppet) network.puppets.remove(puppet, "Left");
    }
    return undefined;
  }

  #networkOfHost(host: string): string {
    const bare = host.replace(/:\d+$/, "");
    return this.context.config.networks.find((network) => network.host === bare)?.name ?? bare;
  }

  async #welcome(welcome: Welcome): Promise<void> {
    const session = ++this.#session;
    const { storage } = this.context.network;
    const { links: allLinks, logins: allLogins } = this.context.network;
    const [links, logins, before] = await Promise.all([allLinks(), allLogins(), storage.get(HOLDER_KEY)]);
    if (!this.#isSession(session)) return;
    // Held connections are compared with the accounts of their users.
    for (const login of logins) this.#withLogin(login, (network, account) => network.accounts.known.set(account));
    if (before !== welcome.instance) {
      if (before !== undefined) this.#past.holderChangedAt = Date.now();
      await storage.set(HOLDER_KEY, welcome.instance);
      // The session may have ended meanwhile: then another welcome follows.
      if (!this.#isSession(session)) return;
    }
    const known = new Set<string>();
    for (const network of this.#networks.values()) {
      const held = welcome.held.filter((frame) => stateOf(frame.state)?.role.network === network.name);
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
    // Before nothing more is taken: what was is on disk, or will not be.
    const marked = [...this.#networks.values()].map(({ history }) => history.close());
    for (const network of this.#networks.values()) {
      if (quits) network.quit();
      else network.detach();
    }
    await this.#ident?.close();
    await this.#holder.stop(quits ? "quit" : "detach");
    await Promise.all(marked);
    this.#connections.clear();
  }
}

/** The key of puppets' addresses, made at the first start: with another everybody would have another address. */
async function readOrMakeAddressKey(storage: ConnectorStorage): Promise<Uint8Array> {
  const stored = await storage.get(ADDRESS_KEY);
  if (stored !== undefined) return Buffer.from(stored, "base64url");
  const made = randomBytes(32);
  await storage.set(ADDRESS_KEY, made.toString("base64url"));
  return made;
}

/** What is thrown rejects. */
function soon<T>(answer: () => T): Promise<T> {
  return new Promise((resolve) => resolve(answer()));
}
