import type { PresenceSignal, RemoteUser, UserId } from "@trestle/core";
import { bareJidOf, localOfUser, parseJid, userOfLocal } from "../address/index.js";
import {
  nickname,
  readPresence,
  writePresence,
  type PresenceStanza,
  type Show,
  type XmlElement,
} from "../content/index.js";
import { avatarUpdate } from "../protocol/index.js";
import type { StanzaTaker } from "../stanza-taker.js";
import type { Element } from "../stream/index.js";
import { addressOf } from "./conversation.js";
import type { MatrixPeople } from "./matrix-people.js";
import type { PeopleParts } from "./parts.js";
import type { Profiles } from "./profiles.js";
import { Recent } from "./recent.js";
import { Subscriptions } from "./subscriptions.js";

export interface PresencesOptions {
  readonly parts: PeopleParts;
  readonly matrixPeople: MatrixPeople;
  readonly profiles: Profiles;
  /** What every presence of ours says that its sender can do (XEP-0115). */
  readonly caps: () => XmlElement | undefined;
  /** A person is called otherwise, or has another picture. */
  readonly changed: (user: UserId, person: RemoteUser) => Promise<void>;
}

type Answer = "subscribe" | "subscribed" | "unsubscribe" | "unsubscribed" | "unavailable";

/**
 * Presence between people on XMPP and Matrix users (RFC 6121): everybody may see that of Matrix users, as far as their
 * homeserver tells it, and is asked for theirs in return, which brings their pictures and names.
 */
export class Presences implements StanzaTaker {
  readonly #options: PresencesOptions;
  readonly #subscriptions: Subscriptions;
  readonly #loaded: Promise<void>;
  /** How Matrix users are; whoever is not here is there. */
  readonly #status = new Recent<PresenceSignal>(20_000);
  /** Ends a round of presences when another begins. */
  #round = 0;

  constructor(options: PresencesOptions) {
    this.#options = options;
    this.#subscriptions = new Subscriptions(options.parts.network.storage, options.parts.tuning.subscriptions);
    this.#loaded = this.#subscriptions.load();
    // Whoever asks for it sees why it failed.
    this.#loaded.catch(() => undefined);
  }

  /** Takes what is between a person and a Matrix user. */
  take(stanza: Element): Promise<void> | undefined | "unknown" {
    if (stanza.name !== "presence") return "unknown";
    const { domain } = this.#options.parts.config;
    const [from = "", to] = [bareJidOf(stanza.attrs["from"] ?? ""), parseJid(stanza.attrs["to"] ?? "")];
    const user = to?.local === undefined ? undefined : userOfLocal(to.local);
    if (user === undefined || to?.domain !== domain || from === "" || parseJid(from)?.domain === domain)
      return "unknown";
    return this.#presence(user, from, readPresence(stanza));
  }

  /** The stream is up: everybody is told who is there, for servers ask only when their own users come. */
  online(): void {
    const round = ++this.#round;
    void this.#tellAll(round).catch((error: unknown) =>
      this.#options.parts.network.log.error({ err: error }, "The presence of Matrix users could not be told"),
    );
  }

  lost(): void {
    this.#round += 1;
  }

  /** Nobody is there any more. */
  async close(): Promise<void> {
    const round = ++this.#round;
    if (this.#options.parts.stream.state.state !== "online") return;
    await this.#loaded;
    for (const user of this.#subscriptions.watched) {
      for (const person of this.#subscriptions.watchersOf(user)) {
        if (round !== this.#round) return;
        await this.#send(user, person, "unavailable");
      }
    }
  }

  /** The homeserver says how somebody is. */
  async status(signal: PresenceSignal): Promise<void> {
    const before = this.#status.get(signal.user);
    if (before?.presence === signal.presence && before.status === signal.status) return;
    this.#status.set(signal.user, signal);
    await this.tell(signal.user);
  }

  /** Tells everybody who sees a Matrix user how they are. */
  async tell(user: UserId): Promise<void> {
    await this.#loaded;
    for (const person of this.#subscriptions.watchersOf(user)) await this.#show(user, person);
  }

  async #presence(user: UserId, person: string, { what }: PresenceStanza): Promise<void> {
    await this.#loaded;
    const subscriptions = this.#subscriptions;
    const { sees, seen } = subscriptions.of(user, person);
    if ((what.kind === "subscribe" || what.kind === "probe") && !sees && subscriptions.isFull)
      return this.#send(user, person, "unsubscribed");
    switch (what.kind) {
      case "subscribe": {
        await subscriptions.change(user, person, { sees: true, ...(seen === "no" && { seen: "asked" }) });
        await this.#send(user, person, "subscribed");
        await this.#show(user, person);
        if (seen === "no") await this.#send(user, person, "subscribe");
        return this.#told(user, person, what);
      }
      case "subscribed":
        return subscriptions.change(user, person, { seen: "yes" });
      case "unsubscribe":
        await subscriptions.change(user, person, { sees: false });
        await this.#send(user, person, "unsubscribed");
        await this.#send(user, person, "unavailable");
        return;
      case "unsubscribed":
        return subscriptions.change(user, person, { seen: "no" });
      case "probe":
        // Only a server of which a user has subscribed asks so: also where another bridge had this domain before.
        await subscriptions.change(user, person, { sees: true });
        return this.#show(user, person);
      case "available":
        return this.#told(user, person, what);
      default:
        return undefined;
    }
  }

  async #told(
    user: UserId,
    person: string,
    news: { readonly nick?: string; readonly avatarHash?: string },
  ): Promise<void> {
    const changed = await this.#options.profiles.told(person, news);
    if (changed) await this.#options.changed(user, changed);
  }

  async #tellAll(round: number): Promise<void> {
    await this.#loaded;
    for (const user of this.#subscriptions.watched) {
      for (const person of this.#subscriptions.watchersOf(user)) {
        if (round !== this.#round) return;
        await this.#show(user, person);
      }
    }
  }

  /** Tells somebody how a Matrix user is, what they are called and which picture they have. */
  async #show(user: UserId, person: string): Promise<void> {
    const { parts, matrixPeople, caps } = this.#options;
    const { presence = "online", status } = this.#status.get(user) ?? {};
    const known = await matrixPeople.of(user);
    const show: Show | undefined = presence === "unavailable" ? "away" : undefined;
    const capabilities = caps();
    await parts.stream.send(
      writePresence({
        from: addressOf(user, parts.config.domain),
        to: person,
        ...(presence === "offline" && { type: "unavailable" }),
        ...(show !== undefined && { show }),
        ...(status !== undefined && { status }),
        extra: [
          nickname(known.name),
          avatarUpdate(await matrixPeople.hashOf(known)),
          ...(capabilities ? [capabilities] : []),
        ],
      }),
    );
  }

  async #send(user: UserId, person: string, type: Answer): Promise<void> {
    const { stream, config } = this.#options.parts;
    // Subscriptions are between accounts, presences from clients (RFC 6121 §3.1.2).
    const from = type === "unavailable" ? addressOf(user, config.domain) : `${localOfUser(user)}@${config.domain}`;
    await stream.send(writePresence({ from, to: person, type }));
  }
}
