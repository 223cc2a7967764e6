import { changedKeys } from "../config/changes.js";
import type { LoadedConfig } from "../config/load.js";
import { ConfigError, formatPath, formatProblem, RegistrationError, type ProblemPath } from "../config/problem.js";
import type { Config } from "../config/schema.js";
import type { Connector } from "../connector/connector.js";
import type { Logger } from "../log/logger.js";
import { ServiceError, type RefusedConfig, type ReloadView } from "../services/services.js";
import { StartError } from "../services/start-error.js";
import type { Turns } from "../services/turns.js";
import { changedKeysOf, concernsBridges, loadBridges, type BridgeSpec } from "./bridge-spec.js";
import type { Fleet } from "./fleet.js";

export interface ReloaderParts {
  readonly fleet: Fleet;
  readonly log: Logger;
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly turns: Turns;
  /** Reads the configuration anew; absent where it is not in a file. */
  readonly read: (() => Promise<LoadedConfig>) | undefined;
}

const nothing: ReloadView = {
  refused: null,
  changed: [],
  needsRestart: [],
  started: [],
  restarted: [],
  stopped: [],
  failed: [],
};

/** Takes up changes of the configuration while Trestle runs. */
export class Reloader {
  #config: Config;
  #running: Promise<ReloadView> | undefined;
  #next: Promise<ReloadView> | undefined;

  constructor(
    config: Config,
    private readonly parts: ReloaderParts,
  ) {
    this.#config = config;
  }

  /** What is in force: what is read at the start alone is as it was then. */
  get config(): Config {
    return this.#config;
  }

  /** Reads the file after the call, and resolves when what has changed is in effect. */
  reload(): Promise<ReloadView> {
    if (!this.#running) {
      this.#running = this.#turn().finally(() => (this.#running = undefined));
      return this.#running;
    }
    // The one that runs may have read the file before it was changed again. One more will do for all who ask meanwhile.
    const again = (): Promise<ReloadView> => {
      this.#next = undefined;
      return this.reload();
    };
    this.#next ??= this.#running.then(again, again);
    return this.#next;
  }

  #turn(): Promise<ReloadView> {
    const { turns, read } = this.parts;
    if (!read)
      return Promise.reject(
        new ServiceError("unavailable", "The configuration of this Trestle does not come from a file."),
      );
    return turns.run(() => this.#once(read));
  }

  async #once(read: () => Promise<LoadedConfig>): Promise<ReloadView> {
    const { log, connectors, fleet } = this.parts;
    let loaded: LoadedConfig;
    let specs: readonly BridgeSpec[];
    try {
      loaded = await read();
      specs = await loadBridges(loaded, connectors, withoutRestart(this.#config, loaded.config));
    } catch (error) {
      const refused = refusalOf(error);
      if (!refused) throw error;
      log.error(
        { reason: refused.message },
        "The configuration is not taken up: it cannot be used. The old one stays in force",
      );
      return { ...nothing, refused };
    }
    for (const warning of loaded.warnings) log.warn(formatProblem(warning));
    const before = this.#config;
    const after = withoutRestart(before, loaded.config);
    const needsRestart = topLevelKeys(after, loaded.config);
    if (fleet.isLeaving) throw new ServiceError("unavailable", "Trestle is stopping.");
    const changedAtTop = topLevelKeys(before, loaded.config);
    const changed = [...changedAtTop, ...this.#changedBridges(specs, changedAtTop.length > 0)];
    if (changed.length === 0) {
      log.info("The configuration was read again: nothing has changed");
      return nothing;
    }
    log.info({ changed }, "The configuration was read again, and has changed");
    if (needsRestart.length > 0)
      log.warn({ needsRestart }, "What is read at the start alone has changed: restart Trestle for it");
    // Loggers that were made of it follow.
    if (after.log.level !== before.log.level) log.level = after.log.level;
    this.#config = after;
    const fleetChanges = await fleet.change(specs, after.delivery.stopTimeout);
    const { failed, ...done } = fleetChanges;
    if (failed.length === 0) log.info(done, "The configuration is in force");
    else log.error({ ...done, failed }, "The configuration is in force, but not for every bridge");
    return { ...nothing, changed, needsRestart, ...fleetChanges };
  }

  #changedBridges(specs: readonly BridgeSpec[], topHasChanged: boolean): readonly string[] {
    const { slots } = this.parts.fleet;
    const names = new Set(specs.map(({ section }) => section.name));
    const gone = slots.filter(({ name }) => !names.has(name)).map(({ name }) => `bridges: ${name} is gone`);
    const others = specs.flatMap((spec, index) => {
      const slot = slots.find(({ name }) => name === spec.section.name);
      if (!slot) return [`bridges[${index}]: ${spec.section.name} is new`];
      const keys = slot.running && changedKeysOf(slot.running.spec, spec, index);
      const fellBack = !topHasChanged && slot.running && concernsBridges(slot.running.spec.global, spec.global);
      if (!keys || (keys.length === 0 && fellBack))
        return [`bridges[${index}]: ${slot.name} did not start with it before`];
      return keys;
    });
    return [...others, ...gone];
  }
}

/** The new configuration, with what can only change at a start as it was. */
function withoutRestart(before: Config, after: Config): Config {
  const { encryptionKey: _unused, ...rest } = after;
  const { listen, operations, dataDirectory, encryptionKey, media, log } = before;
  return {
    ...rest,
    listen,
    operations,
    dataDirectory,
    ...(encryptionKey !== undefined && { encryptionKey }),
    media: { ...media, allowPrivate: after.media.allowPrivate },
    log: { ...after.log, format: log.format },
  };
}

/** The keys outside the bridges that differ. */
function topLevelKeys(before: Config, after: Config): readonly string[] {
  const { bridges: _before, ...old } = before;
  const { bridges: _after, ...fresh } = after;
  return changedKeys(old, fresh).map((path: ProblemPath) => formatPath(path));
}

function refusalOf(error: unknown): RefusedConfig | undefined {
  if (error instanceof ConfigError) return { why: "configuration", message: error.message };
  if (error instanceof RegistrationError) return { why: "registration", message: error.message };
  if (error instanceof StartError && error.failure === "connector") return { why: "connector", message: error.message };
  return undefined;
}
