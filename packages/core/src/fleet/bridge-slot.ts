import { Overloaded, type AppServiceHandler, type ThirdPartyLookup } from "../appservice/handler.js";
import type { Clock } from "../delivery/clock.js";
import type { Bridge } from "../bridge/bridge.js";
import type { BridgeSpec } from "./bridge-spec.js";

/** How long a request waits while a bridge is replaced, in milliseconds; Synapse gives up after a minute. */
const patienceMs = 30_000;

/** A bridge, and what it was made from. */
export interface RunningBridge {
  readonly bridge: Bridge;
  readonly spec: BridgeSpec;
}

/**
 * The place of a bridge, by its name. While another takes the place of the one in it, requests of the homeserver wait for
 * that one: the homeserver need not know, and needs no second try.
 */
export class BridgeSlot implements AppServiceHandler {
  /** Not stopped yet, or started already. */
  running: RunningBridge | undefined;
  /** Takes requests. */
  #open: Bridge | undefined;
  /** Why there is none, and will be none before the configuration changes. */
  #refusal: string | undefined;
  #underWay = 0;
  #idle: () => void = () => undefined;
  readonly #waiting = new Set<() => void>();

  constructor(
    readonly name: string,
    readonly clock: Clock,
  ) {}

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Why no bridge runs here, for a person. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** A bridge has started: requests are for it. */
  open(running: RunningBridge): void {
    this.running = running;
    this.#open = running.bridge;
    this.#refusal = undefined;
    this.#wake();
  }

  /** From now on requests wait; resolves when those that were taken are answered, or `deadline` resolves. */
  async close(deadline: Promise<void>): Promise<void> {
    this.#open = undefined;
    this.#refusal = undefined;
    if (this.#underWay === 0) return;
    await Promise.race([new Promise<void>((resolve) => (this.#idle = resolve)), deadline]);
  }

  /** There is no bridge, and none will follow by itself: the homeserver keeps what it has. */
  refuse(why: string): void {
    this.#open = undefined;
    this.#refusal = why;
    this.#wake();
  }

  /**
   * The bridge, once it takes requests.
   *
   * @throws Overloaded where it does not in time
   */
  async bridge(): Promise<Bridge> {
    const until = this.clock.now() + patienceMs;
    while (!this.#open) {
      const left = until - this.clock.now();
      if (this.#refusal !== undefined || left <= 0)
        throw new Overloaded(this.#refusal ?? `The bridge ${this.name} is being started anew; try again in a moment.`);
      await this.#change(left);
    }
    return this.#open;
  }

  // The homeserver's requests

  async transaction(...given: Parameters<AppServiceHandler["transaction"]>): Promise<void> {
    await this.#use((bridge) => bridge.transaction(...given));
  }

  hungUp(underWay: boolean): void {
    this.running?.bridge.hungUp(underWay);
  }

  queryUser(userId: string): Promise<boolean> {
    return this.#use((bridge) => bridge.queryUser(userId));
  }

  queryAlias(alias: string): Promise<boolean> {
    return this.#use((bridge) => bridge.queryAlias(alias));
  }

  readonly thirdParty: ThirdPartyLookup = {
    protocol: (...given) => this.#use(({ thirdParty }) => thirdParty.protocol(...given)),
    locations: (...given) => this.#use(({ thirdParty }) => thirdParty.locations(...given)),
    users: (...given) => this.#use(({ thirdParty }) => thirdParty.users(...given)),
    locationsOf: (...given) => this.#use(({ thirdParty }) => thirdParty.locationsOf(...given)),
    usersOf: (...given) => this.#use(({ thirdParty }) => thirdParty.usersOf(...given)),
  };

  async #use<Result>(work: (bridge: Bridge) => Promise<Result>): Promise<Result> {
    const bridge = this.#open ?? (await this.bridge());
    this.#underWay += 1;
    try {
      return await work(bridge);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#idle();
    }
  }

  /** Resolves when something has changed, or after `ms`. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#waiting.delete(end);
        resolve();
      };
      const cancel = this.clock.after(ms, end);
      this.#waiting.add(end);
    });
  }

  #wake(): void {
    for (const end of [...this.#waiting]) end();
  }
}
