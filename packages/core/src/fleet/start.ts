import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AppServiceServer } from "../appservice/server.js";
import type { LoadedConfig } from "../config/load.js";
import type { Config } from "../config/schema.js";
import type { Connector } from "../connector/connector.js";
import { systemClock, type Clock } from "../delivery/clock.js";
import { toMatrix } from "../delivery/entry.js";
import { MemoryBudget } from "../delivery/lane.js";
import { createLogger } from "../log/create.js";
import type { Logger } from "../log/logger.js";
import { Rooms } from "../mapping/rooms.js";
import { Metrics } from "../metrics/metrics.js";
import { ensureAdminToken, forgetOperationsAddress, publishOperationsAddress } from "../services/admin-access.js";
import { adminApi } from "../services/admin-api.js";
import { databaseFile } from "../services/offline.js";
import { startOperationsServer } from "../services/operations-server.js";
import { readiness, readJournal } from "../services/readiness.js";
import { StartError } from "../services/start-error.js";
import { TrestleServices } from "../services/trestle-services.js";
import { Turns } from "../services/turns.js";
import type { ReloadView, Services } from "../services/services.js";
import { SchemaTooNew } from "../store/migrations.js";
import { StoreInUse } from "../store/ownership.js";
import { Secrets } from "../store/secrets.js";
import { SqliteStore } from "../store/sqlite-store.js";
import type { Store } from "../store/store.js";
import { version } from "../version.js";
import { Bridge } from "../bridge/bridge.js";
import type { BridgeParts } from "../bridge/bridge-parts.js";
import { loadBridges, type BridgeSpec } from "./bridge-spec.js";
import { Fleet } from "./fleet.js";
import { Housekeeping } from "./housekeeping.js";
import { Lifecycle } from "./lifecycle.js";
import { Reloader } from "./reload.js";
import { openMediaProxy, type RunningMediaProxy } from "./running-media-proxy.js";

/** What a program that runs Trestle may bring with it. */
export interface StartOptions {
  readonly log?: Logger;
  readonly clock?: Clock;
  /** Connectors by name that are not loaded from a package. */
  readonly connectors?: Readonly<Record<string, Connector>>;
  /** Reads the configuration again, for `reload`. */
  readonly reread?: () => Promise<LoadedConfig>;
}

/** Trestle, running. */
export interface RunningTrestle {
  /** Where the homeserver reaches it. */
  readonly url: string;
  /** Where `/live`, `/ready`, `/metrics` and `/admin/v1` are. */
  readonly operationsUrl: string;
  /** The configuration in force: that of the start, with what was changed since. */
  readonly config: Config;
  readonly services: Services;
  /** Resolves when the homeserver has let every bridge in and was asked to reach us. */
  readonly greeted: Promise<void>;
  /**
   * Takes up what has changed in the configuration: bridges whose settings differ are stopped in good order and started
   * with the new ones, the others go on. Resolves when it is in effect; a configuration that cannot be used changes
   * nothing. Rejects with a ServiceError `unavailable` without `StartOptions.reread`, and while Trestle stops.
   */
  reload(): Promise<ReloadView>;
  /** Stops in good order: takes nothing more, delivers what it can in time, then leaves the networks. */
  close(): Promise<void>;
}

const memoryForLanes = 32 * 1024 * 1024;

/**
 * Starts everything a configuration names. It does not wait for the homeserver or a network: both may come later.
 *
 * @throws ConfigError, StartError with what a person has to mend
 */
export async function startTrestle(loaded: LoadedConfig, options: StartOptions = {}): Promise<RunningTrestle> {
  const { config } = loaded;
  const clock = options.clock ?? systemClock;
  const log = options.log ?? createLogger(config.log);
  const specs = await loadBridges(loaded, options.connectors ?? {});
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const store = await openStore(databaseFile(config));
  const closers: (() => Promise<void>)[] = [() => store.close()];
  try {
    const lifecycle = await Lifecycle.begin(store, clock);
    const base = { config, options, log, clock, store, lifecycle, metrics: new Metrics({ version }), closers };
    return await run(await assembleTrestle(base), specs);
  } catch (error) {
    for (const close of closers.reverse()) await close();
    throw error;
  }
}

interface Base {
  /** As it was at the start. */
  readonly config: Config;
  readonly options: StartOptions;
  readonly log: Logger;
  readonly clock: Clock;
  readonly store: Store;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly closers: (() => Promise<void>)[];
}

type Running = Awaited<ReturnType<typeof assembleTrestle>>;

/** Puts together what the bridges share. */
async function assembleTrestle(base: Base) {
  const { config, options, log, clock, store, lifecycle, metrics, closers } = base;
  const startedAt = clock.now();
  const server = new AppServiceServer({ ...config.listen, log, bridges: [] });
  const fleet: Fleet = new Fleet({
    clock,
    log,
    clean: lifecycle.clean,
    make: (spec) => makeBridge(spec, media, { ...shared, isolate: lifecycle.crashLoop }),
    serve: (bridges) => server.serve(bridges),
    removed: (name) => metrics.removeBridge(name),
  });
  const clients = () => fleet.bridges.map(({ runtime }) => runtime.client);
  const media = await openMediaProxy({ config, store, log, metrics, clients });
  closers.push(() => media.close());
  const turns = new Turns();
  const reloader = new Reloader(config, {
    fleet,
    log,
    turns,
    connectors: options.connectors ?? {},
    read: options.reread,
  });
  const services: Services = new TrestleServices(fleet, {
    version,
    startedAt,
    homeserverUrl: () => reloader.config.homeserver.url,
    store,
    now: () => clock.now(),
    reachable: () => fleet.bridges.every((each) => each.registered && !each.flow(toMatrix).unreachable),
    reload: () => reloader.reload(),
    turns,
  });
  const shared = {
    store,
    clock,
    log,
    metrics,
    rooms: new Rooms(store),
    secrets: new Secrets(config.encryptionKey),
    budget: new MemoryBudget(memoryForLanes),
    services: () => services,
  };
  metrics.readJournalWith(() => readJournal(fleet.bridges));
  return { ...base, server, fleet, media, reloader, services };
}

type SharedParts = Pick<
  BridgeParts,
  "store" | "clock" | "log" | "metrics" | "rooms" | "secrets" | "budget" | "services" | "isolate"
>;

async function makeBridge(spec: BridgeSpec, media: RunningMediaProxy, shared: SharedParts): Promise<Bridge> {
  const { section, global, registration, connector, networkConfig } = spec;
  const key = await bridgeKey(shared.store, section.name);
  const dataDirectory = join(global.dataDirectory, section.name);
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  shared.metrics.addBridge(section.name);
  return new Bridge({
    ...shared,
    key,
    config: section,
    global,
    registration,
    connector,
    networkConfig,
    dataDirectory,
    textLink: (room, event) => media.textLink(room, event),
    avatarLink: (uri) => media.avatarLink(uri),
    revokeMedia: (event) => media.revoke(event),
    mediaLink: media.mediaLink,
  });
}

/** From here on things happen: networks connect, the homeserver is listened to. */
async function run(running: Running, specs: readonly BridgeSpec[]): Promise<RunningTrestle> {
  const { config, log, clock, store, fleet, services, metrics, reloader, server, closers } = running;
  closers.push(() => fleet.stop(Promise.resolve()));
  await fleet.start(specs);
  server.serve(fleet.served);
  const url = await listen(server, config.listen);
  closers.push(() => server.close());
  const token = await ensureAdminToken(config.dataDirectory);
  const operations = await startOperationsServer({
    ...config.operations,
    readiness: () => readiness(services, fleet.slots),
    metrics: metrics.registry,
    admin: adminApi(services, token),
  });
  closers.push(() => operations.close());
  await publishOperationsAddress(config.dataDirectory, operations.url);
  const housekeeping = new Housekeeping(store, clock, () => reloader.config.delivery.remember, log);
  housekeeping.start();
  const greeted = fleet.greet();
  greeted.catch((error: unknown) => log.error({ err: error }, "A bridge could not introduce itself to the homeserver"));
  if (!Object.values(config.permissions).includes("admin"))
    log.warn(
      'Nobody has the level admin in permissions: a room in which nobody may change settings can be linked with the command line alone. Give it to somebody, e.g. "@you:example.org": admin',
    );
  const bridges = specs.map(({ section }) => section.name);
  log.info({ url, operations: operations.url, bridges }, "Trestle is running");

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    housekeeping.stop();
    await stop(running);
    await operations.close();
    await forgetOperationsAddress(config.dataDirectory);
    await running.media.close();
    await running.lifecycle.end(fleet.inDoubt);
    metrics.close();
    await store.close();
    log.info("Stopped");
  };
  return {
    url,
    operationsUrl: operations.url,
    get config() {
      return reloader.config;
    },
    services,
    greeted,
    reload: () => reloader.reload(),
    close: () => (closing ??= close()),
  };
}

/** Takes nothing more, and delivers what it can in time. */
async function stop({ log, clock, reloader, fleet, server }: Running): Promise<void> {
  log.info("Stopping: nothing more is taken, what is under way ends");
  let cancel = (): void => undefined;
  const deadline = new Promise<void>((resolve) => {
    cancel = clock.after(reloader.config.delivery.stopTimeout, resolve);
  });
  fleet.leave();
  await server.close(deadline);
  await fleet.stop(deadline);
  cancel();
}

async function openStore(file: string): Promise<SqliteStore> {
  try {
    // A slow disk, for the tests of what that does.
    const slowCommitMs = Number(process.env.TRESTLE_TEST_SLOW_COMMIT_MS ?? 0);
    return await SqliteStore.open({ file, slowCommitMs });
  } catch (error) {
    if (error instanceof StoreInUse) throw new StartError("databaseLocked", error.message, { cause: error });
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof SchemaTooNew) throw new StartError("databaseUnusable", message, { cause: error });
    throw new StartError("databaseUnusable", `The database ${file} cannot be opened: ${message}`, { cause: error });
  }
}

async function bridgeKey(store: Store, name: string): Promise<number> {
  await store.commit([["addBridge", name]]);
  const row = await store.get<{ id: number }>("SELECT id FROM bridge WHERE name = ?", name);
  if (!row) throw new Error(`The bridge ${name} was written but cannot be read.`);
  return row.id;
}

async function listen(server: AppServiceServer, at: { readonly host: string; readonly port: number }): Promise<string> {
  try {
    return await server.listen();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StartError(
      "portInUse",
      `Trestle cannot listen on ${at.host}:${at.port}: ${message}. Change listen in the configuration, and the url of the registrations with it.`,
      { cause: error },
    );
  }
}
