import type { ServedBridges } from "../appservice/server.js";
import { errorText } from "../config/error-text.js";
import type { Clock } from "../delivery/clock.js";
import type { Logger } from "../log/logger.js";
import type { FailedBridge } from "../services/services.js";
import type { Bridge } from "../bridge/bridge.js";
import { BridgeSlot, type RunningBridge } from "./bridge-slot.js";
import { changedKeysOf, concernsBridges, type BridgeSpec } from "./bridge-spec.js";

export interface FleetParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** The process before this one ended in good order. */
  readonly clean: boolean;
  readonly make: (spec: BridgeSpec) => Promise<Bridge>;
  /** Called when other bridges than before are to be answered for. */
  readonly serve: (bridges: ServedBridges) => void;
  /** A bridge is gone for good. */
  readonly removed: (name: string) => void;
}

/** What became of the bridges when others were asked for. */
export interface FleetChanges {
  readonly started: string[];
  readonly restarted: string[];
  readonly stopped: string[];
  readonly failed: FailedBridge[];
}

/** The bridges of a process, in the order of the configuration. */
export class Fleet {
  #slots: BridgeSlot[] = [];
  /** By name, whether a bridge that was stopped or did not start left nothing in doubt. */
  readonly #leftClean = new Map<string, boolean>();
  #changing: Promise<unknown> = Promise.resolve();
  #leaving = false;

  constructor(private readonly parts: FleetParts) {}

  /** It was asked to stop: no bridge is started any more. */
  get isLeaving(): boolean {
    return this.#leaving;
  }

  get slots(): readonly BridgeSlot[] {
    return this.#slots;
  }

  /** Those that run. */
  get bridges(): readonly Bridge[] {
    return this.#slots.flatMap(({ running }) => (running ? [running.bridge] : []));
  }

  get served(): ServedBridges {
    return this.#slots.map((handler) => ({ hsToken: handler.running?.spec.registration.hsToken ?? "", handler }));
  }

  /** Whether something waits that may have been sent, and of which the disk may not say so. */
  get inDoubt(): boolean {
    const running = new Set(this.bridges.map(({ runtime }) => runtime.name));
    const left = [...this.#leftClean].some(([name, clean]) => !clean && !running.has(name));
    return left || this.bridges.some((bridge) => bridge.inDoubt);
  }

  /** Starts the first bridges. Rejects with the error of the first that does not; then those before it run. */
  async start(specs: readonly BridgeSpec[]): Promise<void> {
    for (const spec of specs) {
      const slot = new BridgeSlot(spec.section.name, this.parts.clock);
      this.#slots.push(slot);
      await this.#start(slot, spec);
    }
  }

  /** Begins to talk with the homeserver. */
  async greet(): Promise<void> {
    await Promise.all(this.bridges.map((bridge) => bridge.greet()));
  }

  /**
   * Makes these the bridges: what differs is stopped and started with its new settings, and the others go on. What does
   * not start goes on with its old settings. Never called during another.
   */
  async change(specs: readonly BridgeSpec[], stopTimeout: number): Promise<FleetChanges> {
    const changing = this.#change(specs, stopTimeout);
    this.#changing = changing.catch(() => undefined);
    return changing;
  }

  /** Starts no bridge any more; requests for those that would have been are refused. */
  leave(): void {
    this.#leaving = true;
    for (const slot of this.#slots)
      if (!slot.isOpen) slot.refuse("Trestle is stopping; it takes this again after its next start.");
  }

  /** Stops all, as well as they can before `deadline`. Call after the intake has stopped. */
  async stop(deadline: Promise<void>): Promise<void> {
    this.leave();
    await Promise.all(
      this.#slots.map(async (slot) => {
        // One that is being replaced is stopped already, or is starting.
        if (!slot.isOpen) await this.#changing;
        await slot.running?.bridge.stop(deadline);
      }),
    );
  }

  async #change(specs: readonly BridgeSpec[], stopTimeout: number): Promise<FleetChanges> {
    const changes: FleetChanges = { started: [], restarted: [], stopped: [], failed: [] };
    const differing = specs.filter((spec) => differs(this.#slot(spec)?.running?.spec, spec));
    const names = new Set(specs.map(({ section }) => section.name));
    const gone = this.#slots.filter(({ name }) => !names.has(name));
    const replaced = differing.flatMap((spec) => this.#slot(spec) ?? []);
    const before = new Map(replaced.map(({ name, running }) => [name, running?.spec]));
    // All of them first: what one gives up, such as a port, another may be about to take.
    await Promise.all([this.#empty(replaced, stopTimeout, true), this.#empty(gone, stopTimeout, false)]);
    for (const slot of gone) {
      const { name } = slot;
      slot.refuse(`The bridge ${name} is configured no longer.`);
      this.parts.removed(name);
      changes.stopped.push(name);
    }
    this.#slots = specs.map((spec) => this.#slot(spec) ?? new BridgeSlot(spec.section.name, this.parts.clock));
    for (const spec of differing) {
      const slot = this.#slot(spec);
      if (slot && !this.#leaving) await this.#replace(slot, spec, before.get(slot.name), changes);
    }
    this.parts.serve(this.served);
    return changes;
  }

  async #replace(
    slot: BridgeSlot,
    spec: BridgeSpec,
    old: BridgeSpec | undefined,
    changes: FleetChanges,
  ): Promise<void> {
    const { name } = slot;
    const { log } = this.parts;
    try {
      await this.#startAnew(slot, spec);
      (old ? changes.restarted : changes.started).push(name);
      log.info({ bridge: name }, old ? "The bridge runs with its new settings" : "The bridge runs");
      return;
    } catch (error) {
      log.error({ err: error, bridge: name }, "The bridge cannot be started with its new settings");
      changes.failed.push({ bridge: name, reason: errorText(error), runs: old !== undefined });
    }
    if (!old || this.#leaving) {
      slot.refuse(`The bridge ${name} could not be started; the log says why.`);
      return;
    }
    try {
      await this.#startAnew(slot, old);
      log.warn({ bridge: name }, "The bridge goes on with its old settings");
    } catch (error) {
      log.error({ err: error, bridge: name }, "The bridge cannot be started with its old settings either: it is down");
      changes.failed.splice(-1, 1, { bridge: name, reason: errorText(error), runs: false });
      slot.refuse(`The bridge ${name} could not be started; the log says why.`);
    }
  }

  async #startAnew(slot: BridgeSlot, spec: BridgeSpec): Promise<void> {
    const { bridge } = await this.#start(slot, spec);
    this.parts.serve(this.served);
    bridge.greet().catch((error: unknown) => {
      this.parts.log.error({ err: error }, "A bridge could not introduce itself to the homeserver");
    });
  }

  async #start(slot: BridgeSlot, spec: BridgeSpec): Promise<RunningBridge> {
    const { name } = slot;
    const bridge = await this.parts.make(spec);
    try {
      await bridge.start(this.#leftClean.get(name) ?? this.parts.clean);
    } catch (error) {
      this.#leftClean.set(name, false);
      await bridge.stop(Promise.resolve());
      throw error;
    }
    const running = { bridge, spec };
    slot.open(running);
    return running;
  }

  /** Stops what runs in some slots; requests for them wait. */
  async #empty(slots: readonly BridgeSlot[], stopTimeout: number, isReplaced: boolean): Promise<void> {
    let cancel = (): void => undefined;
    const deadline = new Promise<void>((resolve) => (cancel = this.parts.clock.after(stopTimeout, resolve)));
    await Promise.all(
      slots.map(async (slot) => {
        await slot.close(deadline);
        if (!slot.running) return;
        const { bridge } = slot.running;
        this.#leftClean.set(slot.name, false);
        try {
          await bridge.stop(deadline, isReplaced);
          this.#leftClean.set(slot.name, !bridge.inDoubt);
        } catch (error) {
          this.parts.log.error({ err: error, bridge: slot.name }, "The bridge did not stop in good order");
        }
        slot.running = undefined;
      }),
    );
    cancel();
  }

  #slot({ section }: BridgeSpec): BridgeSlot | undefined {
    return this.#slots.find(({ name }) => name === section.name);
  }
}

function differs(before: BridgeSpec | undefined, after: BridgeSpec): boolean {
  if (!before) return true;
  return (
    before.connector !== after.connector ||
    concernsBridges(before.global, after.global) ||
    changedKeysOf(before, after, 0).length > 0
  );
}
