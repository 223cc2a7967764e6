import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Author,
  ChannelId,
  type ChannelLink,
  type EffectBase,
  EffectId,
  EventId,
  type Network,
  type NetworkHandlers,
  type OpenRequest,
  type Outcome,
  RoomAlias,
  RoomId,
  type RoomMember,
  type RoomView,
  textContent,
  UserId,
} from "@trestle/core";
import { configSchema, xmppConnector } from "@trestle/xmpp";
import type { z } from "zod";
import type { GatewayTuning } from "../../../dist/gateway/index.js";
import { FakeCore } from "../../support/fake-core.js";

export const ROOM = RoomId("!room:example.org");
const ALIAS = RoomAlias("#trestle:example.org");

export function member(name: string, power = 0): RoomMember {
  return { userId: UserId(`@${name.toLowerCase()}:example.org`), name, power };
}

/** A public room of alice, who has all the power, and bob. */
export function publicRoom(more: Partial<RoomView> = {}): RoomView {
  return {
    room: ROOM,
    name: "Trestle",
    topic: "Bridges",
    alias: ALIAS,
    otherAliases: [],
    joinRule: "public",
    historyVisibility: "shared",
    isEncrypted: false,
    members: [member("Alice", 100), member("Bob")],
    people: [],
    power: { usual: 0, speak: 0, setTopic: 50, kick: 50, ban: 50, redact: 50, invite: 0 },
    ...more,
  };
}

export interface StageOptions {
  readonly port: number;
  readonly domain: string;
  readonly secret: string;
  readonly gateway?: z.input<typeof configSchema>["gateway"];
  readonly tuning?: Partial<GatewayTuning>;
  /** Not linked at the start. */
  readonly unlinked?: boolean;
}

/** The bridge with its gateway over a core that lives in memory, whose one room is {@link publicRoom}. */
export class GatewayStage {
  readonly core = new FakeCore();
  readonly channel: ChannelId;
  view: RoomView = publicRoom();
  /** Called whenever the room is read; may wait or reject. */
  beforeView: () => Promise<void> = async () => undefined;
  openRoom: (request: OpenRequest) => Promise<ChannelLink | undefined> = () => Promise.resolve(undefined);
  readonly typing: { user: string; forMs: number }[] = [];
  #handlers: NetworkHandlers | undefined;
  #controller = new AbortController();
  #events = 0;

  private constructor(
    private readonly options: StageOptions,
    private readonly directory: string,
  ) {
    this.channel = ChannelId(`#trestle#example.org@${options.domain}`);
    if (options.unlinked !== true) this.core.links = [{ channel: this.channel, room: ROOM, kind: "plumbed" }];
  }

  static async open(options: StageOptions): Promise<GatewayStage> {
    const stage = new GatewayStage(options, await mkdtemp(join(tmpdir(), "trestle-gateway-")));
    await stage.start();
    return stage;
  }

  get handlers(): NetworkHandlers {
    if (!this.#handlers) throw new Error("The bridge does not run.");
    return this.#handlers;
  }

  async start(): Promise<void> {
    const { port, domain, secret, gateway, tuning } = this.options;
    const config = configSchema.parse({ port, domain, secret, gateway: { enabled: true, ...gateway } });
    this.#controller = new AbortController();
    const context = {
      config,
      network: this.#network(),
      signal: this.#controller.signal,
      tuning: { stream: { backoffMinMs: 20, backoffMaxMs: 200 }, gateway: { viewMs: 0, ...tuning } },
    };
    this.core.statuses.clear();
    this.#handlers = await xmppConnector.connect(context);
    for (const link of this.core.links) await this.#handlers.linked?.(link);
    await this.core.until("the component", () => this.core.statuses.get(domain)?.state === "connected");
  }

  /** Ends in good order. */
  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#handlers?.close?.();
    this.#handlers = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Somebody on Matrix says something; the id is the event's. */
  async say(who: string, text: string, style: "text" | "notice" | "emote" = "text"): Promise<string> {
    const outcome = await this.handlers.message({
      ...this.effect(who),
      content: textContent(text, style),
      part: 0,
      parts: 1,
    });
    return idOf(outcome);
  }

  /** What every effect says. */
  effect(who: string, id = `e${++this.#events}`): EffectBase {
    const author: Author = { userId: UserId(`@${who.toLowerCase()}:example.org`), name: who };
    return {
      effect: EffectId(id),
      attempt: 1,
      maybeSent: false,
      channel: this.channel,
      room: ROOM,
      event: EventId(`$${id}`),
      author,
      at: Date.now(),
      signal: new AbortController().signal,
    };
  }

  #network(): Network {
    const { network } = this.core;
    return {
      ...network,
      bridge: { ...network.bridge, dataDirectory: this.directory },
      signal: (event) => {
        if (event.kind === "typing") this.typing.push({ user: event.user.id, forMs: event.forMs });
      },
      openRoom: (request) => this.openRoom(request),
      lookAtRoom: async () => {
        await this.beforeView();
        return this.view;
      },
    };
  }
}

export function idOf(outcome: Outcome): string {
  if (!outcome || "failed" in outcome || outcome.id === undefined) throw new Error(`No id: ${JSON.stringify(outcome)}`);
  return outcome.id;
}
