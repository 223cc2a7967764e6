import {
  type ChannelId,
  type ChannelLink,
  type ConnectionStatus,
  type Consent,
  EffectId,
  EventId,
  isFailure,
  type Login,
  type MessageEffect,
  type Network,
  type NetworkEvent,
  type NetworkHandlers,
  type Outcome,
  type PresenceReceived,
  RemoteMessageId,
  RoomId,
  type RoomMember,
  type RoomView,
  type Sent,
  type TextContent,
  type TypingReceived,
  UserId,
} from "@trestle/core";
import { type RichText, richTextOf } from "@trestle/rich-text";
import { pino } from "pino";
import { patiently } from "../../../../test/support/bounded.js";
import { KeptEvents } from "../../../../test/support/kept-events.js";
import { quietNetwork } from "../../../../test/support/quiet-network.js";

/** What a connector needs of the core, kept in memory: it drops what it has, and can be slow or full. */
export class FakeCore extends KeptEvents {
  readonly typed: TypingReceived[] = [];
  readonly presences: PresenceReceived[] = [];
  readonly consents: Consent[] = [];
  readonly statuses = new Map<string, ConnectionStatus>();
  readonly stored = new Map<string, string>();
  links: ChannelLink[] = [];
  logins: Login[] = [];
  /** Why logins were ended. */
  readonly endedLogins: string[] = [];
  /** The Matrix users of rooms. */
  readonly members = new Map<RoomId, readonly RoomMember[]>();
  /** The power level that speaking needs. */
  speakPower = 0;
  /** The rooms that were read, in order. */
  readonly looks: RoomId[] = [];
  /** Called when a room is read; may wait or reject. */
  beforeLook: (room: RoomId) => Promise<void> = async () => undefined;
  /** Called before an event is kept; may wait or reject. */
  beforeReceive: (event: NetworkEvent) => Promise<void> = async () => undefined;
  /** Where a long text can be read; nowhere where absent. */
  textLink: ((room: string, event: string) => string) | undefined;
  /** Does with the links of a channel what the core does. */
  moveChannel: Network["moveChannel"] = async () => [];
  readonly #watchers = new Set<() => void>();

  constructor(
    readonly dataDirectory: string,
    private readonly log = pino({ level: process.env["TRESTLE_TEST_LOG"] ?? "silent" }),
  ) {
    super();
  }

  readonly network: Network = (() => {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the object below has a `this` of its own
    const core = this;
    const quiet = quietNetwork("irc", this.stored);
    return {
      ...quiet,
      bridge: {
        ...quiet.bridge,
        get dataDirectory() {
          return core.dataDirectory;
        },
      },
      get log() {
        return core.log;
      },
      receive: (event) => core.network.receiveAll([event]),
      receiveAll: async (events) => {
        const kept = events.map((event) => {
          if (event.kind === "raw") throw new Error("not used by this connector");
          return event;
        });
        await Promise.all(kept.map((event) => core.beforeReceive(event)));
        for (const event of kept) core.keep(event);
      },
      signal: (event) => {
        if (event.kind === "typing") core.typed.push(event);
        if (event.kind === "presence") core.presences.push(event);
        core.#changed();
      },
      report: (status) => {
        core.statuses.set(status.connection, status);
        core.#changed();
      },
      links: async () => core.links,
      lookAtRoom: async (room) => {
        const view = core.#viewOf(room);
        core.looks.push(room);
        core.#changed();
        await core.beforeLook(room);
        return view;
      },
      textLink: (room, event) => core.textLink?.(room, event),
      logins: async () => core.logins,
      endLogin: async (id, why) => {
        core.logins = core.logins.filter((login) => login.id !== id);
        core.endedLogins.push(why);
        core.#changed();
      },
      consented: (consent) => {
        core.consents.push(consent);
        core.#changed();
        return Promise.resolve(true);
      },
      moveChannel: (from, to) => core.moveChannel(from, to),
    };
  })();

  /** Waits until `probe` answers something else than `undefined` or `false`; it is asked at every change. */
  async until<T>(what: string, probe: () => T | undefined | false, milliseconds = 30_000): Promise<T> {
    const now = probe();
    if (now !== undefined && now !== false) return now;
    return await new Promise<T>((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        clearInterval(poll);
        this.#watchers.delete(look);
      };
      const look = () => {
        const value = probe();
        if (value === undefined || value === false) return;
        stop();
        resolve(value);
      };
      const poll = setInterval(look, 20);
      const bound = patiently(milliseconds);
      const timer = setTimeout(() => {
        stop();
        reject(
          new Error(
            `waited ${bound} ms in vain for ${what}; received: ${JSON.stringify(this.received.slice(-10))}; ${JSON.stringify([...this.statuses.values()])}`,
          ),
        );
      }, bound);
      this.#watchers.add(look);
    });
  }

  /** The plain texts of the messages of a channel. */
  texts(channel?: string): string[] {
    return this.messages(channel).map(({ content }) => (content.type === "text" ? plain(content.body) : content.type));
  }

  membership(): string[] {
    return this.received.flatMap((event) => (event.kind === "membership" ? [`${event.change} ${event.user.id}`] : []));
  }

  /** The room as it is now. */
  #viewOf(room: RoomId): RoomView {
    return {
      room,
      otherAliases: [],
      joinRule: "public",
      historyVisibility: "shared",
      isEncrypted: false,
      members: this.members.get(room) ?? [],
      people: [],
      power: { usual: 0, speak: this.speakPower, setTopic: 50, kick: 50, ban: 50, redact: 50, invite: 0 },
    };
  }

  protected override keep(event: NetworkEvent): void {
    super.keep(event);
    this.#changed();
  }

  #changed(): void {
    for (const look of [...this.#watchers]) look();
  }
}

/** Without any formatting. */
export function plain(body: RichText): string {
  return body.blocks.map((block) => ("children" in block ? inlineText(block.children) : block.type)).join("\n");
}

function inlineText(inlines: readonly unknown[]): string {
  return inlines
    .map((inline) => {
      if (typeof inline !== "object" || inline === null) return "";
      if ("children" in inline && Array.isArray(inline.children)) return inlineText(inline.children);
      if ("text" in inline && typeof inline.text === "string") return inline.text;
      return "type" in inline && inline.type === "break" ? "\n" : "";
    })
    .join("");
}

export interface Saying {
  readonly channel: ChannelId;
  readonly text?: string;
  readonly body?: RichText;
  readonly style?: TextContent["style"];
  readonly user?: string;
  readonly name?: string;
  /** The id of the message that this one answers. */
  readonly answers?: string;
  readonly correction?: MessageEffect["correction"];
  readonly replyTo?: MessageEffect["replyTo"];
  readonly thread?: MessageEffect["thread"];
  /** Names the message; the same again for another try. */
  readonly id?: string;
}

let messages = 0;

export function messageOf(saying: Saying): Omit<MessageEffect, "part" | "parts" | "wire" | "signal"> {
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
    content: { type: "text", style: saying.style ?? "text", body: saying.body ?? richTextOf(saying.text ?? "") },
    ...(saying.correction && { correction: saying.correction }),
    ...(saying.replyTo && { replyTo: saying.replyTo }),
    ...(saying.thread && { thread: saying.thread }),
    ...(saying.answers !== undefined && {
      replyTo: { event: EventId("$answered"), id: RemoteMessageId(saying.answers) },
    }),
  };
}

/** Does with a message what the core does: cuts it, sends the parts in order, asks before it repeats, tries again. */
export async function deliver(
  handlers: NetworkHandlers,
  saying: Saying,
  options: { readonly attempts?: number; readonly timeoutMs?: number } = {},
): Promise<Outcome[]> {
  const message = messageOf(saying);
  const parts = (await handlers.split?.(message)) ?? [undefined];
  const outcomes: Outcome[] = [];
  for (const [part, wire] of parts.entries()) {
    const effect: MessageEffect = {
      ...message,
      effect: EffectId(`${message.effect}-${part}`),
      part,
      parts: parts.length,
      wire: JSON.parse(JSON.stringify(wire)),
      signal: AbortSignal.timeout(patiently(options.timeoutMs ?? 30_000)),
    };
    outcomes.push(await deliverPart(handlers, effect, options.attempts ?? patiently(50)));
  }
  return outcomes;
}

async function deliverPart(handlers: NetworkHandlers, effect: MessageEffect, attempts: number): Promise<Outcome> {
  let outcome: Outcome;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    outcome = await handlers.message({ ...effect, attempt });
    if (!isFailure(outcome) || outcome.failed === "permanent") return outcome;
    if (outcome.failed === "uncertain") {
      const sent = await findSent(handlers, effect);
      if (sent) return sent;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return outcome;
}

/** Asks until there is an answer. */
export async function findSent(handlers: NetworkHandlers, effect: MessageEffect): Promise<Sent | null> {
  for (let attempt = 0; ; attempt++) {
    try {
      return (await handlers.findSent?.(effect)) ?? null;
    } catch (error) {
      if (attempt > patiently(100)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
