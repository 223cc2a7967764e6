import type { Network } from "@trestle/core";
import { type CaseMapping, fold } from "../wire/casemapping.js";
import { Isupport } from "../wire/isupport.js";

/** What a network said of itself (`005`), to whichever connection was told last; the spelling rules outlive the process. */
export class NetworkRules {
  #isupport = new Isupport();

  /** `caseMapping`: the spelling rules the network had when it was last seen. */
  constructor(
    private readonly network: string,
    private readonly core: Pick<Network, "storage" | "log">,
    private caseMapping: CaseMapping,
  ) {}

  get isupport(): Isupport {
    return this.#isupport;
  }

  fold(text: string): string {
    return fold(text, this.caseMapping);
  }

  /** Whether the spelling rules are others now. */
  learn(isupport: Isupport): boolean {
    this.#isupport = isupport;
    const mapping = isupport.caseMapping;
    if (mapping === this.caseMapping) return false;
    this.caseMapping = mapping;
    const { storage, log } = this.core;
    storage.set(`casemapping:${this.network}`, mapping).catch((error: unknown) => {
      log.warn({ err: error }, "the spelling rules of a network could not be stored");
    });
    return true;
  }
}
