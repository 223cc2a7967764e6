import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AppServiceServer } from "../appservice/server.js";
import { loadConnector, parseNetworkConfig } from "../config/connector-loader.js";
import type { LoadedConfig } from "../config/load.js";
import type { Config } from "../config/schema.js";
import type { Connector } from "../connector/connector.js";
import { systemClock, type Clock } from "../delivery/clock.js";
import { toMatrix, toNetwork } from "../delivery/entry.js";
import { MemoryBudget } from "../delivery/lane.js";
import { createLogger } from "../log/create.js";
import type { Logger } from "../log/logger.js";
import { Rooms } from "../mapping/rooms.js";
import type { MatrixClient } from "../matrix/client.js";
import { Metrics, type JournalReading } from "../metrics/metrics.js";
import { ensureAdminToken, forgetOperationsAddress, publishOperationsAddress } from "../services/admin-access.js";
import { adminApi } from "../services/admin-api.js";
import { databaseFile } from "../services/offline.js";
import { startOperationsServer, type Readiness } from "../services/operations-server.js";
import { StartError } from "../services/start-error.js";
import { TrestleServices } from "../services/trestle-services.js";
import type { Services } from "../services/services.js";
import { SchemaTooNew } from "../store/migrations.js";
import { StoreInUse } from "../store/ownership.js";
import { Secrets } from "../store/secrets.js";
import { SqliteStore } from "../store/sqlite-store.js";
import type { Store } from "../store/store.js";
import { version } from "../version.js";
import { Bridge } from "./bridge.js";
import type { BridgeParts } from "./bridge-parts.js";
import { Housekeeping } from "./housekeeping.js";
import { Lifecycle } from "./lifecycle.js";
import { openMediaProxy, type RunningMediaProxy } from "./running-media-proxy.js";

/** What a program that runs Trestle may bring with it. */
export interface StartOptions {
  readonly log?: Logger;
  readonly clock?: Clock;
  /** Connectors by name that are not loaded from a package. */
  readonly connectors?: Readonly<Record<string, Connector>>;
}

/** Trestle, running. */
export interface RunningTrestle {
  /** Where the homeserver reaches it. */
  readonly url: string;
  /** Where `/live`, `/ready`, `/metrics` and `/admin/v1` are. */
  readonly operationsUrl: string;
  readonly services: Services;
  /** Resolves when the homeserver has let every bridge in and was asked to reach us. */
  readonly greeted: Promise<void>;
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
  const startedAt = clock.now();
  const connectors = await loadConnectors(loaded, options.connectors ?? {});
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const store = await openStore(databaseFile(config));
  const closers: (() => Promise<void>)[] = [() => store.close()];
  try {
    const lifecycle = await Lifecycle.begin(store, clock);
    const metrics = new Metrics({ version });
    const media = await openMediaProxy(config, store, log, metrics);
    closers.push(() => media.close());
    const shared = {
      store,
      clock,
      log,
      metrics,
      rooms: new Rooms(store),
      secrets: new Secrets(config.encryptionKey),
      budget: new MemoryBudget(memoryForLanes),
    };
    const late: { services?: Services } = {};
    const bridges: Bridge[] = [];
    const services = (): Services => {
      if (!late.services) throw new Error("Trestle is still starting.");
      return late.services;
    };
    for (const loadedConnector of connectors)
      bridges.push(
        await makeBridge(config, loadedConnector, media, { ...shared, services, isolate: lifecycle.crashLoop }),
      );
    const reachable = (): boolean => bridges.every((bridge) => bridge.registered && !bridge.flow(toMatrix).unreachable);
    late.services = new TrestleServices(bridges, {
      version,
      startedAt,
      homeserverUrl: config.homeserver.url,
      store,
      now: () => clock.now(),
      reachable,
    });
    metrics.readJournalWith(() => readJournal(bridges));
    return await run({
      loaded,
      log,
      clock,
      store,
      bridges,
      services: late.services,
      metrics,
      lifecycle,
      closers,
      media,
    });
  } catch (error) {
    for (const close of closers.reverse()) await close();
    throw error;
  }
}

type SharedParts = Omit<
  BridgeParts,
  | "key"
  | "config"
  | "global"
  | "registration"
  | "connector"
  | "networkConfig"
  | "dataDirectory"
  | "textLink"
  | "avatarLink"
  | "revokeMedia"
  | "mediaLink"
>;

async function makeBridge(
  global: Config,
  { connector, networkConfig, section, registration }: Awaited<ReturnType<typeof loadConnectors>>[number],
  media: RunningMediaProxy,
  shared: SharedParts,
): Promise<Bridge> {
  const key = await bridgeKey(shared.store, section.name);
  const dataDirectory = join(global.dataDirectory, section.name);
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  shared.metrics.addBridge(section.name);
  const bridge: Bridge = new Bridge({
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
    mediaLink: media.linkFor((): MatrixClient => bridge.runtime.client),
  });
  return bridge;
}

interface Running {
  readonly loaded: LoadedConfig;
  readonly log: Logger;
  readonly clock: Clock;
  readonly store: Store;
  readonly bridges: readonly Bridge[];
  readonly services: Services;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  readonly media: RunningMediaProxy;
  readonly closers: (() => Promise<void>)[];
}

/** From here on things happen: networks connect, the homeserver is listened to. */
async function run(running: Running): Promise<RunningTrestle> {
  const { loaded, log, clock, store, bridges, services, metrics, lifecycle, closers } = running;
  const { config } = loaded;
  const server = new AppServiceServer({
    host: config.listen.host,
    port: config.listen.port,
    log,
    bridges: bridges.map((bridge) => ({
      hsToken: loaded.registrations.get(bridge.runtime.name)?.hsToken ?? "",
      handler: bridge,
    })),
  });
  for (const bridge of bridges) {
    await bridge.start(lifecycle.clean);
    closers.push(() => stopBridges([bridge], clock, 0));
  }
  const url = await listen(server, config.listen);
  closers.push(() => server.close());
  const token = await ensureAdminToken(config.dataDirectory);
  const operations = await startOperationsServer({
    ...config.operations,
    readiness: () => readiness(services, bridges),
    metrics: metrics.registry,
    admin: adminApi(services, token),
  });
  closers.push(() => operations.close());
  await publishOperationsAddress(config.dataDirectory, operations.url);
  const housekeeping = new Housekeeping(store, clock, config.delivery.remember, log);
  housekeeping.start();
  const greeted = Promise.all(bridges.map((bridge) => bridge.greet())).then(() => undefined);
  greeted.catch((error: unknown) => log.error({ err: error }, "A bridge could not introduce itself to the homeserver"));
  if (!Object.values(config.permissions).includes("admin"))
    log.warn(
      'Nobody has the level admin in permissions: a room in which nobody may change settings can be linked with the command line alone. Give it to somebody, e.g. "@you:example.org": admin',
    );
  log.info(
    { url, operations: operations.url, bridges: bridges.map((bridge) => bridge.runtime.name) },
    "Trestle is running",
  );

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    log.info("Stopping: nothing more is taken, what is under way ends");
    let cancel = (): void => undefined;
    const deadline = new Promise<void>((resolve) => {
      cancel = clock.after(config.delivery.stopTimeout, resolve);
    });
    await server.close(deadline);
    await Promise.all(bridges.map((bridge) => bridge.stop(deadline)));
    cancel();
    housekeeping.stop();
    await operations.close();
    await forgetOperationsAddress(config.dataDirectory);
    await running.media.close();
    await lifecycle.end(bridges.some((bridge) => bridge.inDoubt));
    metrics.close();
    await store.close();
    log.info("Stopped");
  };
  return { url, operationsUrl: operations.url, services, greeted, close: () => (closing ??= close()) };
}

async function stopBridges(bridges: readonly Bridge[], clock: Clock, timeoutMs: number): Promise<void> {
  let cancel: () => void = () => undefined;
  const deadline = new Promise<void>((resolve) => (cancel = clock.after(timeoutMs, resolve)));
  await Promise.all(bridges.map((bridge) => bridge.stop(deadline)));
  cancel();
}

async function loadConnectors(loaded: LoadedConfig, given: Readonly<Record<string, Connector>>) {
  return Promise.all(
    loaded.config.bridges.map(async (section) => {
      const registration = loaded.registrations.get(section.name);
      if (!registration) throw new RangeError(`The bridge ${section.name} has no registration.`);
      const connector = given[section.connector] ?? (await loadConnector(section.connector, loaded.directory));
      return { section, registration, connector, networkConfig: parseNetworkConfig(loaded, section.name, connector) };
    }),
  );
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

/** Ready is: the homeserver lets us in, it reaches us, and what waits in the journal moves. */
async function readiness(services: Services, bridges: readonly Bridge[]): Promise<Readiness> {
  const status = await services.status();
  const { ping, reachable } = status.homeserver;
  const checks = [
    {
      name: "homeserver",
      ok: reachable,
      detail: reachable ? "the homeserver answers" : `the homeserver at ${status.homeserver.url} does not answer`,
    },
    { name: "ping", ok: ping?.ok ?? false, detail: ping?.detail ?? "the homeserver was not asked yet" },
    ...bridges.map((bridge) => {
      const stuck = bridge.flow(toNetwork).unreachable;
      return {
        name: bridge.runtime.name,
        ok: !stuck,
        detail: stuck ? "the network does not take what waits for it" : "events flow",
      };
    }),
  ];
  return { ready: checks.every((check) => check.ok), checks };
}

async function readJournal(bridges: readonly Bridge[]): Promise<readonly JournalReading[]> {
  const readings = bridges.flatMap((bridge) =>
    ([toNetwork, toMatrix] as const).map(async (direction): Promise<JournalReading> => {
      const status = await bridge.flowStatus(direction);
      const waiting = bridge.flow(direction).waitingLanes;
      return {
        bridge: bridge.runtime.name,
        direction: direction === toNetwork ? "toNetwork" : "toMatrix",
        queued: Math.max(0, status.queued - waiting),
        waiting,
        dead: status.dead,
        oldestMs: status.oldestMs,
      };
    }),
  );
  return Promise.all(readings);
}
