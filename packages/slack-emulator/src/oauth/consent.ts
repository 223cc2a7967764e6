/** What the person on the authorize page decides. */
export interface Consent {
  readonly teamId: string;
  readonly userId: string;
  /** The channel an incoming webhook posts to; the first public one when absent. */
  readonly channelId?: string | undefined;
  /** They press Cancel. */
  readonly denied: boolean;
}

/** What is decided for each app; without a decision the first person of the first workspace allows it. */
export class Consents {
  readonly #byApp = new Map<string, Consent>();

  set(appId: string, consent: Consent): void {
    this.#byApp.set(appId, consent);
  }

  get(appId: string): Consent | undefined {
    return this.#byApp.get(appId);
  }
}
