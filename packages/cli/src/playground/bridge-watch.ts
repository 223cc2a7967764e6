import { AdminAccessError, AdminClient, NotRunningError, readAdminAccess } from "@trestle/core";
import type { QueueEntry, StatusView } from "@trestle/core";
import type { BridgeProcess } from "./bridge-process.js";
import type { BridgeState, FlowCounts, PageEvent, WaitingEntry } from "./page-events.js";

export interface BridgeWatchOptions {
  readonly process: BridgeProcess;
  readonly dataDirectory: string;
  /** How many events the homeserver keeps for the bridge. */
  readonly atHomeserver: () => number;
  readonly tell: (event: PageEvent) => void;
}

const POLL_MS = 250;
const SHOWN_ENTRIES = 5;
const NOTHING: FlowCounts = { queued: 0, delivered: 0, dead: 0 };

interface Seen {
  /** The process that answered; `null` where none did. */
  readonly pid: number | null;
  readonly ready: boolean;
  readonly toNetwork: FlowCounts;
  readonly toMatrix: FlowCounts;
  readonly waiting: readonly WaitingEntry[];
  readonly detail: string;
}

const NOT_SEEN: Seen = { pid: null, ready: false, toNetwork: NOTHING, toMatrix: NOTHING, waiting: [], detail: "" };

/** Looks at the bridge through its operations API, as an operator would. */
export class BridgeWatch {
  #seen: Seen = NOT_SEEN;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #told = "";
  #looking: Promise<void> = Promise.resolve();

  constructor(private readonly options: BridgeWatchOptions) {}

  start(): void {
    this.#looking = this.#look();
  }

  /** Says at once what is known already, e.g. that the process has ended. */
  refresh(): void {
    const state = this.state;
    const text = JSON.stringify(state);
    if (text === this.#told) return;
    this.#told = text;
    this.options.tell({ type: "bridge", bridge: state });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  get state(): BridgeState {
    const { process, atHomeserver } = this.options;
    const { ready, toNetwork, toMatrix, waiting, detail } = this.#seen;
    const { pid } = process;
    const runs = pid !== null;
    return {
      phase: !runs ? "down" : this.#seen.pid === pid && ready ? "running" : "starting",
      detail: runs ? detail : process.end,
      pid,
      kills: process.kills,
      toNetwork,
      toMatrix,
      atHomeserver: atHomeserver(),
      waiting: runs ? waiting : [],
    };
  }

  async #look(): Promise<void> {
    const { pid } = this.options.process;
    try {
      this.#seen = { pid, ...(await this.#ask()) };
    } catch (error) {
      // A bridge that is killed while it answers breaks the answer off; that is "down" as well.
      this.#seen = {
        ...this.#seen,
        pid: null,
        ready: false,
        detail: error instanceof AdminAccessError ? error.message : "",
      };
    }
    this.refresh();
    if (!this.#stopped) this.#timer = setTimeout(() => this.start(), POLL_MS);
  }

  async #ask(): Promise<Omit<Seen, "pid">> {
    const { url, token } = await readAdminAccess(this.options.dataDirectory);
    if (url === undefined || token === undefined) throw new NotRunningError("It has not started yet.");
    const client = new AdminClient({ url, token, timeout: 2_000 });
    const [status, queue] = await Promise.all([client.status(), client.queue.list({ limit: SHOWN_ENTRIES })]);
    return { ...fromStatus(status), waiting: queue.map(shownEntry) };
  }
}

function fromStatus(status: StatusView): Omit<Seen, "pid" | "waiting"> {
  const [bridge] = status.bridges;
  const connections = bridge?.connections ?? [];
  const ready = connections.length > 0 && connections.some(({ state }) => state === "connected");
  return {
    ready,
    toNetwork: bridge?.toNetwork ?? NOTHING,
    toMatrix: bridge?.toMatrix ?? NOTHING,
    detail: ready ? "" : connections.map(({ connection, state }) => `${connection}: ${state}`).join(", "),
  };
}

function shownEntry(entry: QueueEntry): WaitingEntry {
  const { seq, state, source, receivedAt, error } = entry;
  return {
    seq,
    direction: entry.direction,
    state,
    source,
    ageMs: Math.max(0, Date.now() - receivedAt),
    ...(error !== undefined && { error }),
  };
}
