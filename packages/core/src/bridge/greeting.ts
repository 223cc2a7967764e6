import { ContentUri } from "../connector/ids.js";
import { classify } from "../matrix/failure.js";
import type { HomeserverPing } from "./homeserver-health.js";
import { makes, type Linker } from "./linker.js";
import type { MissedEvents } from "./missed-events.js";
import type { PolicyLists } from "./policy/policy-lists.js";
import { pause } from "./pause.js";
import type { BridgeRuntime } from "./runtime.js";

const linkAttempts = 3;
const longestWaitMs = 30_000;

export interface GreetingParts {
  readonly runtime: BridgeRuntime;
  readonly botLocalpart: string;
  readonly linker: Linker;
  readonly ping: HomeserverPing;
  readonly missed: MissedEvents;
  readonly policies: PolicyLists;
}

/** What a bridge begins with as soon as the homeserver answers. */
export class Greeting {
  #registered = false;

  constructor(readonly parts: GreetingParts) {}

  /** The homeserver has let the bot in. */
  get registered(): boolean {
    return this.#registered;
  }

  /**
   * Registers the bot, asks whether the homeserver reaches us, makes the links of the configuration, and looks for what
   * was missed. Tried until it succeeds or `leaving` is aborted, which ends every wait. `letIn` is called when the bot
   * may act.
   */
  async say(leaving: AbortSignal, letIn: () => void): Promise<void> {
    if (!(await this.#register(leaving))) return;
    this.#registered = true;
    this.parts.policies.begin(leaving);
    const caughtUp = this.parts.missed.begin();
    await this.#introduceBot();
    if (!leaving.aborted) await this.parts.ping.run();
    await this.#configuredLinks(leaving);
    letIn();
    await caughtUp;
  }

  /** Resolves to `false` when it was given up. */
  async #register(leaving: AbortSignal): Promise<boolean> {
    const { client, clock, log } = this.parts.runtime;
    for (let attempt = 1; !isLeaving(leaving); attempt += 1) {
      const registered = await client.register(this.parts.botLocalpart);
      if (registered.ok) return true;
      if (isLeaving(leaving)) return false;
      const { advice } = classify(registered.failure);
      log.error(
        { failure: registered.failure },
        `The homeserver does not let the bridge in yet. ${advice ?? "Is it running, and is homeserver.url right?"}`,
      );
      await pause(clock, Math.min(longestWaitMs, 500 * 2 ** attempt), leaving);
    }
    return false;
  }

  async #introduceBot(): Promise<void> {
    const { client, bot, config, networkName, log } = this.parts.runtime;
    const name = config.displayName ?? `${networkName} bridge`;
    const profile = await client.getProfile(bot);
    if (!profile.ok) return;
    const named = profile.body?.displayName === name || (await client.setDisplayName(bot, name)).ok;
    const pictured =
      config.avatar === undefined ||
      profile.body?.avatarUrl === config.avatar ||
      (await client.setAvatarUrl(bot, ContentUri(config.avatar))).ok;
    if (!named || !pictured) log.warn("The bridge bot's name or avatar could not be set");
  }

  async #configuredLinks(leaving: AbortSignal): Promise<void> {
    const { config, links } = this.parts.runtime;
    for (const { room, channel } of config.links) {
      if (leaving.aborted) return;
      const known = (await links.ofRoom(room)).some((link) => makes({ room, channel }, link));
      if (!known) await this.#link(room, channel, leaving);
    }
  }

  async #link(room: string, channel: string, leaving: AbortSignal): Promise<void> {
    const { clock, log } = this.parts.runtime;
    for (let attempt = 1; attempt <= linkAttempts && !isLeaving(leaving); attempt += 1) {
      try {
        await this.parts.linker.link(room, channel, "config");
        return;
      } catch (error) {
        const conflict = error instanceof Error && "code" in error && error.code === "conflict";
        if (conflict || isLeaving(leaving)) return;
        log.error(
          { room, channel, reason: error instanceof Error ? error.message : String(error) },
          "A link of the configuration could not be made",
        );
        if (attempt < linkAttempts) await pause(clock, 1_000 * attempt, leaving);
      }
    }
  }
}

/** Asked anew each time: it may become true during any wait. */
function isLeaving(signal: AbortSignal): boolean {
  return signal.aborted;
}
