import { type EffectBase, type Logger, RemoteMessageId, type Sent } from "@trestle/core";
import type { HolderClient } from "../../holder-client/holder-client.js";
import { decodeVerdict, type Verdict } from "../../session/deliveries.js";

/** What became of an effect is not known yet: to be asked again. */
export class NotKnownYet extends Error {
  override readonly name = "NotKnownYet";
}

/** What is asked about. */
export type PastEffect = Pick<EffectBase, "effect" | "channel" | "at" | "signal">;

export interface PastEffectsOptions {
  readonly holder: HolderClient;
  /** What a connection that is being followed will say of an effect. */
  readonly verdictOf: (connection: string, key: string) => Promise<Verdict> | undefined;
  readonly isFollowed: (connection: string) => boolean;
  readonly log: Logger;
}

/**
 * What became of effects that may have been written before. Exact as long as the connection lives: the holder knows what
 * was written, the server what it did with it. Where a connection broke in between and nobody saw what became of its
 * last lines, they may be repeated, which is counted.
 */
export class PastEffects {
  /** When another holder was met than before, in milliseconds since 1970. */
  holderChangedAt = 0;
  /** How many effects may be on IRC twice. */
  #repetitions = 0;

  constructor(private readonly options: PastEffectsOptions) {}

  /** Whether an earlier attempt has done it. Rejects with `NotKnownYet`. */
  async wasDone(effect: EffectBase): Promise<boolean> {
    return (effect.maybeSent || effect.attempt > 1) && (await this.find(effect)) !== null;
  }

  /** What was sent, `null` where surely nothing was. Rejects with `NotKnownYet`. */
  async find(effect: PastEffect): Promise<Sent | null> {
    const { outcome, connection, open, result } = await this.#ask(effect.effect);
    if (outcome === "gone") return null;
    if (outcome === "unknown") {
      // A holder that was there all the time knows that nothing was written; another does not know what the first wrote.
      if (this.holderChangedAt > effect.at) this.#mayRepeat(effect);
      return null;
    }
    const verdict = result === undefined ? await this.#verdictOf(connection, effect) : decodeVerdict(result);
    if (verdict?.verdict === "sent") return verdict.id === undefined ? {} : { id: RemoteMessageId(verdict.id) };
    if (verdict?.verdict === "refused" || verdict?.verdict === "absent") return null;
    if (open || this.options.isFollowed(connection))
      throw new NotKnownYet("the server has not said yet what became of it");
    this.#mayRepeat(effect);
    return null;
  }

  async #ask(key: string) {
    try {
      return await this.options.holder.ask(key);
    } catch (error) {
      throw new NotKnownYet(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  async #verdictOf(connection: string, { effect, signal }: PastEffect): Promise<Verdict | undefined> {
    const verdict = this.options.verdictOf(connection, effect);
    return verdict && (await Promise.race([verdict, aborted(signal)]));
  }

  #mayRepeat({ effect, channel }: PastEffect): void {
    this.#repetitions++;
    this.options.log.warn(
      { effect, channel, soFar: this.#repetitions },
      "a connection ended while something was on its way: it may be repeated",
    );
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new NotKnownYet("nobody has said in time what became of it"));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
