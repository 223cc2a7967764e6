import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  createLogger,
  databaseFile,
  loadConfig,
  startTrestle,
  type Connector,
  type NetworkHandlers,
  type RunningTrestle,
  type Services,
} from "@trestle/core";
import Database from "better-sqlite3";
import { Gate } from "./gate.js";
import { LogTail, type BridgeLife, type LifeOptions } from "./life.js";
import { observed, type Abilities } from "./subject.js";

/** One start of the bridge. */
interface Run {
  readonly trestle: RunningTrestle;
  readonly outward: Gate;
  readonly mortal: MortalConnector;
  readonly data: string;
}

/**
 * The bridge in this process. A crash shuts everything it reaches and is reached by, in one instant; what it does after
 * that has no effect. The next start works on what its database held.
 */
export class LocalLife implements BridgeLife {
  readonly surprises: string[] = [];
  readonly #log = new LogTail();
  readonly #dead: Run[] = [];
  #run: Run | undefined;
  #abilities: Abilities | undefined;
  #generation = 0;

  constructor(
    private readonly connector: Connector,
    private readonly options: LifeOptions,
    private readonly crashed: () => void,
  ) {}

  get services(): Services {
    if (!this.#run) throw new Error("The bridge is not running.");
    return this.#run.trestle.services;
  }

  get abilities(): Abilities {
    if (!this.#abilities) throw new Error("The connector has not connected yet.");
    return this.#abilities;
  }

  get log(): readonly string[] {
    return this.#log.lines;
  }

  get data(): string {
    return join(this.options.directory, `data${this.#generation}`);
  }

  async start(): Promise<void> {
    const outward = await Gate.open(this.options.homeserverPort);
    const { data } = this;
    const config = await this.options.writeConfig({ listen: 0, homeserverUrl: outward.url, data });
    const loaded = await loadConfig(config);
    const mortal = new MortalConnector(observed(this.connector, (abilities) => (this.#abilities = abilities)));
    const log = createLogger(loaded.config.log, { destination: { write: (text) => this.#log.write(text) } });
    const trestle = await startTrestle(loaded, { log, connectors: { [this.connector.network]: mortal.connector } });
    this.#run = { trestle, outward, mortal, data };
    this.options.inward.lead(Number(new URL(trestle.url).port));
    await trestle.greeted;
  }

  async stop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    await run?.trestle.close();
    this.options.inward.shut();
    await run?.outward.close();
  }

  async crash(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    this.#run = undefined;
    run.mortal.die();
    this.options.inward.shut();
    run.outward.shut();
    this.crashed();
    this.#dead.push(run);
    this.#generation += 1;
    mkdirSync(this.data, { recursive: true });
    copyDatabase(databaseFile({ dataDirectory: run.data }), databaseFile({ dataDirectory: this.data }));
    await Promise.resolve();
  }

  async end(): Promise<void> {
    await this.stop();
    const bury = async ({ trestle, outward, mortal }: Run): Promise<void> => {
      await mortal.bury();
      await trestle.close();
      await outward.close();
    };
    await Promise.all(this.#dead.splice(0).map(bury));
  }
}

/** What is committed at this instant, and nothing else. */
function copyDatabase(from: string, to: string): void {
  const database = new Database(from);
  try {
    database.prepare("VACUUM INTO ?").run(to);
  } finally {
    database.close();
  }
}

const never = new Promise<never>(() => undefined);

/** For whoever still waits for a handler of the dead when everything is over. */
class Over extends Error {
  override readonly name = "Over";
}

type Method = (...args: never[]) => unknown;

function isMethod(value: unknown): value is Method {
  return typeof value === "function";
}

/** A connector that can die: from then on nothing passes, either way. */
class MortalConnector {
  readonly connector: Connector;
  #dead = false;
  #handlers: NetworkHandlers | undefined;
  #wake: (over: Over) => void = () => undefined;
  /** What the core waits for after the death: until the burial, so that it can be closed. */
  readonly #grave = new Promise<never>((_resolve, reject) => (this.#wake = reject));

  constructor(inner: Connector) {
    this.#grave.catch(() => undefined);
    this.connector = {
      ...inner,
      connect: async (context) => {
        const network = this.#mortal(context.network, never);
        this.#handlers = await inner.connect({ ...context, network });
        return this.#mortal(this.#handlers, this.#grave);
      },
    };
  }

  die(): void {
    this.#dead = true;
  }

  /** Lets the connector put away what it still holds. */
  async bury(): Promise<void> {
    this.#wake(new Over("The bridge is dead."));
    await this.#handlers?.close?.();
  }

  /** The same object, whose methods neither begin nor end any more after the death. */
  #mortal<Target extends object>(target: Target, after: Promise<never>): Target {
    return new Proxy(Object.isFrozen(target) ? { ...target } : target, {
      get: (object, key) => {
        const value: unknown = Reflect.get(object, key);
        if (isMethod(value)) return (...args: never[]) => this.#call(() => value.apply(object, args), after);
        return typeof value === "object" && value !== null && key === "storage" ? this.#mortal(value, after) : value;
      },
    });
  }

  #call(method: () => unknown, after: Promise<never>): unknown {
    if (this.#dead) return after;
    const answer = method();
    if (!(answer instanceof Promise)) return answer;
    return answer.then(
      (value: unknown) => (this.#dead ? after : value),
      (error: unknown) => {
        if (this.#dead) return after;
        throw error;
      },
    );
  }
}
