import { ChannelId, type ChannelLink, type NetworkHandlers, type Outcome, RoomId } from "@trestle/core";
import { configSchema, xmppConnector, type XmppLimits } from "@trestle/xmpp";
import type { z } from "zod";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import type { RoomTuning } from "../../dist/rooms/parts.js";
import type { StreamTuning } from "../../dist/stream/index.js";
import { deliver, effectOf, FakeCore, type Saying } from "./fake-core.js";

export interface BridgeOptions {
  readonly server: XmppServer;
  /** Where the component connects, when not at the server itself. */
  readonly port?: number;
  readonly rooms: readonly string[];
  readonly core?: FakeCore;
  readonly config?: Partial<z.input<typeof configSchema>>;
  readonly tuning?: { readonly stream?: Partial<StreamTuning>; readonly rooms?: Partial<RoomTuning> };
}

/** A bridge over a core that lives in memory. */
export class RunningBridge {
  private constructor(
    readonly core: FakeCore,
    readonly handlers: NetworkHandlers<XmppLimits>,
    private readonly controller: AbortController,
  ) {}

  static async start({
    server,
    port,
    rooms,
    core = new FakeCore(),
    config,
    tuning,
  }: BridgeOptions): Promise<RunningBridge> {
    core.links = rooms.map(linkOf);
    const { component: domain, secret } = server;
    const parsed = configSchema.parse({ domain, secret, port: port ?? server.componentPort, ...config });
    const controller = new AbortController();
    const context = {
      config: parsed,
      network: core.network,
      signal: controller.signal,
      tuning: {
        stream: { backoffMinMs: 20, backoffMaxMs: 300, ...tuning?.stream },
        rooms: { enterMinMs: 50, enterMaxMs: 500, ...tuning?.rooms },
      },
    };
    const handlers = (await xmppConnector.connect(context)) as NetworkHandlers<XmppLimits>;
    for (const link of core.links) await handlers.linked?.(link);
    const catchUp = () => {
      for (const { channel } of core.links) void handlers.catchUp?.(channel, core.cursors.get(channel) ?? null);
    };
    core.onConnected = catchUp;
    catchUp();
    return new RunningBridge(core, handlers, controller);
  }

  /** Resolves when the bridge is in all linked rooms. */
  async ready(): Promise<this> {
    await this.core.until("the bridge in its rooms", () =>
      this.core.links.every(({ channel }) => this.core.statuses.get(channel)?.state === "connected"),
    );
    return this;
  }

  say(saying: Saying): Promise<Outcome> {
    return deliver(this.handlers, effectOf(saying));
  }

  async close(): Promise<void> {
    this.controller.abort();
    this.core.onConnected = () => undefined;
    await this.handlers.close?.();
  }
}

export function linkOf(channel: string): ChannelLink {
  return { channel: ChannelId(channel), room: RoomId(`!${channel}`), kind: "plumbed" };
}
