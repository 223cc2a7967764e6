import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChannelId, type ChannelLink, type NetworkHandlers, type Outcome, RoomId } from "@trestle/core";
import connector, { configSchema } from "@trestle/irc";
import type { z } from "zod";
import { patiently } from "../../../../test/support/bounded.js";
import { endHolder, holderEnded, holderPid } from "./holder-process.js";
import { deliver, FakeCore, type Saying } from "./fake-core.js";

type NetworkInput = z.input<typeof configSchema>["networks"][number];

export interface BridgeOptions {
  readonly networks: readonly NetworkInput[];
  readonly channels?: readonly string[];
  readonly core?: FakeCore;
  readonly config?: Omit<z.input<typeof configSchema>, "networks">;
}

export type NetworkOptions = Partial<NetworkInput>;

/** What tests of a server without flood rules use. */
export function networkOn(port: number, more: NetworkOptions = {}): NetworkInput {
  return {
    name: "net",
    host: "127.0.0.1",
    port,
    tls: false,
    flood: { burst: 1000, linesPerSecond: 10_000 },
    connects: { burst: 100, perSecond: 100 },
    reconnect: { min: 0.05, max: 1 },
    ...more,
  };
}

/** A bridge over a core that lives in memory. */
export class RunningBridge {
  private constructor(
    readonly core: FakeCore,
    readonly handlers: NetworkHandlers,
    private readonly controller: AbortController,
    private readonly onStop: "keep" | "quit",
  ) {}

  static async start(options: BridgeOptions): Promise<RunningBridge> {
    const core = options.core ?? new FakeCore(mkdtempSync(join(tmpdir(), "trestle-irc-")));
    if (options.channels) core.links = options.channels.map(linkOf);
    const config = connector.config.parse({ grace: patiently(3), ...options.config, networks: options.networks });
    const controller = new AbortController();
    const handlers = await connector.connect({ config, network: core.network, signal: controller.signal });
    for (const link of core.links) await handlers.linked?.(link);
    return new RunningBridge(core, handlers, controller, config.onStop);
  }

  /** Resolves when the bot is in all linked channels. */
  async ready(): Promise<this> {
    await this.core.until("the bot in its channels", () =>
      this.core.links.every(({ channel }) => this.core.statuses.get(channel)?.state === "connected"),
    );
    return this;
  }

  say(saying: Saying, options?: Parameters<typeof deliver>[2]): Promise<Outcome[]> {
    return deliver(this.handlers, saying, options);
  }

  async close(): Promise<void> {
    this.controller.abort();
    await this.handlers.close?.();
  }

  /** Closes for good: no holder stays behind. */
  async end(): Promise<void> {
    await this.close();
    // One that keeps the connections would stay for all of the grace.
    if (this.onStop === "keep" && holderPid(this.core.dataDirectory) !== undefined)
      endHolder(this.core.dataDirectory, "SIGTERM");
    await holderEnded(this.core.dataDirectory);
    rmSync(this.core.dataDirectory, { recursive: true, force: true });
  }
}

export function linkOf(channel: string): ChannelLink {
  return { channel: ChannelId(channel), room: RoomId(`!${channel}`), kind: "plumbed" };
}
