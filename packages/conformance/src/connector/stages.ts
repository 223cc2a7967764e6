import type { NetworkFake } from "../network/network-fake.js";
import { fail } from "../report/finding.js";
import type { ConnectorCheck } from "./check.js";
import { fence, whatIsKnown } from "./relay.js";
import { Stage } from "./stage.js";
import type { Subject } from "./subject.js";

export interface StagesOptions {
  readonly patienceMs: number;
  readonly delivery: Readonly<Record<string, unknown>>;
  /** Whether a stage may serve several checks; whoever says so calls `close` at the end. */
  readonly sharing: boolean;
}

/**
 * Lends stages to checks. A stage serves one check after the other, so that not each of them has to wait for a start,
 * until something is found on it; checks that need a world of their own get one.
 */
export class Stages {
  #kept: Stage | undefined;

  constructor(
    private readonly subject: Subject,
    private readonly fake: NetworkFake,
    private readonly options: StagesOptions,
  ) {}

  /** A stage on which the bridge runs. A message each way has been relayed when `ready` resolves. @throws Found */
  async borrow(check: ConnectorCheck): Promise<{ readonly stage: Stage; readonly ready: () => Promise<void> }> {
    const kept = this.#kept;
    if (kept && this.#isShared(check)) return { stage: kept, ready: () => Promise.resolve() };
    await this.close();
    const stage = await Stage.open(this.subject, this.fake, {
      patienceMs: this.options.patienceMs,
      delivery: { ...check.delivery, ...this.options.delivery },
      ...(check.roomVersion && { roomVersion: check.roomVersion }),
    });
    // From here on whatever happens ends in `giveBack` or `close`.
    this.#kept = stage;
    return { stage, ready: () => getReady(stage) };
  }

  /** Keeps the stage for the next check where it may serve another. */
  async giveBack(check: ConnectorCheck, isSound: boolean): Promise<void> {
    if (!isSound || !this.#isShared(check)) await this.close();
  }

  async close(): Promise<void> {
    const stage = this.#kept;
    this.#kept = undefined;
    await stage?.close();
  }

  #isShared({ alone = false, delivery, roomVersion }: ConnectorCheck): boolean {
    return this.options.sharing && !alone && delivery === undefined && roomVersion === undefined;
  }
}

/** A message each way in both places, so that nobody is still on their way. */
async function getReady(stage: Stage): Promise<void> {
  await stage.life.start();
  for (const place of [0, 1] as const) {
    for (const direction of ["toNetwork", "toMatrix"] as const) {
      if (await fence(stage, direction, place)) continue;
      const [from, to] = direction === "toNetwork" ? ["Matrix", "the network"] : ["the network", "Matrix"];
      fail({
        failed: `Not one message from ${from} reached ${to} in ${stage.channel(place)}.${await whatIsKnown(stage)}`,
        seen: "silence",
        look:
          direction === "toNetwork"
            ? "the connector's `message` and `linked`"
            : "`network.receive`, and the channel ids given to it; `resolveChannel`",
      });
    }
  }
}
