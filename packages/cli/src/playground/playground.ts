import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Homeserver } from "@trestle/testkit";
import { BridgeProcess } from "./bridge-process.js";
import { BridgeWatch } from "./bridge-watch.js";
import { PlaygroundFiles } from "./files.js";
import { findFreePort, onFreePort, portBehind } from "./free-port.js";
import { MatrixSide } from "./matrix-side.js";
import type { NetworkSide, PlaygroundNetwork } from "./network.js";
import { irc } from "./networks/irc.js";
import { act } from "./page-actions.js";
import type { Access, PageEvent, Snapshot } from "./page-events.js";
import { PageServer } from "./page-server.js";
import { Run } from "./run.js";

export interface PlaygroundOptions {
  /** Where the page is; the next free one where it is taken. 8090 where absent; 0 takes any. */
  readonly port?: number;
  /** What is shown beside Matrix; IRC where absent. */
  readonly network?: PlaygroundNetwork;
}

const SERVER_NAME = "playground.localhost";
const BOT = "bridgebot";
const ROOM_ALIAS = `#trestle:${SERVER_NAME}`;
const TOPIC = "One conversation, two networks";
const RUN_TOTAL = 200;
const NEXT = {
  command: "npx trestle init",
  text: "It asks a few questions, writes the configuration and the registration, and says what to do with them.",
};
/** A visitor's own client signs in with these; they open nothing but this playground. */
const VISITOR = { user: "visitor", password: "visitor" };
const REVIVE_WITHIN_MS = 10_000;

interface Parts {
  readonly directory: string;
  readonly files: PlaygroundFiles;
  readonly homeserver: Homeserver;
  readonly network: PlaygroundNetwork;
}

/** Everything that runs: two servers, a bridge in a process of its own, a person on either side, and the page. */
export class Playground {
  readonly #page: PageServer;
  readonly #bridge: BridgeProcess;
  readonly #watch: BridgeWatch;
  #run: Run | undefined;
  #runs = 0;
  #matrix: MatrixSide | undefined;
  #side: NetworkSide | undefined;
  #url = "";
  #hasRun = false;

  private constructor(private readonly parts: Parts) {
    const { directory, files, homeserver } = parts;
    const tell = (event: PageEvent): void => this.#page.tell(event);
    this.#page = new PageServer({ snapshot: () => this.#snapshot(), act: (action, body) => act(this, action, body) });
    this.#bridge = new BridgeProcess({
      command: [
        process.execPath,
        ...process.execArgv,
        fileURLToPath(new URL("../../bin/trestle.js", import.meta.url)),
        "run",
        "--config",
        files.configPath,
      ],
      directory,
      logFile: files.logPath,
      changed: () => this.#watch.refresh(),
    });
    this.#watch = new BridgeWatch({
      process: this.#bridge,
      dataDirectory: files.dataDirectory,
      atHomeserver: () => homeserver.pushState(files.registration.id).pendingEvents,
      tell,
    });
  }

  static async start(options: PlaygroundOptions = {}): Promise<Playground> {
    const directory = await mkdtemp(join(tmpdir(), "trestle-playground-"));
    const preferred = options.port ?? 8090;
    const listenPort = await findFreePort();
    const { network = irc } = options;
    const files = new PlaygroundFiles({
      directory,
      serverName: SERVER_NAME,
      listenPort,
      botLocalpart: BOT,
      protocol: slugOf(network),
      prefix: prefixOf(network),
    });
    const homeserver = await startHomeserver(files, preferred);
    const playground = new Playground({ directory, files, homeserver, network });
    try {
      await playground.#start(preferred);
      return playground;
    } catch (error) {
      await playground.close();
      throw error;
    }
  }

  /** Where the page is. */
  get url(): string {
    return this.#url;
  }

  get matrix(): MatrixSide {
    if (this.#matrix === undefined) throw new Error("The Matrix side has not started yet.");
    return this.#matrix;
  }

  /** The network beside Matrix. */
  get side(): NetworkSide {
    if (this.#side === undefined) throw new Error("The network's side has not started yet.");
    return this.#side;
  }

  get access(): Access {
    const { homeserver, network } = this.parts;
    const { name, place, markup = "plain", person, friend, runTotal = RUN_TOTAL, next = NEXT } = network;
    const { side } = this;
    return {
      homeserverUrl: homeserver.url,
      roomAlias: ROOM_ALIAS,
      ...VISITOR,
      channel: side.channel,
      network: {
        name,
        place,
        markup,
        prefix: prefixOf(network),
        person,
        friend: friend ?? null,
        hasTopic: side.setTopic !== undefined,
        reacts: side.toggleReaction !== undefined,
        deletes: side.remove !== undefined,
        edits: side.edit !== undefined,
        threads: side.threads ?? false,
        runTotal,
        access: side.access,
        command: next.command,
        next: next.text,
      },
    };
  }

  /** Resolves when the bridge is connected on both sides; rejects with its last words where it is not in time. */
  async bridged(timeoutMs: number): Promise<void> {
    this.#hasRun = await this.#becomesRunning(timeoutMs);
    if (this.#hasRun) return;
    throw new Error(
      `The bridge did not start within ${timeoutMs} ms. It said:\n${this.#bridge.lastWords || "nothing"}`,
    );
  }

  startRun(): void {
    if (this.#run?.isSending === true) throw new Error("The messages of the last run are still being sent.");
    this.#runs += 1;
    this.#run = new Run({
      run: this.#runs,
      total: this.parts.network.runTotal ?? RUN_TOTAL,
      sayOnMatrix: (text, txnId) => this.matrix.say({ text }, txnId),
      sayOnNetwork: (text) => this.side.say(text),
      network: this.parts.network.name,
      tell: (run) => this.#page.tell({ type: "run", run }),
    });
    this.#run.start();
  }

  killBridge(): void {
    if (!this.#bridge.kill()) throw new Error("The bridge is down already; it starts again in a moment.");
  }

  /** Stops everything and removes every file. */
  async close(): Promise<void> {
    await this.#run?.close();
    await this.#page.close();
    await this.#stopBridge();
    await Promise.all([this.#matrix?.close(), this.#side?.close()]);
    await this.parts.homeserver.stop();
    await rm(this.parts.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  async #start(preferred: number): Promise<void> {
    const { homeserver, network, directory, files } = this.parts;
    const tell = (event: PageEvent): void => this.#page.tell(event);
    this.#url = await onFreePort(preferred, (port) => this.#page.listen(port));
    // One after the other: what has begun is ended when the next one fails.
    this.#side = await network.open({
      port: portBehind(preferred, 2),
      directory,
      topic: TOPIC,
      tell,
      heard: (text) => this.#run?.heard("toNetwork", text),
    });
    this.#matrix = await MatrixSide.start({
      homeserverUrl: homeserver.url,
      person: ["alice", "alice"],
      friend: ["carol", "carol"],
      roomAlias: ROOM_ALIAS,
      topic: TOPIC,
      bot: `@${BOT}:${SERVER_NAME}`,
      tell,
      heard: (text) => this.#run?.heard("toMatrix", text),
    });
    await files.write({
      homeserverUrl: homeserver.url,
      admin: `@alice:${SERVER_NAME}`,
      room: ROOM_ALIAS,
      connector: network.connector,
      side: this.#side,
    });
    this.#bridge.start();
    this.#watch.start();
  }

  /** A bridge that was killed has left its IRC connections to their keeper; only a bridge that stops ends them. */
  async #stopBridge(): Promise<void> {
    if (this.#hasRun && this.#watch.state.phase !== "running") {
      this.#bridge.start();
      await this.#becomesRunning(REVIVE_WITHIN_MS);
    }
    await this.#bridge.stop();
    await this.#watch.stop();
  }

  async #becomesRunning(timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (this.#watch.state.phase !== "running") {
      if (Date.now() > deadline) return false;
      await delay(25);
    }
    return true;
  }

  #snapshot(): Snapshot {
    return {
      matrix: this.matrix.state,
      network: this.side.state,
      bridge: this.#watch.state,
      run: this.#run?.state ?? null,
      access: this.access,
    };
  }
}

async function startHomeserver(files: PlaygroundFiles, preferred: number): Promise<Homeserver> {
  const homeserver = await onFreePort(portBehind(preferred, 1), (port) =>
    Homeserver.start({
      serverName: SERVER_NAME,
      port,
      registrations: [files.registration],
      retry: { firstMs: 200, maxMs: 1_000 },
      validate: false,
    }),
  );
  homeserver.createUser("alice", "alice");
  homeserver.createUser("carol", "carol");
  homeserver.createUser(VISITOR.user, VISITOR.password);
  return homeserver;
}

/** A network's name for use in ids: a connector may be named by a path. */
const slugOf = ({ name }: PlaygroundNetwork): string => name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
const prefixOf = (network: PlaygroundNetwork): string => network.prefix ?? `${slugOf(network)}_`;
