import type { WriteOutcome } from "./frames.js";

/** How many effects are remembered; the oldest are forgotten first. */
const MAX_EFFECTS = 50_000;

interface Effect {
  readonly connection: string;
  meta: string;
  outcome: WriteOutcome | "writing";
  result: string | undefined;
  /** Made for the first who asks while it is being written: hardly anybody does. */
  waiting?: ((outcome: WriteOutcome) => void)[];
}

export interface EffectAnswer {
  readonly connection: string;
  readonly outcome: WriteOutcome;
  readonly result: string | undefined;
}

/** An effect as it can be written down. */
export interface StoredEffect {
  readonly key: string;
  readonly connection: string;
  readonly meta: string;
  readonly outcome: WriteOutcome;
  readonly result: string | undefined;
}

/** Remembers which effects were written to which connection, so that a bridge that died in between can ask. */
export class EffectRegister {
  readonly #effects = new Map<string, Effect>();

  begin(key: string, connection: string, meta: string): void {
    this.#effects.delete(key);
    this.#effects.set(key, { connection, meta, outcome: "writing", result: undefined });
    if (this.#effects.size > MAX_EFFECTS) {
      const oldest = this.#effects.keys().next();
      if (!oldest.done) this.#effects.delete(oldest.value);
    }
  }

  settle(key: string, outcome: WriteOutcome): void {
    const effect = this.#effects.get(key);
    if (effect?.outcome !== "writing") return;
    effect.outcome = outcome;
    for (const tell of effect.waiting ?? []) tell(outcome);
    delete effect.waiting;
  }

  result(key: string, result: string): void {
    const effect = this.#effects.get(key);
    if (!effect) return;
    effect.result = result;
    effect.meta = "";
  }

  /** Resolves to `undefined` for an effect that was never begun; waits for one that is being written. */
  async answer(key: string): Promise<EffectAnswer | undefined> {
    const effect = this.#effects.get(key);
    if (!effect) return undefined;
    const outcome =
      effect.outcome === "writing"
        ? await new Promise<WriteOutcome>((resolve) => (effect.waiting ??= []).push(resolve))
        : effect.outcome;
    return { connection: effect.connection, outcome, result: effect.result };
  }

  /** What a later holder must know, oldest first. */
  get stored(): StoredEffect[] {
    return [...this.#effects].map(([key, { connection, meta, outcome, result }]) => {
      return { key, connection, meta, outcome: outcome === "writing" ? "unsure" : outcome, result };
    });
  }

  restore(effects: readonly StoredEffect[]): void {
    for (const { key, ...effect } of effects) this.#effects.set(key, { ...effect });
  }

  /** Effects that may have been written and of which nobody said what became of them, oldest first. */
  *unresolved(): Generator<{ readonly key: string; readonly connection: string; readonly meta: string }> {
    for (const [key, { connection, meta, outcome, result }] of this.#effects) {
      if (result === undefined && outcome !== "gone") yield { key, connection, meta };
    }
  }
}
