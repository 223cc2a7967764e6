import {
  type ChannelId,
  type ChannelLink,
  type ConnectionStatus,
  EffectId,
  EventId,
  isFailure,
  type MessageEffect,
  type Network,
  type NetworkEvent,
  type NetworkHandlers,
  type Outcome,
  RemoteMessageId,
  type RemoteUserId,
  RoomId,
  textContent,
  type TextContent,
  type TypingReceived,
  UserId,
} from "@trestle/core";
import type { XmppLimits } from "@trestle/xmpp";
import { toPlainText } from "@trestle/rich-text";
import { Readable } from "node:stream";
import { patiently, until } from "../../../../test/support/bounded.js";
import { KeptEvents } from "../../../../test/support/kept-events.js";
import { quietNetwork } from "../../../../test/support/quiet-network.js";

/** What a connector needs of the core, kept in memory: it drops what it has, and can be slow or full. */
export class FakeCore extends KeptEvents {
  readonly signals: TypingReceived[] = [];
  /** Files of Matrix, by their URIs. */
  readonly files = new Map<string, { readonly bytes: Buffer; readonly mimeType: string; readonly size?: number }>();
  readonly statuses = new Map<string, ConnectionStatus>();
  readonly stored = new Map<string, string>();
  /** The last message of each channel. */
  readonly cursors = new Map<ChannelId, RemoteMessageId>();
  links: ChannelLink[] = [];
  allMembers = false;
  ghosts = new Set<RemoteUserId>();
  /** Called before an event is kept; may wait or reject. */
  beforeReceive: (event: NetworkEvent) => Promise<void> = async () => undefined;
  onConnected: () => void = () => undefined;

  readonly network: Network = this.#network();

  /** The plain texts of the messages of a channel. */
  texts(channel?: string): string[] {
    return this.messages(channel).map(({ content }) =>
      content.type === "text" ? toPlainText(content.body) : content.type,
    );
  }

  /** What people did, without how the room is set and who is what in it. */
  get done(): NetworkEvent[] {
    return this.received.filter(
      (event) => event.kind !== "roles" && !(event.kind === "channel" && event.settings !== undefined),
    );
  }

  /** What of one kind was received in a channel. */
  ofKind<Kind extends NetworkEvent["kind"]>(kind: Kind, channel: string): Extract<NetworkEvent, { kind: Kind }>[] {
    return this.received.filter(
      (event): event is Extract<NetworkEvent, { kind: Kind }> => event.kind === kind && event.channel === channel,
    );
  }

  async until(what: string, holds: () => boolean, milliseconds = 30_000): Promise<void> {
    await until(
      milliseconds,
      what,
      () => (holds() ? true : undefined),
      () => `${JSON.stringify(this.received.slice(-10))}\n${JSON.stringify([...this.statuses.values()])}`,
    );
  }

  #network(): Network {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the object below has a `this` of its own
    const core = this;
    const quiet = quietNetwork("xmpp", this.stored);
    return {
      ...quiet,
      bridge: {
        ...quiet.bridge,
        get allMembers() {
          return core.allMembers;
        },
      },
      receive: async (event) => {
        if (event.kind === "raw") throw new Error("not used by this connector");
        await core.beforeReceive(event);
        core.keep(event);
      },
      signal: (event) => {
        if (event.kind === "typing") core.signals.push(event);
      },
      report: (status) => {
        core.statuses.set(status.connection, status);
        if (status.state === "connected") core.onConnected();
      },
      links: async () => core.links,
      openMedia: async (uri) => {
        const file = core.files.get(uri);
        if (!file) throw new Error(`no file ${uri}`);
        const { bytes, ...about } = file;
        return { stream: Readable.from([bytes]), ...about };
      },
      ghostsIn: async () => ({ inAll: core.ghosts, inAny: core.ghosts }),
    };
  }

  protected override keep(event: NetworkEvent): void {
    if (event.kind === "message") this.cursors.set(event.channel, event.id);
    super.keep(event);
  }
}

export interface Saying {
  readonly channel: ChannelId;
  readonly text: string;
  readonly style?: TextContent["style"];
  readonly user?: string;
  readonly name?: string;
  /** Names the message; the same again for another try. */
  readonly id?: string;
}

let messages = 0;

export function effectOf(saying: Saying): MessageEffect<TextContent> {
  const id = saying.id ?? `m${++messages}`;
  const user = saying.user ?? "@alice:example.org";
  return {
    effect: EffectId(id),
    attempt: 1,
    maybeSent: false,
    channel: saying.channel,
    room: RoomId("!room"),
    event: EventId(`$${id}`),
    author: { userId: UserId(user), name: saying.name ?? user.replace(/^@|:.*$/g, "") },
    at: Date.now(),
    content: textContent(saying.text, saying.style),
    part: 0,
    parts: 1,
    signal: AbortSignal.timeout(patiently(30_000)),
  };
}

/** Does with a message what the core does: asks before it repeats, tries again until it is done. */
export async function deliver(
  handlers: NetworkHandlers<XmppLimits>,
  effect: MessageEffect<TextContent>,
  attempts = 400,
): Promise<Outcome> {
  let outcome: Outcome = effect.maybeSent ? { failed: "uncertain", reason: "it was under way" } : undefined;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const sent = isUncertain(outcome) ? await findSent(handlers, effect, attempts) : null;
    if (sent === "unknown") return outcome;
    if (sent) return sent;
    outcome = await handlers.message({ ...effect, attempt });
    if (!isFailure(outcome) || outcome.failed === "permanent") return outcome;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return outcome;
}

function isUncertain(outcome: Outcome): boolean {
  return isFailure(outcome) && outcome.failed === "uncertain";
}

async function findSent(handlers: NetworkHandlers<XmppLimits>, effect: MessageEffect<TextContent>, attempts: number) {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await handlers.findSent?.(effect)) ?? null;
    } catch {
      // The bridge may have ended, as by a crash, with this under way.
      if (attempt > attempts) return "unknown";
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
