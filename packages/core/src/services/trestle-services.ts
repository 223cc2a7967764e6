import type { Bridge } from "../bridge/bridge.js";
import type { UserId } from "../connector/ids.js";
import { toMatrix, toNetwork, type DirectionCode } from "../delivery/entry.js";
import type { Store } from "../store/store.js";
import { StoreQueue, type QueueChanges } from "./queue.js";
import { ServiceError, type LinkView, type QueueService, type Services, type StatusView } from "./services.js";

export interface TrestleServicesOptions {
  readonly version: string;
  readonly startedAt: number;
  readonly homeserverUrl: string;
  readonly store: Store;
  readonly now: () => number;
  readonly reachable: () => boolean;
}

/** What people can do with this running Trestle. */
export class TrestleServices implements Services, QueueChanges {
  readonly queue: QueueService;

  constructor(
    readonly bridges: readonly Bridge[],
    readonly options: TrestleServicesOptions,
  ) {
    this.queue = new StoreQueue(options.store, options.now, this);
  }

  async link(bridge: string, room: string, channel: string, by: UserId | "operator"): Promise<LinkView> {
    return this.#bridge(bridge).linker.link(room, channel, by);
  }

  async unlink(
    bridge: string,
    room: string,
    channel: string | undefined,
    by: UserId | "operator",
  ): Promise<readonly LinkView[]> {
    return this.#bridge(bridge).linker.unlink(room, channel, by);
  }

  async list(bridge?: string): Promise<readonly LinkView[]> {
    const chosen = bridge === undefined ? this.bridges : [this.#bridge(bridge)];
    const links = await Promise.all(
      chosen.map(async ({ runtime, linker }) => (await runtime.links.all()).map((link) => linker.view(link))),
    );
    return links.flat();
  }

  async status(): Promise<StatusView> {
    const { version, startedAt, homeserverUrl, reachable } = this.options;
    const pings = this.bridges.map((bridge) => bridge.ping.last).filter((ping) => ping !== null);
    const transactions = this.bridges.map((bridge) => bridge.lastTransactionAt).filter((at) => at !== null);
    return {
      version,
      startedAt,
      homeserver: {
        url: homeserverUrl,
        reachable: reachable(),
        ping: pings.find((ping) => !ping.ok) ?? pings[0] ?? null,
        lastTransactionAt: transactions.length === 0 ? null : Math.max(...transactions),
      },
      bridges: await Promise.all(this.bridges.map((bridge) => bridge.status())),
    };
  }

  replayed(bridgeKey: number, direction: DirectionCode, lane: string, count: number): void {
    this.bridges
      .find((bridge) => bridge.runtime.key === bridgeKey)
      ?.flow(direction === toNetwork ? toNetwork : toMatrix)
      .refresh(lane, count);
  }

  dropped(bridgeKey: number, direction: DirectionCode, count: number): void {
    const flow = this.bridges.find((bridge) => bridge.runtime.key === bridgeKey)?.flow(direction);
    flow?.countDead(-count);
  }

  #bridge(name: string): Bridge {
    const bridge = this.bridges.find((each) => each.runtime.name === name);
    if (bridge) return bridge;
    throw new ServiceError(
      "notFound",
      `There is no bridge ${name}. There is: ${this.bridges.map((each) => each.runtime.name).join(", ")}`,
    );
  }
}
