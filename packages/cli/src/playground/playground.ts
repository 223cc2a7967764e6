import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Homeserver, IrcServer } from "@trestle/testkit";
import { BridgeProcess } from "./bridge-process.js";
import { BridgeWatch } from "./bridge-watch.js";
import { PlaygroundFiles } from "./files.js";
import { findFreePort, onFreePort, portBehind } from "./free-port.js";
import { IrcSide } from "./irc-side.js";
import { MatrixSide } from "./matrix-side.js";
import { act } from "./page-actions.js";
import type { Access, PageEvent, Snapshot } from "./page-events.js";
import { PageServer } from "./page-server.js";
import { Run } from "./run.js";

export interface PlaygroundOptions {
  /** Where the page is; the next free one where it is taken. 8090 where absent; 0 takes any. */
  readonly port?: number;
}

const SERVER_NAME = "playground.localhost";
const BOT = "ircbot";
const CHANNEL = "#trestle";
const ROOM_ALIAS = `#trestle:${SERVER_NAME}`;
const NETWORK = "playground";
const TOPIC = "One conversation, two networks";
const RUN_TOTAL = 200;
/** A visitor's own client signs in with these; they open nothing but this playground. */
const VISITOR = { user: "visitor", password: "visitor" };
const REVIVE_WITHIN_MS = 10_000;

interface Servers {
  readonly homeserver: Homeserver;
  readonly ircServer: IrcServer;
}

/** Everything that runs: two servers, a bridge in a process of its own, a person on either side, and the page. */
export class Playground {
  readonly #page: PageServer;
  readonly #bridge: BridgeProcess;
  readonly #watch: BridgeWatch;
  #run: Run | undefined;
  #runs = 0;
  #matrix: MatrixSide | undefined;
  #irc: IrcSide | undefined;
  #url = "";
  #hasRun = false;

  private constructor(
    private readonly directory: string,
    private readonly files: PlaygroundFiles,
    private readonly servers: Servers,
  ) {
    const tell = (event: PageEvent): void => this.#page.tell(event);
    this.#page = new PageServer({ snapshot: () => this.#snapshot(), act: (action, body) => act(this, action, body) });
    this.#bridge = new BridgeProcess({
      command: [
        process.execPath,
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
      atHomeserver: () => servers.homeserver.pushState(files.registration.id).pendingEvents,
      tell,
    });
  }

  static async start(options: PlaygroundOptions = {}): Promise<Playground> {
    const directory = await mkdtemp(join(tmpdir(), "trestle-playground-"));
    const preferred = options.port ?? 8090;
    const listenPort = await findFreePort();
    const files = new PlaygroundFiles({ directory, serverName: SERVER_NAME, listenPort, botLocalpart: BOT });
    const servers = await startServers(files, preferred);
    const playground = new Playground(directory, files, servers);
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

  get irc(): IrcSide {
    if (this.#irc === undefined) throw new Error("The IRC side has not started yet.");
    return this.#irc;
  }

  get access(): Access {
    const { homeserver, ircServer } = this.servers;
    return {
      homeserverUrl: homeserver.url,
      roomAlias: ROOM_ALIAS,
      ...VISITOR,
      ircHost: ircServer.host,
      ircPort: ircServer.port,
      channel: CHANNEL,
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
      total: RUN_TOTAL,
      sayOnMatrix: (text, txnId) => this.matrix.say({ text }, txnId),
      sayOnIrc: (text) => this.irc.say(text),
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
    await Promise.all([this.#matrix?.close(), this.#irc?.close()]);
    await Promise.all([this.servers.homeserver.stop(), this.servers.ircServer.stop()]);
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  async #start(preferred: number): Promise<void> {
    const { homeserver, ircServer } = this.servers;
    const tell = (event: PageEvent): void => this.#page.tell(event);
    this.#url = await onFreePort(preferred, (port) => this.#page.listen(port));
    [this.#matrix, this.#irc] = await Promise.all([
      MatrixSide.start({
        homeserverUrl: homeserver.url,
        person: ["alice", "alice"],
        friend: ["carol", "carol"],
        roomAlias: ROOM_ALIAS,
        topic: TOPIC,
        bot: `@${BOT}:${SERVER_NAME}`,
        tell,
        heard: (text) => this.#run?.heard("toMatrix", text),
      }),
      IrcSide.start({
        host: ircServer.host,
        port: ircServer.port,
        person: "bob",
        friend: "dave",
        channel: CHANNEL,
        topic: TOPIC,
        tell,
        heard: (text) => this.#run?.heard("toIrc", text),
      }),
    ]);
    await this.files.write({
      homeserverUrl: homeserver.url,
      ircHost: ircServer.host,
      ircPort: ircServer.port,
      networkName: NETWORK,
      admin: `@alice:${SERVER_NAME}`,
      room: ROOM_ALIAS,
      channel: CHANNEL,
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
      irc: this.irc.state,
      bridge: this.#watch.state,
      run: this.#run?.state ?? null,
      access: this.access,
    };
  }
}

async function startServers(files: PlaygroundFiles, preferred: number): Promise<Servers> {
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
  const ircServer = await onFreePort(portBehind(preferred, 2), (port) =>
    IrcServer.start({
      port,
      network: "Playground",
      name: "irc.playground.localhost",
      motd: ["Welcome to the playground. /join #trestle"],
    }),
  );
  return { homeserver, ircServer };
}
