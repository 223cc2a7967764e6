import type { Bridge } from "../bridge/bridge.js";
import type { Fleet } from "../fleet/fleet.js";
import { Overloaded } from "../appservice/handler.js";
import type { UserId } from "../connector/ids.js";
import { toMatrix, toNetwork, type DirectionCode } from "../delivery/entry.js";
import type { Store } from "../store/store.js";
import { StoreQueue, type QueueChanges } from "./queue.js";
import {
  ServiceError,
  type LinkView,
  type QueueService,
  type ReloadView,
  type Services,
  type StatusView,
} from "./services.js";
import type { Turns } from "./turns.js";

export interface TrestleServicesOptions {
  readonly version: string;
  readonly startedAt: number;
  readonly homeserverUrl: () => string;
  readonly store: Store;
  readonly now: () => number;
  readonly reachable: () => boolean;
  readonly reload: () => Promise<ReloadView>;
  /** Bridges change in turns of their own, in which dead letters stay where they are. */
  readonly turns: Turns;
}

/** What people can do with this running Trestle. */
export class TrestleServices implements Services, QueueChanges {
  readonly queue: QueueService;

  constructor(
    private readonly fleet: Pick<Fleet, "bridges" | "slots">,
    readonly options: TrestleServicesOptions,
  ) {
    const queue = new StoreQueue(options.store, options.now, this);
    const { turns } = options;
    this.queue = {
      list: (filter) => queue.list(filter),
      show: (seq) => queue.show(seq),
      replay: (selection) => turns.run(() => queue.replay(selection)),
      drop: (selection) => turns.run(() => queue.drop(selection)),
    };
  }

  async link(bridge: string, room: string, channel: string, by: UserId | "operator"): Promise<LinkView> {
    return (await this.#bridge(bridge)).linker.link(room, channel, by);
  }

  async unlink(
    bridge: string,
    room: string,
    channel: string | undefined,
    by: UserId | "operator",
  ): Promise<readonly LinkView[]> {
    return (await this.#bridge(bridge)).linker.unlink(room, channel, by);
  }

  async list(bridge?: string): Promise<readonly LinkView[]> {
    const chosen = bridge === undefined ? this.fleet.bridges : [await this.#bridge(bridge)];
    const links = await Promise.all(
      chosen.map(async ({ runtime, linker }) => (await runtime.links.all()).map((link) => linker.view(link))),
    );
    return links.flat();
  }

  reload(): Promise<ReloadView> {
    return this.options.reload();
  }

  async status(): Promise<StatusView> {
    const { bridges } = this.fleet;
    const { version, startedAt, homeserverUrl, reachable } = this.options;
    const pings = bridges.map((bridge) => bridge.ping.last).filter((ping) => ping !== null);
    const transactions = bridges.map((bridge) => bridge.lastTransactionAt).filter((at) => at !== null);
    return {
      version,
      startedAt,
      homeserver: {
        url: homeserverUrl(),
        reachable: reachable(),
        ping: pings.find((ping) => !ping.ok) ?? pings[0] ?? null,
        lastTransactionAt: transactions.length === 0 ? null : Math.max(...transactions),
      },
      bridges: await Promise.all(bridges.map((bridge) => bridge.status())),
    };
  }

  replayed(bridgeKey: number, direction: DirectionCode, lane: string, count: number): void {
    this.fleet.bridges
      .find((bridge) => bridge.runtime.key === bridgeKey)
      ?.flow(direction === toNetwork ? toNetwork : toMatrix)
      .refresh(lane, count);
  }

  dropped(bridgeKey: number, direction: DirectionCode, count: number): void {
    const flow = this.fleet.bridges.find((bridge) => bridge.runtime.key === bridgeKey)?.flow(direction);
    flow?.countDead(-count);
  }

  /** One that is being replaced is waited for. */
  async #bridge(name: string): Promise<Bridge> {
    const { slots } = this.fleet;
    const slot = slots.find((each) => each.name === name);
    if (!slot) {
      const there = slots.map((each) => each.name).join(", ");
      throw new ServiceError("notFound", `There is no bridge ${name}. There is: ${there}`);
    }
    try {
      return await slot.bridge();
    } catch (error) {
      if (error instanceof Overloaded) throw new ServiceError("unavailable", error.message);
      throw error;
    }
  }
}
